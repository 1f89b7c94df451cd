"""The one correction of a rehearsal, after its result has been public for some days."""

from datetime import date

from sqlalchemy import select

from calendars import WorkingCalendar
from models.database import reading
from models.inspection import DepartmentRecord, Inspection
from models.plan import Plan
from models.record import ItemEntry, MeasureEntry, RecordEntry

# By the end of its code: one that found nothing wrong.
CORRECTED = "1-D03"
# Working days after the publication on which the mistake is noticed.
NOTICED_AFTER = 3


def corrections(plan: Plan, calendar: WorkingCalendar) -> list[tuple[date, RecordEntry]]:
    """What is to be corrected of what is public, and on which day; once corrected, nothing.

    The initiating department had chosen one of the two results that find nothing wrong for the
    other, so that what was public is not what was found, and nothing else follows from it.
    """
    with reading() as session:
        inspections = session.scalars(
            select(Inspection).where(Inspection.code.endswith(CORRECTED))
        ).all()
        return [
            (calendar.add_working_days(published_on, NOTICED_AFTER), entry)
            for one in inspections
            if (record := one.record(plan.initiating.code)).version == 1
            and record.publication is not None
            and (published_on := record.publication.published_on) is not None
            and (entry := _corrected(plan, one, record)) is not None
        ]


def _corrected(plan: Plan, inspection: Inspection, record: DepartmentRecord) -> RecordEntry | None:
    first, *others = (ItemEntry.model_validate(result) for result in record.results)
    clean = [result for result in plan.results if result.clean]
    right = next((result for result in clean if result.code != first.result), None)
    if right is None or not plan.result(first.result).clean:
        return None
    assert inspection.ended_on is not None
    assert record.recorded_on is not None
    return RecordEntry(
        inspection=inspection.code,
        department=record.department,
        ended_on=inspection.ended_on,
        attestation=inspection.attestation,
        attestation_note=inspection.attestation_note,
        witness=inspection.witness,
        results=[first.model_copy(update={"result": right.code}), *others],
        measures=[MeasureEntry.model_validate(measure) for measure in record.measures],
        recorded_on=record.recorded_on,
        entered_by=record.entered_by,
        correction=f"复核检查记录：结果应为“{right.text}”，录入时选错（演练）",
    )
