"""Planned visits: on which day each inspection is to take place."""

from datetime import date

from calendars import WorkingCalendar
from models.plan import PlannedRound

# Days left at the end of the window for visits that fall through.
RESERVE = 10


def planned_visits(planned: PlannedRound, count: int, calendar: WorkingCalendar) -> list[date]:
    """The day of each of `count` visits, in draw order: working days from `visits_from` on.

    As many a day as the plan says, or more where the window, less a reserve, has too few days.
    """
    if not count:
        return []
    days = calendar.provisional
    first = planned.visits_from
    if not days.is_working_day(first):
        first = days.add_working_days(first, 1)
    room = max(1, days.count_working_days(first, planned.ends_on) - RESERVE)
    per_day = max(planned.visits_per_day, -(-count // room))
    found = [first]
    while len(found) * per_day < count:
        found.append(days.add_working_days(found[-1], 1))
    return [found[number // per_day] for number in range(count)]
