"""The office's calendar: published years, imported notices, and local closures on top."""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from calendars import LocalClosure, WorkingCalendar
from models.database import migrate, reading
from models.holiday import ImportedNotice
from models.plan import Plan


def office_calendar(session: Session, plan: Plan | None = None) -> WorkingCalendar:
    """The calendar that counts today; with a plan, by the local closures that it names as well."""
    return _calendar(_rows(session), _closures(plan))


def calendar_of(session: Session, version: str, plan: Plan | None = None) -> WorkingCalendar:
    """The calendar of an earlier version: without the notices and closures that came after it.

    What is gone for good (an older `holidays`, a closure that the plan has dropped) cannot be had
    back: the `version` of what is returned is then another one.
    """
    rows = [row for row in _rows(session) if f"+{row.number}#" in version]
    closures = [each for each in _closures(plan) if f"+{each.order_number}#" in version]
    return _calendar(rows, closures)


def _rows(session: Session) -> list[ImportedNotice]:
    return list(session.scalars(select(ImportedNotice).order_by(ImportedNotice.id)))


def _closures(plan: Plan | None) -> list[LocalClosure]:
    return [
        LocalClosure(one.from_on, one.through_on, one.name, one.order)
        for one in (plan.closures if plan else ())
    ]


# By all that is laid on top: a calendar has some seven thousand days, and is built once for each
# set of notices and closures that this process has seen.
_built: dict[tuple[object, ...], WorkingCalendar] = {}


def _calendar(rows: Iterable[ImportedNotice], closures: Sequence[LocalClosure]) -> WorkingCalendar:
    # A year's notice imported once more takes the place of the one before, whatever their dates
    # say (one of them was wrong); amendments lie on top of their year.
    rows = sorted(rows, key=lambda row: (row.amends, row.id))
    key = (*((row.number, row.text, repr((row.off, row.work))) for row in rows), *closures)
    if key not in _built:
        calendar = WorkingCalendar.china()
        for row in rows:
            calendar = calendar.with_notices([row.notice])
        _built[key] = calendar.with_closures(closures)
    return _built[key]


def is_working_day(day: date) -> bool:
    """Whether the office works that day; beyond the known years, by the statutory days alone."""
    with reading() as session:
        return office_calendar(session).provisional.is_working_day(day)


def current_calendar() -> WorkingCalendar:
    """The office's calendar, its database brought up to date first."""
    migrate()
    with reading() as session:
        return office_calendar(session)
