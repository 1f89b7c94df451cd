"""Publications: prepared in the national system's shape, confirmed by each department."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from models import ledger
from models.database import reading, writing
from models.entry import EntryRefused, not_after, optional_day
from models.inspection import Inspection
from models.ledger import Event
from models.publication import Publication, PublicationEntry, national_record
from models.record import department_of
from models.settings import settings
from tasks.duty import settle
from tasks.inspection import find, with_round
from tasks.paper import write
from tasks.round import SYSTEM, lock


def prepare_publications(code: str, at: datetime) -> int:
    """Prepare each recorded result for publication (§八), and write one file a department.

    `publications/<round>/<department>.json` holds the department's records of the round so far.
    A correction prepares the record anew. Returns how many were prepared now.
    """
    prepared = []
    with writing() as session:
        round = lock(session, code)
        plan = round.plan_version.plan
        for inspection in session.scalars(
            select(Inspection)
            .where(Inspection.round_id == round.id, Inspection.ended_on.is_not(None))
            .order_by(Inspection.id)
        ):
            assert inspection.ended_on is not None
            for record in inspection.records:
                shown = record.publication.version if record.publication else 0
                if record.version == shown:
                    continue
                content = national_record(
                    plan,
                    round_number=round.number,
                    department=record.department,
                    subject_name=inspection.name,
                    subject_code=inspection.subject_code,
                    ended_on=inspection.ended_on,
                    results=record.results,
                )
                if record.publication is None:
                    record.publication = Publication(record_id=record.id)
                record.publication.content = content
                record.publication.version = record.version
                record.publication.prepared_on = at.date()
                prepared.append(f"{inspection.code}/{record.department}")
        events = [Event("制作公示内容", name, {}) for name in prepared]
        ledger.append(session, at, SYSTEM, events)
    _write_files(code)
    return len(prepared)


def _write_files(code: str) -> None:
    """One file a department; written again whenever its content is not what it should be."""
    with reading() as session:
        round = with_round(session, code)
        records: dict[str, list[object]] = {}
        for inspection in session.scalars(
            select(Inspection).where(Inspection.round_id == round.id).order_by(Inspection.id)
        ):
            for record in inspection.records:
                if record.publication is not None:
                    content = record.publication.content
                    records.setdefault(record.department, []).append(content)
    for department, contents in records.items():
        path = settings().publications_folder / code / f"{department}.json"
        text = json.dumps(contents, ensure_ascii=False, indent=2) + "\n"
        if not (path.exists() and path.read_text(encoding="utf-8") == text):
            write(path, text.encode())


def confirm_publications(entries: Sequence[PublicationEntry], at: datetime) -> set[str]:
    """Enter that departments entered (录入) and published (公示) results; returns the rounds.

    All or nothing; EntryRefused says what is wrong. Entered alone does not meet the duty.
    """
    rounds: set[str] = set()
    with writing() as session:
        for entry in entries:
            round, inspection = find(session, entry.inspection)
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
            publication.entered_on, publication.published_on = entry.entered_on, published_on
            publication.entered_by, publication.entered_at = entry.entered_by, at
            event = Event("登记公示", name, entry.model_dump(mode="json"))
            ledger.append(session, at, entry.entered_by, [event])
            settle(session, round, at, [inspection], entry.entered_by)
            round.version += 1
            rounds.add(round.code)
    return rounds
