"""Record sheets: blank for the visit, filled in for the file."""

from datetime import datetime

from sqlalchemy import select

from models.database import reading, writing
from models.inspection import DepartmentRecord, Inspection
from models.paper import DepartmentRecord as PrintedRecord
from models.paper import ItemRecord, Measure, RecordSheet, TeamMember
from models.plan import Plan
from models.round import Round
from tasks import filing
from tasks.inspection import with_round
from tasks.round import lock


def prepare_record_sheets(code: str, at: datetime) -> int:
    """File each inspection's record sheet (检查情况记录表); version 0 is blank, for the visit.

    Each further one shows what all departments have recorded by then. Returns how many are new.
    """
    with reading() as session:
        round = with_round(session, code)
        known = filing.filed(session, round, RecordSheet.kind)
        drafts = [
            filing.Draft(_sheet(round, inspection), inspection.code, version)
            for inspection in session.scalars(
                select(Inspection).where(Inspection.round_id == round.id).order_by(Inspection.id)
            )
            for version in _due(inspection)
            if (inspection.code, version) not in known
        ]
    made = filing.make(code, drafts)
    if not made:
        return 0
    with writing() as session:
        return len(filing.enter(session, lock(session, code), made, at.date()))


def _due(inspection: Inspection) -> list[int]:
    if inspection.dropped_on is not None:
        return []
    if all(record.version == 0 for record in inspection.records):
        return [0]
    if all(record.version for record in inspection.records):
        return [sum(record.version for record in inspection.records)]
    return []


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
