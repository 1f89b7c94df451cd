"""What must be remembered while a year's notice is not out."""

from datetime import date, timedelta

from calendars.deadline import Deadline

# Alerts on a provisional date come this much earlier: a notice may still bring it forward.
PROVISIONAL_LEAD = timedelta(days=7)


def alert_base(deadline: Deadline) -> date:
    """The day alerts are counted from: the due day, 7 calendar days earlier while provisional."""
    return deadline.due_on - PROVISIONAL_LEAD if deadline.provisional else deadline.due_on


def notice_reminder(as_of: date, covered_through: date) -> str | None:
    """How to ask the coordinator for the next notice on `as_of`: 提醒, 加急 or not at all.

    Asked daily from 25 October of the last covered year, urgently from 1 December and for as long
    as the year that has begun is not covered.
    """
    year = covered_through.year
    if as_of >= date(year, 12, 1):
        return "加急"
    return "提醒" if as_of >= date(year, 10, 25) else None
