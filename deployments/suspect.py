"""The one suspected crime of a rehearsal, which takes its course over a weekend."""

from datetime import date, timedelta

from sqlalchemy import select

from models.crime import CrimeEntry
from models.database import reading
from models.inspection import Inspection
from models.plan import Plan

# By the end of its code: one whose result is referred as well.
SUSPECTED = "1-D04"
FRIDAY = 4


def crimes(plan: Plan) -> list[tuple[date, CrimeEntry]]:
    """What is to be entered next of suspected crimes, and on which day.

    The report reaches the head on a Friday afternoon and is entered on Saturday; the head decides
    on Sunday, the case is handed over at once, and both are entered on Monday.
    """
    with reading() as session:
        inspections = session.scalars(
            select(Inspection).where(Inspection.code.endswith(SUSPECTED))
        ).all()
        return [found for one in inspections for found in _next(plan, one)]


def _next(plan: Plan, inspection: Inspection) -> list[tuple[date, CrimeEntry]]:
    department = plan.initiating
    record = inspection.record(department.code)
    if record.recorded_on is None or (record.crime and record.crime.transferred_at):
        return []
    friday = record.recorded_on + timedelta(days=(FRIDAY - record.recorded_on.weekday()) % 7)
    sunday = friday + timedelta(days=2)
    handlers = [member.name for member in inspection.members(department.code)][:2]
    report = {
        "inspection": inspection.code,
        "department": department.code,
        "reported_at": f"{friday} 16:30",
        "handlers": handlers,
        "entered_by": handlers[0],
    }
    if record.crime is None:
        return [(friday + timedelta(days=1), CrimeEntry.model_validate(report))]
    decided = {
        "decision": "批准",
        "decided_at": f"{sunday} 10:00",
        "decided_by": department.head.name,
        "transferred_at": f"{sunday} 16:00",
        "receiving": "平顶山市公安局卫东分局（演练）",
        "document": f"演练涉罪移〔{sunday.year}〕{inspection.code}号",
    }
    return [(sunday + timedelta(days=1), CrimeEntry.model_validate(report | decided))]
