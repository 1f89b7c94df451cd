"""Duties of the crime track, of a refused inspection and of the brief."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from models.base import Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = "met_on IS NULL AND closed_on IS NULL AND NOT suspended"
CRIME = "《行政执法机关移送涉嫌犯罪案件的规定》（国务院令第310号，第730号修订）第五条"
# What a plan that is loaded already must have from now on, until its file says it.
TERMS = (
    {"duty": "report_refusal", "working_days": 2, "internal": True, "action": "报告拒绝签字的情况"},
    {"duty": "reveal", "working_days": 3, "internal": True, "action": "公开抽取"},
    {"duty": "crime_decide", "natural_days": 3, "statute": CRIME, "action": "决定是否移送"},
    {"duty": "crime_transfer", "hours": 24, "statute": CRIME, "action": "向同级公安机关移送"},
    {"duty": "brief", "working_days": 25, "internal": True, "action": "报送专项简报"},
)
EVERYBODY = ["responsible", "head", "coordinator"]
URGENT_ALERTS = (
    {"level": "start", "name": "加急：开始计时", "at_start": True, "to": EVERYBODY[:1]},
    {"level": "before-24", "name": "加急：不足 24 小时", "hours": -24, "to": EVERYBODY[:1]},
    {"level": "before-4", "name": "加急：不足 4 小时", "hours": -4, "to": EVERYBODY[:2]},
    {"level": "over", "name": "加急督办：已经逾期", "hours": 0, "to": EVERYBODY},
    {"level": "daily", "name": "加急督办：仍未办结", "hours": 24, "every": 24, "to": EVERYBODY},
)


def upgrade() -> None:
    op.create_table(
        "crime_report",
        sa.Column("id", KEY, nullable=False),
        sa.Column("record_id", KEY, nullable=False),
        sa.Column("reported_at", Moment(), nullable=False),
        sa.Column("handlers", sa.JSON(), nullable=False),
        sa.Column("decision", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.Column("decided_by", sa.String(length=500), nullable=False),
        sa.Column("in_charge_by", sa.String(length=500), nullable=False),
        sa.Column("transferred_at", Moment(), nullable=True),
        sa.Column("receiving", sa.String(length=500), nullable=False),
        sa.Column("document", sa.String(length=500), nullable=False),
        sa.Column("entered_by", sa.String(length=500), nullable=False),
        sa.Column("entered_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["department_record.id"], name=op.f("fk_crime_report_record_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crime_report")),
        sa.UniqueConstraint("record_id", name=op.f("uq_crime_report_record_id")),
    )
    for table, owner, day in (
        ("refusal_report", "inspection", "reported_on"),
        ("brief", "round", "sent_on"),
    ):
        op.create_table(
            table,
            sa.Column("id", KEY, nullable=False),
            sa.Column(f"{owner}_id", KEY, nullable=False),
            sa.Column(day, sa.Date(), nullable=False),
            sa.Column("receiving", sa.String(length=500), nullable=False),
            sa.Column("document", sa.String(length=500), nullable=False),
            sa.Column("entered_by", sa.String(length=500), nullable=False),
            sa.Column("entered_at", Moment(), nullable=False),
            sa.ForeignKeyConstraint(
                [f"{owner}_id"], [f"{owner}.id"], name=op.f(f"fk_{table}_{owner}_id")
            ),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            sa.UniqueConstraint(f"{owner}_id", name=op.f(f"uq_{table}_{owner}_id")),
        )
    with op.batch_alter_table("obligation") as batch:
        batch.add_column(sa.Column("started_at", Moment(), nullable=True))
        batch.add_column(sa.Column("natural_days", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("hours", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("met_at", Moment(), nullable=True))
        batch.add_column(sa.Column("next_alert_at", Moment(), nullable=True))
        batch.create_index(
            "ix_obligation_to_alert_at",
            ["next_alert_at"],
            sqlite_where=sa.text(OPEN),
            postgresql_where=sa.text(OPEN),
        )
    with op.batch_alter_table("mail") as batch:
        batch.add_column(sa.Column("urgent_since", Moment(), nullable=True))
    _complete_plans()


def _complete_plans() -> None:
    plan = sa.table("plan", sa.column("id", sa.Integer), sa.column("content", sa.JSON))
    connection = op.get_bind()
    for number, content in connection.execute(sa.select(plan.c.id, plan.c.content)).all():
        values = {"content": completed(content)}
        connection.execute(plan.update().where(plan.c.id == number).values(values))


def completed(content: dict[str, Any]) -> dict[str, Any]:
    """A plan's content with every term and alert that it lacks."""
    terms = content.get("terms", [])
    duties = {term["duty"] for term in terms}
    missing = [term for term in TERMS if term["duty"] not in duties]
    return {"urgent_alerts": URGENT_ALERTS} | content | {"terms": [*terms, *missing]}
