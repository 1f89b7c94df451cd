"""Inspections: found by code, recorded by department, given up only with an approval."""

from collections.abc import Sequence
from datetime import date, datetime

from models import ledger
from models.database import writing
from models.entry import EntryRefused, not_after
from models.ledger import Event
from models.record import RecordEntry, apply_record
from tasks.desk import desk, find
from tasks.duty import settle


def record_inspections(entries: Sequence[RecordEntry], at: datetime) -> set[str]:
    """Let record sheets stand as they are entered (§六.5, 七.1); returns the rounds concerned.

    All or nothing: EntryRefused names the inspection and what to do. A record that was there is
    kept in the ledger, word by word.
    """
    with desk([entry.inspection for entry in entries]) as taken:
        for entry in entries:
            round, inspection = taken.find(entry.inspection)
            plan = round.plan_version.plan
            try:
                record = apply_record(plan, inspection, entry, at.date(), at)
            except EntryRefused as refused:
                raise EntryRefused(f"{entry.inspection} {entry.department}：{refused}") from refused
            name = f"{inspection.code}/{record.department}"
            action = "更正检查记录" if record.version > 1 else "登记检查记录"
            taken.note(inspection, action, name, entry, entry.entered_by)
        return taken.settle(at)


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
        if inspection.dropped_on is not None:
            raise EntryRefused(f"{code} 已登记为未实施（{inspection.dropped_document}）")
        inspection.dropped_on, inspection.dropped_why = on, reason
        inspection.dropped_by, inspection.dropped_document = approved_by, document
        detail = {"reason": reason, "approved_by": approved_by, "document": document, "on": on}
        ledger.append(session, at, approved_by, [Event("未实施", code, detail)])
        settle(session, round, at, [inspection], approved_by)
        round.version += 1
        return round.code
