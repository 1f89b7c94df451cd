"""Notices made again, alternates in place of closed subjects, and freezes kept as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("inspection") as batch_op:
        batch_op.add_column(
            sa.Column("replaces", sa.String(length=64), nullable=False, server_default="")
        )
    if op.get_bind().dialect.name == "postgresql":  # 20 MB for a million subjects
        op.execute("ALTER TABLE draw ALTER COLUMN frozen SET STORAGE EXTERNAL")
