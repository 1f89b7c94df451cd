"""Planned visits: on which day each inspection is to take place."""

from datetime import date

from calendars import WorkingCalendar
from models.plan import PlannedRound

# Days left at the end of the window, of a short one half, for visits that fall through.
RESERVE = 10


def planned_visits(
    planned: PlannedRound, count: int, calendar: WorkingCalendar, ready_on: date | None = None
) -> list[date]:
    """The day of each of `count` visits, in draw order: working days from `visits_from` on.

    Not before `ready_on`, where the draw was so late that its notices would be too late.

    As many a day as the plan says, or more where the window, less a reserve, has too few days.
    """
    if not count:
        return []
    days = calendar.provisional
    first = days.first_working_day(max(planned.visits_from, ready_on or planned.visits_from))
    left = days.count_working_days(first, planned.ends_on)
    room = max(1, left - min(RESERVE, left // 2))
    per_day = max(planned.visits_per_day, -(-count // room))
    found = [first]
    while len(found) * per_day < count:
        found.append(days.add_working_days(found[-1], 1))
    return [found[number // per_day] for number in range(count)]
