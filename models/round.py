"""Rounds: opened by plan, passed over until everything in them is done."""

from datetime import date, datetime, timedelta

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Key, Line
from models.plan import PlanVersion


class Round(Base):
    """One round of a plan (抽查轮次). `pass_number` counts its passes, `version` its changes."""

    __tablename__ = "round"

    id: Mapped[Key]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    code: Mapped[Code] = mapped_column(unique=True)
    number: Mapped[int]
    task_number: Mapped[Line]
    opens_on: Mapped[date]
    visits_from: Mapped[date]
    ends_on: Mapped[date]
    registered_at: Mapped[datetime]
    opened_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    outcome: Mapped[Line] = mapped_column(default="")
    pass_number: Mapped[int] = mapped_column(default=0)
    passed_on: Mapped[date | None]  # as_of of the newest pass
    version: Mapped[int] = mapped_column(default=0)  # counts what people entered
    passed_version: Mapped[int] = mapped_column(default=-1)  # as the newest pass found it

    plan_version: Mapped[PlanVersion] = relationship(lazy="joined", innerjoin=True)


# No run comes so much later than it began; a longer gap is a clock that was once set ahead.
LATEST_DAYS = 31


def stale(as_of: date, newest: date | None) -> bool:
    """Whether a pass or sweep of `as_of` comes after a newer one and so is to do nothing.

    A day far ahead does not count: one wrong clock would otherwise silence the office until then.
    """
    return newest is not None and as_of < newest <= as_of + timedelta(days=LATEST_DAYS)


class Pass(Base):
    """One pass over a round as Prefect showed it, so that the newest alone stays 当前."""

    __tablename__ = "pass"
    __table_args__ = (UniqueConstraint("round_id", "number"),)

    id: Mapped[Key]
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    number: Mapped[int]
    as_of: Mapped[date]
    flow_run_id: Mapped[Code]
