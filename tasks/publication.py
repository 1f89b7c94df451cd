"""Publications: prepared in the national system's shape, confirmed by each department."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from models import ledger
from models.database import reading, writing
from models.entry import EntryRefused, not_after, optional_day
from models.inspection import DepartmentRecord, Inspection, unprepared
from models.ledger import Event
from models.publication import (
    Publication,
    PublicationEntry,
    PublicationVersion,
    national_record,
    publish,
)
from models.record import department_of
from models.round import Round
from models.settings import settings
from tasks.desk import desk
from tasks.paper import write
from tasks.round import SYSTEM, lock


def prepare_publications(code: str, at: datetime) -> int:
    """Prepare each recorded result for publication (§八), and write one file a department.

    `publications/<round>/<department>.json` holds the department's records of the round so far.
    A correction, also of the inspection's end by another department, prepares the record anew;
    the ledger keeps every version. Returns how many were prepared now.
    """
    events = []
    with writing() as session:
        round = lock(session, code)
        plan = round.plan_version.plan
        for inspection, record in session.execute(unprepared(round.id)).tuples():
            assert inspection.ended_on is not None
            publication = record.publication or Publication(record_id=record.id)
            record.publication = publication
            content = national_record(
                plan,
                round_number=round.number,
                department=record.department,
                subject_name=inspection.name,
                subject_code=inspection.subject_code,
                ended_on=inspection.ended_on,
                results=record.results,
            )
            corrections = (record.correction, *(one.correction for one in inspection.records))
            publication.prepare(content, at.date(), next(filter(None, corrections), ""))
            publication.version, publication.ended_on = record.version, inspection.ended_on
            name = f"{inspection.code}/{record.department}"
            detail = {"version": record.version, "content": publication.content}
            events.append(Event("制作公示内容", name, detail))
        ledger.append(session, at, SYSTEM, events)
    _write_files(code)
    return len(events)


def _write_files(code: str) -> None:
    """One file a department; written again whenever its content is not what it should be."""
    records: dict[str, list[object]] = {}
    with reading() as session:
        prepared = session.execute(
            select(DepartmentRecord.department, Publication.content)
            .join(Publication, Publication.record_id == DepartmentRecord.id)
            .join(Inspection, Inspection.id == DepartmentRecord.inspection_id)
            .join(Round, Round.id == Inspection.round_id)
            .where(Round.code == code)
            .order_by(DepartmentRecord.id)
        )
        for department, content in prepared:
            records.setdefault(department, []).append(content)
        for department, inspection, version in session.execute(_corrected(code)).tuples():
            records.setdefault(f"{department}-历次公示", []).append(
                {
                    "inspection": inspection,
                    "version": version.number,
                    "published_on": version.published_on and version.published_on.isoformat(),
                    "reason": version.reason,
                    "content": version.content,
                }
            )
    for name, contents in records.items():
        path = settings().publications_folder / code / f"{name}.json"
        text = json.dumps(contents, ensure_ascii=False, indent=2) + "\n"
        if not (path.exists() and path.read_text(encoding="utf-8") == text):
            write(path, text.encode())


def _corrected(code: str) -> Select[tuple[str, str, PublicationVersion]]:
    """Every version of the publications that were corrected after they had been public."""
    public, later = aliased(PublicationVersion), aliased(PublicationVersion)
    corrected = (
        select(public.publication_id)
        .join(later, later.publication_id == public.publication_id)
        .where(public.published_on.is_not(None), later.number > public.number)
    )
    return (
        select(DepartmentRecord.department, Inspection.code, PublicationVersion)
        .join(Publication, Publication.record_id == DepartmentRecord.id)
        .join(PublicationVersion, PublicationVersion.publication_id == Publication.id)
        .join(Inspection, Inspection.id == DepartmentRecord.inspection_id)
        .join(Round, Round.id == Inspection.round_id)
        .where(Round.code == code, Publication.id.in_(corrected))
        .order_by(DepartmentRecord.id, PublicationVersion.number)
    )


def confirm_publications(entries: Sequence[PublicationEntry], at: datetime) -> set[str]:
    """Enter that departments entered (录入) and published (公示) results; returns the rounds.

    All or nothing; EntryRefused says what is wrong. Entered alone does not meet the duty. What
    was public before stays readable beside what is now, with the reason of the correction.
    """
    with desk([entry.inspection for entry in entries]) as taken:
        for entry in entries:
            round, inspection = taken.find(entry.inspection)
            department = department_of(round.plan_version.plan, entry.department)
            record = inspection.record(department.code)
            name = f"{inspection.code}/{record.department}"
            published_on = optional_day(entry.published_on, f"{name} 公示日期")
            if record.publication is None or inspection.ended_on is None:
                raise EntryRefused(f"{name} 还没有检查记录，无从公示")
            for day, field in ((entry.entered_on, "录入日期"), (published_on, "公示日期")):
                not_after(day, at.date(), f"{name} {field}")
                if day is not None and day < inspection.ended_on:
                    raise EntryRefused(f"{name} {field} {day} 早于检查结束日 {inspection.ended_on}")
            if published_on is not None and published_on < entry.entered_on:
                raise EntryRefused(f"{name} 公示日期不能早于录入日期")
            publication = record.publication
            if publication.published_on is not None and published_on is None:
                raise EntryRefused(
                    f"{name} 已于 {publication.published_on} 公示；更正须一并填写公示日期"
                )
            if published_on is not None:
                try:
                    publish(publication, published_on, entry.correction)
                except EntryRefused as refused:
                    raise EntryRefused(f"{name} {refused}") from refused
            publication.entered_on = publication.entered_on or entry.entered_on
            publication.entered_by, publication.entered_at = entry.entered_by, at
            taken.note(inspection, "登记公示", name, entry, entry.entered_by)
        return taken.settle(at)
