"""Inspections: found by code, recorded by department, given up only with an approval."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import ledger
from models.database import writing
from models.entry import EntryRefused, not_after
from models.inspection import Inspection
from models.ledger import Event
from models.record import RecordEntry, apply_record
from models.round import Round
from tasks.duty import settle
from tasks.round import UnknownRound, lock


def with_round(session: Session, code: str) -> Round:
    """The round, for reading. Raises UnknownRound."""
    found = session.scalar(select(Round).where(Round.code == code))
    if found is None:
        raise UnknownRound(f"没有轮次“{code}”")
    return found


def find(session: Session, code: str) -> tuple[Round, Inspection]:
    """The inspection of that code, and its round, locked. EntryRefused where there is none."""
    round_code = session.scalar(select(Round.code).join(Inspection).where(Inspection.code == code))
    if round_code is None:
        raise EntryRefused(f"没有检查编号“{code}”，应如 2024-1-D03")
    round = lock(session, round_code)
    inspection = session.scalars(
        select(Inspection)
        .where(Inspection.code == code)
        .options(joinedload(Inspection.draw))
        .execution_options(populate_existing=True)
    ).one()
    return round, inspection


def record_inspections(entries: Sequence[RecordEntry], at: datetime) -> set[str]:
    """Let record sheets stand as they are entered (§六.5, 七.1); returns the rounds concerned.

    All or nothing: EntryRefused names the inspection and what to do. A record that was there is
    kept in the ledger, word by word.
    """
    rounds: set[str] = set()
    with writing() as session:
        for entry in entries:
            round, inspection = find(session, entry.inspection)
            plan = round.plan_version.plan
            try:
                record = apply_record(plan, inspection, entry, at.date(), at)
            except EntryRefused as refused:
                raise EntryRefused(f"{entry.inspection} {entry.department}：{refused}") from refused
            name = f"{inspection.code}/{record.department}"
            action = "更正检查记录" if record.version > 1 else "登记检查记录"
            event = Event(action, name, entry.model_dump(mode="json"))
            ledger.append(session, at, entry.entered_by, [event])
            settle(session, round, at, [inspection], entry.entered_by)
            round.version += 1
            rounds.add(round.code)
    return rounds


def drop_inspection(
    code: str, reason: str, approved_by: str, document: str, on: date, at: datetime
) -> str:
    """Give an inspection up (未实施); it stays in 应检查. Returns its round."""
    if not all(text.strip() for text in (reason, approved_by, document)):
        raise EntryRefused("未实施须写明原因、批准人和批准文件")
    not_after(on, at.date(), "批准日期")
    with writing() as session:
        round, inspection = find(session, code)
        if inspection.ended_on is not None:
            raise EntryRefused(f"{code} 已有检查记录，不能登记为未实施")
        inspection.dropped_on, inspection.dropped_why = on, reason
        inspection.dropped_by, inspection.dropped_document = approved_by, document
        detail = {"reason": reason, "approved_by": approved_by, "document": document, "on": on}
        ledger.append(session, at, approved_by, [Event("未实施", code, detail)])
        settle(session, round, at, [inspection], approved_by)
        round.version += 1
        return round.code
