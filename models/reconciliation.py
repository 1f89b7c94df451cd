"""Reconciliation: what the facts call for, laid over the obligations that are stored.

Every difference becomes one entry of the ledger. So a crash between a fact and its obligation
cannot lose one, and running it again changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from models.ledger import Event
from models.obligation import Obligation
from models.plan import DUTY_NAMES, Duty


@dataclass(frozen=True)
class Due:
    """The day, and the end of it or the minute, by which a duty is due, and how it was counted."""

    on: date
    at: datetime
    provisional: bool
    calendar_version: str


@dataclass(frozen=True)
class Wanted:
    """An obligation that the facts call for; `met_on` and `closed_on` say how it ended.

    With `started_at` it runs by the clock, and `met_at` says to the minute when it was met.
    """

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
    started_at: datetime | None = None
    natural_days: int | None = None
    hours: int | None = None
    met_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Neither met nor closed."""
        return self.met_on is None and self.closed_on is None


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
    at: datetime,
    first_alert: Callable[[Due], date],
    why: str = "事实变更",
) -> Reconciled:
    """Lay `wanted` over `stored` (the same objects', by duty and object), changing it in place.

    A moved due day gets a new version, with the reason `why` in the ledger, and keeps the old one
    in sight if it was missed. What was met or closed under one calendar stays counted by it. An
    obligation once met or closed is opened again only by facts that take its event back, and keeps
    the person whose it was. It is a new version then, so that each level is told anew: what was
    told before its end may never have been sent.
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
        elif (moved := _moved(row, want)) or (want.open and not row.open):
            before = _counted(row)
            if moved:
                found.moved.append(Move(row, row.due_on, row.provisional))
                if _missed(row, want, at):
                    row.missed_on = [*row.missed_on, row.due_on.isoformat()]
            row.due_version += 1
            row.alerted_level = ""
            _start(row, want, first_alert)
            if moved:
                detail = {"before": before, "after": _counted(row), "why": why}
                found.events.append(Event("期限变更", name, detail))
        row.suspended = want.suspended
        if (row.open or want.open) and (row.person, row.email) != (want.person, want.email):
            found.events.append(
                Event("责任人变更", name, {"before": row.person, "after": want.person})
            )
            row.person, row.email = want.person, want.email
        ended = (want.met_on, want.met_at, want.closed_on)
        if (row.met_on, row.met_at, row.closed_on) != ended:
            row.met_on, row.met_at, row.closed_on = ended
            row.closed_why = want.closed_why
            found.events.append(_ended(row, name))
    for row in left.values():
        if row.open:
            row.closed_on, row.closed_why = at.date(), "事实更正后不再需要"
            found.events.append(_ended(row, f"{DUTY_NAMES[row.duty]} {row.object}"))
    return found


def _moved(row: Obligation, want: Wanted) -> bool:
    if (row.started_on, row.started_at) != (want.started_on, want.started_at):
        return True
    due = want.due
    counted = (row.due_on, row.due_at, row.provisional) != (due.on, due.at, due.provisional)
    return (row.open or want.open) and counted


def _missed(row: Obligation, want: Wanted, at: datetime) -> bool:
    """Whether the row's due day was missed, by what was known until now or by what is known now."""
    if row.started_at is not None:
        if row.closed_on is not None:  # and not owed since
            return row.closed_on > row.due_on
        return max(row.met_at or at, want.met_at or at) > row.due_at
    day = at.date()
    return (
        max(row.met_on or row.closed_on or day, want.met_on or want.closed_on or day) > row.due_on
    )


def _start(row: Obligation, want: Wanted, first_alert: Callable[[Due], date]) -> None:
    row.about, row.department = want.about, want.department
    row.person, row.email = want.person, want.email
    row.started_on, row.started_at, row.source = want.started_on, want.started_at, want.source
    row.working_days, row.natural_days, row.hours = want.working_days, want.natural_days, want.hours
    row.due_on, row.due_at = want.due.on, want.due.at
    row.provisional, row.calendar_version = want.due.provisional, want.due.calendar_version
    if want.started_at is None:
        row.next_alert_on, row.next_alert_at = first_alert(want.due), None
    else:  # looked at from its first minute on, days off included
        row.next_alert_on, row.next_alert_at = None, want.started_at


def _counted(row: Obligation) -> dict[str, Any]:
    by_the_clock = {
        "started_at": row.started_at,
        "natural_days": row.natural_days,
        "hours": row.hours,
        "due_at": row.due_at,
    }
    return {
        **(by_the_clock if row.started_at else {}),
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
        detail = {"met_on": row.met_on, "due_on": row.due_on, "late": row.late}
        if row.met_at is not None:
            detail |= {"met_at": row.met_at, "due_at": row.due_at}
        return Event("期限完成", name, detail)
    if row.closed_on is not None:
        return Event("期限终止", name, {"closed_on": row.closed_on, "why": row.closed_why})
    return Event("期限恢复", name, {"due_on": row.due_on, "version": row.due_version})
