"""Obligations: each duty of each object with the day by which it must be done.

They are derived: what the facts call for (`models.duty`) is laid over what is stored, see
`models.reconciliation`. Nothing else starts, moves or ends one.
"""

from datetime import date, datetime

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    and_,
    case,
    false,
    func,
    or_,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Json, Key, Line
from models.plan import Duty

# What the sweep looks for; one spelling for the index and the query.
OPEN = "met_on IS NULL AND closed_on IS NULL AND NOT suspended"


class Obligation(Base):
    """A duty (职责) of one object: who must do it, and by when. Days are Asia/Shanghai dates.

    One that runs by the clock has `started_at`; it is due at the minute `due_at`, met at `met_at`
    and next alerted at `next_alert_at`. The minute 24:00 belongs to the day that it ends.
    """

    __tablename__ = "obligation"
    __table_args__ = (
        UniqueConstraint("duty", "object"),
        Index(
            "ix_obligation_to_alert",
            "next_alert_on",
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        Index(
            "ix_obligation_to_alert_at",
            "next_alert_at",
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
    )

    id: Mapped[Key]
    duty: Mapped[Duty] = mapped_column(String(64))
    object: Mapped[Code]  # the code of a draw, of an inspection, or of inspection/department
    inspection: Mapped[Code] = mapped_column(index=True)  # its code; empty for a draw's duty
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    about: Mapped[Line]  # the subject's name, for people
    department: Mapped[Code]
    person: Mapped[Line]
    email: Mapped[Line]
    started_on: Mapped[date]
    started_at: Mapped[datetime | None]
    working_days: Mapped[int | None]  # with neither of the next two: a fixed date
    natural_days: Mapped[int | None]
    hours: Mapped[int | None]
    source: Mapped[Line]
    due_on: Mapped[date]
    due_at: Mapped[datetime]
    due_version: Mapped[int] = mapped_column(default=1)
    provisional: Mapped[bool]
    calendar_version: Mapped[Line]
    missed_on: Mapped[Json] = mapped_column(default=list)  # due days of old that were missed
    met_on: Mapped[date | None]
    met_at: Mapped[datetime | None]
    closed_on: Mapped[date | None]
    closed_why: Mapped[Line] = mapped_column(default="")
    suspended: Mapped[bool] = mapped_column(default=False)
    next_alert_on: Mapped[date | None]
    next_alert_at: Mapped[datetime | None]
    alerted_level: Mapped[Code] = mapped_column(default="")

    @hybrid_property
    def open(self) -> bool:
        """Neither met nor closed; in queries as well."""
        return self.met_on is None and self.closed_on is None

    @open.inplace.expression
    @classmethod
    def _open(cls) -> ColumnElement[bool]:
        return and_(cls.met_on.is_(None), cls.closed_on.is_(None))

    @hybrid_property
    def late(self) -> bool:
        """Met, but after the due day or, by the clock, after the due minute; in queries as well."""
        if self.met_at is not None:
            return self.met_at > self.due_at
        return self.met_on is not None and self.met_on > self.due_on

    @late.inplace.expression
    @classmethod
    def _late(cls) -> ColumnElement[bool]:
        by_the_clock = func.coalesce(cls.met_at > cls.due_at, false())
        return func.coalesce(or_(cls.met_on > cls.due_on, by_the_clock), false())

    def was_overdue(self, as_of: date) -> bool:
        """Whether the due day, or an earlier version of it, passed without the duty being met."""
        if self.late or self.missed_on:
            return True
        return self.met_on is None and (self.closed_on or as_of) > self.due_on


def past_due(as_of: date, at: datetime) -> ColumnElement[bool]:
    """In a query whether its due day or, by the clock, its due minute is over."""
    return case(
        (Obligation.started_at.is_not(None), Obligation.due_at < at),
        else_=Obligation.due_on < as_of,
    )
