"""Reports of a refusal to sign (拒签报告), entered once they are made."""

from collections.abc import Sequence
from datetime import datetime

from models.entry import EntryRefused
from models.refusal import RefusalEntry, RefusalReport, check_refusal
from tasks.desk import desk


def report_refusals(entries: Sequence[RefusalEntry], at: datetime) -> set[str]:
    """Enter that refusals were reported (安全生产法 68); returns the rounds concerned.

    All or nothing; EntryRefused says what is wrong.
    """
    with desk([entry.inspection for entry in entries]) as taken:
        for entry in entries:
            _, inspection = taken.find(entry.inspection)
            check_refusal(entry, inspection.attestation, inspection.ended_on, at.date())
            if inspection.refusal is not None:
                known = inspection.refusal
                raise EntryRefused(
                    f"{inspection.code} 已登记拒签报告（{known.reported_on}，{known.document}）"
                )
            inspection.refusal = RefusalReport(
                reported_on=entry.reported_on,
                receiving=entry.receiving,
                document=entry.document,
                entered_by=entry.entered_by,
                entered_at=at,
            )
            taken.note(inspection, "登记拒签报告", inspection.code, entry, entry.entered_by)
        return taken.settle(at)
