"""When a term ends, and every day that was counted or skipped on the way."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from calendars.day import SHANGHAI, DayNote, shanghai_day, weekday_of
from calendars.term import Extension, Suspension, Term, Unit

if TYPE_CHECKING:
    from calendars.calendar import WorkingCalendar

Grant = Suspension | Extension
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A due date that explains itself (期限).

    `due_at` is an aware Asia/Shanghai time: 24:00 of `due_on`, written as 00:00 of the next day,
    or the end of business where the caller gave one. Overdue from the day after `due_on`
    (民法典 201, 203; 行政处罚法 85). `provisional` (暂定): a day of it lies where next year's
    notice may still change things. `days` are the days from the event to the due day, counted and
    skipped, in the order counted; empty for hours and fixed dates. `without_effect` are grants
    that came after the duty was overdue.
    """

    due_on: date
    due_at: datetime
    provisional: bool
    calendar_version: str
    days: tuple[DayNote, ...]
    event_day: date
    term: Term
    without_effect: tuple[Grant, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON: dates as ISO text, the term under `working_days`, `calendar_days`, …"""
        amount = self.term.amount
        return {
            "event_day": self.event_day.isoformat(),
            _KEYS[self.term.unit]: amount if isinstance(amount, int) else amount.isoformat(),
            "due_on": self.due_on.isoformat(),
            "due_at": self.due_at.isoformat(),
            "provisional": self.provisional,
            "calendar_version": self.calendar_version,
            "days": [
                {
                    "date": note.date.isoformat(),
                    "weekday": note.weekday,
                    "number": note.number,
                    "reason": note.reason,
                }
                for note in self.days
            ],
        }


_KEYS = {
    Unit.WORKING_DAYS: "working_days",
    Unit.CALENDAR_DAYS: "calendar_days",
    Unit.NATURAL_DAYS: "natural_days",
    Unit.HOURS: "hours",
    Unit.FIXED_DATE: "fixed_date",
}


def due(
    calendar: "WorkingCalendar",
    event: date | datetime,
    term: Term,
    *,
    closes_at: time | None = None,
    grants: Iterable[Grant] = (),
) -> Deadline:
    """The deadline of `term` from `event` by `calendar`; see `WorkingCalendar.due`."""
    grants = sorted(grants, key=lambda grant: grant.approved_on)
    if grants and (term.unit in (Unit.HOURS, Unit.FIXED_DATE) or term.count < 0):
        raise ValueError(f"{term}不能中止或延期")
    if term.unit is Unit.HOURS:
        return _hours(calendar, event, term)
    standing: list[Grant] = []
    late: list[Grant] = []
    deadline = _days(calendar, shanghai_day(event), term, closes_at, standing)
    for grant in grants:
        # Approved after the due day, it finds the duty overdue already, and leaves it so.
        if grant.approved_on > deadline.due_on:
            late.append(grant)
        else:
            standing.append(grant)
            deadline = _days(calendar, shanghai_day(event), term, closes_at, standing)
    return replace(deadline, without_effect=tuple(late)) if late else deadline


def _hours(calendar: "WorkingCalendar", event: date | datetime, term: Term) -> Deadline:
    """By the clock, days off included, from the event's minute on (民法典 201)."""
    if not isinstance(event, datetime):
        raise ValueError(f"按小时计的期限需要起始时刻：{event.isoformat()}")
    event_day = shanghai_day(event)
    start = event.astimezone(SHANGHAI).replace(second=0, microsecond=0)
    due_at = start + timedelta(hours=term.count)
    due_on = (due_at - timedelta(minutes=1)).date()
    return Deadline(due_on, due_at, False, calendar.version, (), event_day, term)


def _days(
    calendar: "WorkingCalendar",
    event_day: date,
    term: Term,
    closes_at: time | None,
    grants: list[Grant],
) -> Deadline:
    notes: tuple[DayNote, ...] = ()
    if isinstance(term.amount, date):
        due_on = term.amount
    else:
        notes = tuple(_notes(calendar, event_day, term, grants))
        due_on = notes[-1].date
    return Deadline(
        due_on,
        end_of(due_on, closes_at),
        # No notice can move a term that counts days off like any other.
        term.unit is not Unit.NATURAL_DAYS
        and any(note.date > calendar.firm_through for note in notes),
        calendar.version,
        notes,
        event_day,
        term,
    )


def end_of(day: date, closes_at: time | None = None) -> datetime:
    """The end of `day` in Asia/Shanghai: 24:00 (00:00 of the next day), or `closes_at`."""
    if closes_at is None:
        return datetime.combine(day + _DAY, time(0), tzinfo=SHANGHAI)
    if closes_at.tzinfo is not None:
        raise ValueError("下班时间按北京时间给出，不带时区")
    return datetime.combine(day, closes_at, tzinfo=SHANGHAI)


def _notes(
    calendar: "WorkingCalendar", event_day: date, term: Term, grants: list[Grant]
) -> Iterator[DayNote]:
    """Each day after (before, if counted backwards) the event through the due day."""
    suspensions = [grant for grant in grants if isinstance(grant, Suspension)]
    # Which extension gave the n-th day: the ordinary ones none, later ones theirs in turn.
    given = [""] * abs(term.count)
    for grant in grants:
        if isinstance(grant, Extension):
            given += [grant.reason] * grant.amount
    every_day = term.unit in (Unit.CALENDAR_DAYS, Unit.NATURAL_DAYS)
    moves = term.unit is not Unit.NATURAL_DAYS
    step = _DAY if term.count > 0 else -_DAY
    number, day, working = 0, event_day, False
    while number < len(given) or (moves and not working):
        day += step
        working, reason = calendar.ruling(day)
        suspension = next((each for each in suspensions if each.covers(day)), None)
        if suspension:
            working, reason = False, suspension.reason
        elif number < len(given):
            if working or every_day:
                if given[number]:
                    reason += f"，{given[number]}"
                number += 1
                yield DayNote(day, weekday_of(day), number, reason)
                continue
        else:
            reason += "，期限末日顺延至此" if working else "，期限末日顺延"
        yield DayNote(day, weekday_of(day), None, reason)


def explain(deadline: Deadline) -> str:
    """The deadline for people to read: the term, a line a day, the due day."""
    if deadline.term.unit is Unit.HOURS:
        begun = deadline.due_at - timedelta(hours=deadline.term.count)
        return (
            f"自 {_named(begun.date())} {begun:%H:%M} 起 {deadline.term}，休息日照计\n"
            f"到期 {_named(deadline.due_at.date())} {deadline.due_at:%H:%M}"
        )
    lines = [f"起始日 {_named(deadline.event_day)}，不计入；期限 {deadline.term}"]
    for note in deadline.days:
        number = f"第 {note.number} 日" if note.number else "不计"
        lines.append(f"{_named(note.date)} {number}：{note.reason}")
    lines += [f"逾期后批准，不生效：{grant.reason}" for grant in deadline.without_effect]
    state = "（暂定）" if deadline.provisional else ""
    lines.append(f"到期日 {_named(deadline.due_on)}{state}；日历版本 {deadline.calendar_version}")
    return "\n".join(lines)


def _named(day: date) -> str:
    return f"{day}（{weekday_of(day)}）"
