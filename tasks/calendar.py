"""The office's calendar: published years, imported notices, and local closures on top."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from calendars import LocalClosure, WorkingCalendar
from models.database import reading
from models.holiday import ImportedNotice
from models.plan import Plan


def office_calendar(session: Session, plan: Plan | None = None) -> WorkingCalendar:
    """The calendar that counts today; with a plan, by the local closures that it names as well."""
    return _calendar(_rows(session), plan)


def calendar_of(session: Session, version: str, plan: Plan | None = None) -> WorkingCalendar:
    """The calendar of an earlier version: without the notices that came after it."""
    rows = [row for row in _rows(session) if f"+{row.number}#" in version]
    return _calendar(rows, plan)


def _rows(session: Session) -> list[ImportedNotice]:
    return list(session.scalars(select(ImportedNotice).order_by(ImportedNotice.id)))


# By the versions of what is laid on top: a calendar has some seven thousand days, and is built
# once for each set of notices that this process has seen.
_built: dict[tuple[str, ...], WorkingCalendar] = {}


def _calendar(rows: Sequence[ImportedNotice], plan: Plan | None) -> WorkingCalendar:
    closures = plan.closures if plan else ()
    key = (*(f"{row.number}{row.off}{row.work}" for row in rows), *map(repr, closures))
    if key not in _built:
        calendar = WorkingCalendar.china().with_notices(row.notice for row in rows)
        _built[key] = calendar.with_closures(
            LocalClosure(one.from_on, one.through_on, one.name, one.order) for one in closures
        )
    return _built[key]


def is_working_day(day: date) -> bool:
    """Whether the office works that day; beyond the known years, by the statutory days alone."""
    with reading() as session:
        return office_calendar(session).provisional.is_working_day(day)
