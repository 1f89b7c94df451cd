"""Alerts: which level of which duty is told to whom, on which working day, and only once."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from typing import Generic, TypeVar

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from calendars import WorkingCalendar
from calendars.reminder import PROVISIONAL_LEAD
from models.base import Base, Code, Key, Line
from models.leave import Absences, Leave
from models.mail import usable
from models.obligation import Obligation
from models.plan import AlertLevel, Level, Plan, Role
from models.reconciliation import Due

When = TypeVar("When", date, datetime)
Told = TypeVar("Told", bound=Level)


class Alert(Base):
    """One level of one version of a due day, told to one role (提醒). Its recipient never changes.

    Without a mail it was skipped: it fell due while no sweep ran, and a later level took its place.
    """

    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("obligation_id", "due_version", "level", "role"),)

    id: Mapped[Key]
    obligation_id: Mapped[int] = mapped_column(ForeignKey("obligation.id"))
    due_version: Mapped[int]
    level: Mapped[Code]
    name: Mapped[Line]
    role: Mapped[Role] = mapped_column(String(64))
    recipient: Mapped[Line]
    email: Mapped[Line]
    why: Mapped[Line] = mapped_column(default="")  # why somebody else is told
    raised_on: Mapped[date]
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id"), index=True)

    @property
    def skipped(self) -> bool:
        """Recorded, but never mailed."""
        return self.mail_id is None


class Sweep(Base):
    """A finished sweep, for the watchdog and against older ones that come late."""

    __tablename__ = "sweep"

    id: Mapped[Key]
    as_of: Mapped[date] = mapped_column(index=True)
    finished_at: Mapped[datetime]
    obligations: Mapped[int]
    alerts: Mapped[int]
    skipped: Mapped[int]
    mails: Mapped[int]


@dataclass(frozen=True, slots=True)
class Step(Generic[When]):
    """One level on its day, or at its minute. Repeated ones are numbered: weekly-1, weekly-2, …"""

    level: str
    name: str
    on: When
    to: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Fallen(Generic[When]):
    """The steps that fell due, in order, and when the next one does (None: no more)."""

    steps: tuple[Step[When], ...]
    next_on: When | None

    @classmethod
    def through(cls, steps: Iterator[Step[When]], until: When) -> "Fallen[When]":
        """Those of `steps` that fell due until then, that moment included."""
        due: list[Step[When]] = []
        for step in steps:
            if step.on > until:
                return cls(tuple(due), step.on)
            due.append(step)
        return cls(tuple(due), None)

    def told(self) -> Iterator[tuple[Step[When], Role, bool]]:
        """Each step with each of its roles, and whether it is mailed.

        A role is told its latest step alone: no burst after an outage, yet a department head
        whose step was overtaken by one that does not address heads still hears of it.
        """
        latest = {role: step for step in self.steps for role in step.to}
        for step in self.steps:
            for role in step.to:
                yield step, role, latest[role] is step


def _day(calendar: WorkingCalendar, due_on: date, offset: int) -> date:
    if offset == 0:  # the last working day on or before it
        return calendar.add_working_days(due_on + timedelta(days=1), -1)
    return calendar.add_working_days(due_on, offset)


def steps(
    due_on: date,
    provisional: bool,
    levels: Sequence[AlertLevel],
    calendar: WorkingCalendar,
    after: str = "",
) -> Iterator[Step[date]]:
    """The steps that follow the one named `after`, in order; without end where the last repeats.

    Days are counted in working days from the due day, beyond the notices known by the statutory
    days alone; a provisional due day is taken 7 calendar days earlier. A level that the plan does
    not know any more counts as none.
    """
    calendar = calendar.provisional
    counted_from = due_on - PROVISIONAL_LEAD if provisional else due_on
    return stepped(
        levels, after, lambda level, more: _day(calendar, counted_from, level.offset + more)
    )


def stepped(
    levels: Sequence[Told], after: str, when: Callable[[Told, int], When]
) -> Iterator[Step[When]]:
    """The steps that follow the one named `after`; `when` a level falls due, and so much later."""
    last = levels[-1]
    for number in count(_number(after, levels) + 1):
        if number < len(levels) - 1 or (number == len(levels) - 1 and not last.every):
            level = levels[number]
            yield Step(level.level, level.name, when(level, 0), level.to)
        elif last.every:
            again = number - len(levels) + 1
            on = when(last, again * last.every)
            yield Step(f"{last.level}-{again + 1}", last.name, on, last.to)
        else:
            return


def _number(name: str, levels: Sequence[Level]) -> int:
    """The place of a step in the order of steps; -1 for none."""
    for number, level in enumerate(levels):
        repeat = name.removeprefix(f"{level.level}-")
        if level.every and repeat != name and repeat.isdecimal():
            return number + int(repeat) - 1
        if name == level.level:
            return number
    return -1


def fallen(
    due_on: date,
    provisional: bool,
    alerted_level: str,
    as_of: date,
    levels: Sequence[AlertLevel],
    calendar: WorkingCalendar,
) -> Fallen[date]:
    """What fell due after `alerted_level` through `as_of`."""
    return Fallen.through(steps(due_on, provisional, levels, calendar, alerted_level), as_of)


def first_alert_on(due: Due, plan: Plan, calendar: WorkingCalendar) -> date:
    """The day of the first level. It may be past already: the sweep then makes up for it."""
    return next(steps(due.on, due.provisional, plan.alerts, calendar)).on


def next_alert_on(row: Obligation, plan: Plan, calendar: WorkingCalendar) -> date | None:
    """The day of the level after the one alerted; None where no more follow.

    A notice or a new version of the plan may have moved it while the due day stayed.
    """
    following = steps(row.due_on, row.provisional, plan.alerts, calendar, row.alerted_level)
    step = next(following, None)
    return step.on if step else None


# ---- to whom -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told, and why it is not the person whose duty it is (`redirected`, or a delegate)."""

    name: str
    email: str
    why: str = ""
    redirected: bool = False


def recipient(
    role: Role,
    responsible: tuple[str, str],
    department: str,
    plan: Plan,
    away: Absences,
    refused: AbstractSet[str],
) -> Recipient:
    """Who is told in that role: the person, who acts for them, their head, or the coordinator.

    `responsible` is name and address; `refused` holds addresses that mail servers have lately
    refused for good. The coordinator is always told, unless somebody acts for them.
    """
    head = next((d.head for d in plan.departments if d.code == department), plan.coordinator)
    chain: dict[Role, tuple[str, str]] = {
        "responsible": responsible,
        "head": (head.name, head.email),
        "coordinator": (plan.coordinator.name, plan.coordinator.email),
    }
    why = ""
    for link in list(chain)[list(chain).index(role) :]:
        name, email = chain[link]
        office = link == "coordinator"
        leave = away.get(("" if office else department, name))
        fault = _unable(leave, away, refused) if leave else _fault(name, email, refused)
        if leave and not fault:
            why = reasons(why, f"{name}请假，{leave.acting}")
            return Recipient(leave.delegate, leave.delegate_email, why, redirected=link != role)
        if office or not fault:
            return Recipient(name, email, why, redirected=link != role)
        why = reasons(why, fault)
    raise AssertionError("the coordinator ends every chain")


def _unable(leave: Leave, away: Absences, refused: AbstractSet[str]) -> str:
    """Why nobody acts for one who is away; empty where somebody does."""
    if (leave.department, leave.delegate) in away:
        return f"{leave.person}请假，代办人{leave.delegate}也请假"
    address = leave.delegate_email
    if not usable(address) or address.lower() in refused:
        return f"{leave.person}请假，无人代办"
    return ""


def _fault(name: str, email: str, refused: AbstractSet[str]) -> str:
    if not name:
        return "尚无责任人"
    if not email:
        return f"{name}没有邮箱"
    if not usable(email):
        return f"{name}的邮箱无效"
    if email.lower() in refused:
        return f"{name}的邮箱近日无法送达"
    return ""


def reasons(*given: str) -> str:
    """Why somebody else is told, in one line; the same reason once."""
    return "；".join(dict.fromkeys(filter(None, given)))
