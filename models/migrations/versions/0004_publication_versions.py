"""Publications keep every content that was prepared, and when it was public."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "publication_version",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("publication_id", _NUMBER, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("prepared_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publication.id"],
            name=op.f("fk_publication_version_publication_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication_version")),
        sa.UniqueConstraint(
            "publication_id", "number", name=op.f("uq_publication_version_publication_id_number")
        ),
    )
    with op.batch_alter_table("department_record") as batch_op:
        batch_op.add_column(sa.Column("correction", sa.Text(), nullable=False, server_default=""))
    # What there is already is the first version; the ledger has those before it.
    op.execute(
        "INSERT INTO publication_version (publication_id, number, content, prepared_on, reason,"
        " published_on) SELECT id, 1, content, prepared_on, '', published_on FROM publication"
    )
