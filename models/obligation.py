"""Obligations: each duty of each object with the day by which it must be done.

They are derived: what the facts call for (`models.duty`) is laid over what is stored by
`reconcile`, and every difference becomes one entry of the ledger. So a crash between a fact and
its obligation cannot lose one, and running it again changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Json, Key, Line
from models.ledger import Event
from models.plan import DUTY_NAMES, Duty

# What the sweep looks for; one spelling for the index and the query.
OPEN = "met_on IS NULL AND closed_on IS NULL AND NOT suspended"


class Obligation(Base):
    """A duty (职责) of one object: who must do it, and by when. Days are Asia/Shanghai dates."""

    __tablename__ = "obligation"
    __table_args__ = (
        UniqueConstraint("duty", "object"),
        Index(
            "ix_obligation_to_alert",
            "next_alert_on",
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
    working_days: Mapped[int | None]  # None: a fixed date
    source: Mapped[Line]
    due_on: Mapped[date]
    due_at: Mapped[datetime]
    due_version: Mapped[int] = mapped_column(default=1)
    provisional: Mapped[bool]
    calendar_version: Mapped[Line]
    missed_on: Mapped[Json] = mapped_column(default=list)  # due days of old that were missed
    met_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    closed_why: Mapped[Line] = mapped_column(default="")
    suspended: Mapped[bool] = mapped_column(default=False)
    next_alert_on: Mapped[date | None]
    alerted_level: Mapped[Code] = mapped_column(default="")

    @property
    def open(self) -> bool:
        """Neither met nor closed."""
        return self.met_on is None and self.closed_on is None

    def was_overdue(self, as_of: date) -> bool:
        """Whether the due day, or an earlier version of it, passed without the duty being met."""
        return bool(self.missed_on) or (self.met_on or self.closed_on or as_of) > self.due_on


@dataclass(frozen=True)
class Due:
    """The day by which a duty is due, and how it was counted."""

    on: date
    at: datetime
    provisional: bool
    calendar_version: str


@dataclass(frozen=True)
class Wanted:
    """An obligation that the facts call for; `met_on` and `closed_on` say how it ended."""

    duty: Duty
    object: str
    inspection: str
    about: str
    department: str
    person: str
    email: str
    started_on: date
    working_days: int | None
    source: str
    due: Due
    suspended: bool = False
    met_on: date | None = None
    closed_on: date | None = None
    closed_why: str = ""


@dataclass(frozen=True)
class Move:
    """An obligation whose due day is another one now, or firm where it was provisional."""

    row: Obligation
    before: date
    was_provisional: bool


@dataclass
class Reconciled:
    """What `reconcile` found: rows to insert, rows already changed in place, ledger events."""

    new: list[Obligation] = field(default_factory=list)
    moved: list[Move] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def reconcile(
    stored: Mapping[tuple[str, str], Obligation],
    wanted: Iterable[Wanted],
    round_id: int,
    as_of: date,
    first_alert: Callable[[Due], date],
    why: str = "事实变更",
) -> Reconciled:
    """Lay `wanted` over `stored` (the same objects', by duty and object), changing it in place.

    A moved due day gets a new version, with the reason `why` in the ledger, and keeps the old one
    in sight if it was missed. What was met or closed under one calendar stays counted by it. An
    obligation once met or closed is opened again only by facts that take its event back.
    """
    found = Reconciled()
    left = dict(stored)
    for want in wanted:
        left.pop((want.duty, want.object), None)
        row = stored.get((want.duty, want.object))
        name = f"{DUTY_NAMES[want.duty]} {want.object}"
        if row is None:
            row = Obligation(
                duty=want.duty,
                object=want.object,
                inspection=want.inspection,
                round_id=round_id,
                due_version=1,
                missed_on=[],
                suspended=False,
                alerted_level="",
                closed_why="",
            )
            _start(row, want, first_alert)
            found.new.append(row)
            found.events.append(Event("期限起算", name, _counted(row)))
        elif _moved(row, want):
            before = _counted(row)
            found.moved.append(Move(row, row.due_on, row.provisional))
            ended = (row.met_on or row.closed_on or as_of, want.met_on or want.closed_on or as_of)
            if max(ended) > row.due_on:  # by what was known until now, or by what is known now
                row.missed_on = [*row.missed_on, row.due_on.isoformat()]
            row.due_version += 1
            row.alerted_level = ""
            _start(row, want, first_alert)
            detail = {"before": before, "after": _counted(row), "why": why}
            found.events.append(Event("期限变更", name, detail))
        row.suspended = want.suspended
        if (row.person, row.email) != (want.person, want.email):
            found.events.append(
                Event("责任人变更", name, {"before": row.person, "after": want.person})
            )
            row.person, row.email = want.person, want.email
        if (row.met_on, row.closed_on) != (want.met_on, want.closed_on):
            row.met_on, row.closed_on = want.met_on, want.closed_on
            row.closed_why = want.closed_why
            found.events.append(_ended(row, name))
    for row in left.values():
        if row.open:
            row.closed_on, row.closed_why = as_of, "事实更正后不再需要"
            found.events.append(_ended(row, f"{DUTY_NAMES[row.duty]} {row.object}"))
    return found


def _moved(row: Obligation, want: Wanted) -> bool:
    if row.started_on != want.started_on:
        return True
    stays_open = row.open or (want.met_on is None and want.closed_on is None)
    counted = (row.due_on, row.provisional) != (want.due.on, want.due.provisional)
    return stays_open and counted


def _start(row: Obligation, want: Wanted, first_alert: Callable[[Due], date]) -> None:
    row.about, row.department = want.about, want.department
    row.person, row.email = want.person, want.email
    row.started_on, row.working_days, row.source = want.started_on, want.working_days, want.source
    row.due_on, row.due_at = want.due.on, want.due.at
    row.provisional, row.calendar_version = want.due.provisional, want.due.calendar_version
    row.next_alert_on = first_alert(want.due)


def _counted(row: Obligation) -> dict[str, Any]:
    return {
        "started_on": row.started_on,
        "working_days": row.working_days,
        "due_on": row.due_on,
        "provisional": row.provisional,
        "calendar": row.calendar_version,
        "source": row.source,
        "person": row.person,
        "version": row.due_version,
    }


def _ended(row: Obligation, name: str) -> Event:
    if row.met_on is not None:
        late = row.met_on > row.due_on
        return Event("期限完成", name, {"met_on": row.met_on, "due_on": row.due_on, "late": late})
    if row.closed_on is not None:
        return Event("期限终止", name, {"closed_on": row.closed_on, "why": row.closed_why})
    return Event("期限恢复", name, {"due_on": row.due_on})
