"""Record sheets: blank for the visit, filled in for the file."""

from datetime import datetime

from sqlalchemy import Select, case, exists, func, or_, select

from models.database import reading, writing
from models.draw import TeamMember as TeamPlace
from models.inspection import DepartmentRecord, Inspection
from models.paper import DepartmentRecord as PrintedRecord
from models.paper import ItemRecord, Measure, RecordSheet, TeamMember
from models.paper_file import PaperFile
from models.plan import Plan
from models.round import Round
from tasks import filing
from tasks.round import lock, with_round


def prepare_record_sheets(code: str, at: datetime) -> int:
    """File each inspection's record sheet (检查情况记录表); version 0 is blank, for the visit.

    Each further one shows what all departments have recorded by then. A team that changes before
    the visit gets another blank one: -1, -2, … Returns how many are new.
    """
    with reading() as session:
        round = with_round(session, code)
        drafts = [
            filing.Draft(_sheet(round, inspection), inspection.code, version)
            for inspection, version in session.execute(_due(round)).tuples()
        ]
    made = filing.make(code, drafts)
    if not made:
        return 0
    with writing() as session:
        return len(filing.enter(session, lock(session, code), made, at.date()))


def _due(round: Round) -> Select[tuple[Inspection, int]]:
    """Inspections whose sheet, blank or as all departments have recorded it, is not in the file."""
    version = func.sum(DepartmentRecord.version)
    changes = (
        select(-func.count())
        .where(
            TeamPlace.inspection_id == DepartmentRecord.inspection_id,
            TeamPlace.left_at.is_not(None),
        )
        .correlate(DepartmentRecord)
        .scalar_subquery()
    )
    recorded = (
        select(
            DepartmentRecord.inspection_id,
            case((version == 0, changes), else_=version).label("version"),
        )
        .join(Inspection)
        .where(Inspection.round_id == round.id, Inspection.dropped_on.is_(None))
        .group_by(DepartmentRecord.inspection_id)
        .having(or_(version == 0, func.min(DepartmentRecord.version) > 0))
        .subquery()
    )
    return (
        select(Inspection, recorded.c.version)
        .join(recorded, recorded.c.inspection_id == Inspection.id)
        .where(
            ~exists().where(
                PaperFile.kind == RecordSheet.kind,
                PaperFile.object == Inspection.code,
                PaperFile.version == recorded.c.version,
            )
        )
        .order_by(Inspection.id)
    )


def _sheet(round: Round, inspection: Inspection) -> RecordSheet:
    plan = round.plan_version.plan
    subject = inspection.subject_row
    names = {department.code: department.name for department in plan.departments}
    recorded = [record for record in inspection.records if record.version]
    return RecordSheet(
        drill=plan.drill,
        task_name=plan.title,
        task_number=round.task_number,
        subject_name=subject.name,
        subject_code=subject.code,
        address=subject.premises or subject.address,
        legal_representative=subject.legal_representative,
        legal_representative_phone="",
        liaison=subject.contact,
        liaison_phone=subject.phone,
        departments=tuple(_printed(plan, record) for record in inspection.records),
        inspectors=tuple(
            TeamMember(
                name=member.name,
                department=names[member.department],
                certificate=member.certificate,
                leader=member.leader,
            )
            for member in inspection.members()
        ),
        results=tuple(result.text for result in plan.results),
        methods=frozenset(method for record in recorded for method in record.methods),
        measures=tuple(
            Measure(name=measure["measure"], manner=measure["form"])
            for record in recorded
            for measure in record.measures
        ),
        signature=inspection.attestation or None,
        signed_on=inspection.ended_on,
        explanation=inspection.attestation_note,
        witness=inspection.witness,
        recorded_on=max((r.recorded_on for r in recorded if r.recorded_on), default=None),
    )


def _printed(plan: Plan, record: DepartmentRecord) -> PrintedRecord:
    results = {result["item"]: result for result in record.results}
    rows = []
    for item in plan.items_of(record.department):
        found = results.get(item.code)
        rows.append(
            ItemRecord(item=item.name)
            if found is None
            else ItemRecord(
                item=item.name,
                finding=found["problem"],
                result=plan.result(found["result"]).text,
                disposal=found["disposal"] or record.order_text,
            )
        )
    return PrintedRecord(department=plan.department(record.department).name, rows=tuple(rows))
