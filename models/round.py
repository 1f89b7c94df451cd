"""Rounds: opened by plan, passed over until everything in them is done."""

from datetime import date, datetime

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


class Pass(Base):
    """One pass over a round as Prefect showed it, so that the newest alone stays 当前."""

    __tablename__ = "pass"
    __table_args__ = (UniqueConstraint("round_id", "number"),)

    id: Mapped[Key]
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    number: Mapped[int]
    as_of: Mapped[date]
    flow_run_id: Mapped[Code]
