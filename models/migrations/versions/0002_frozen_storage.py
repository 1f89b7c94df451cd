"""A freeze of a million subjects is 20 MB: PostgreSQL keeps it as it is, not compressed."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE draw ALTER COLUMN frozen SET STORAGE EXTERNAL")
