"""Suspected crime: its report, the head's decision and the transfer, entered as they come."""

from collections.abc import Sequence
from datetime import datetime

from models.crime import CrimeEntry, apply_crime
from models.entry import EntryRefused
from models.record import department_of
from tasks.desk import desk


def enter_crimes(entries: Sequence[CrimeEntry], at: datetime) -> set[str]:
    """Enter what is known of suspected crimes (国务院令第310号 第五条); returns the rounds.

    All or nothing; EntryRefused says what is wrong.
    """
    with desk([entry.inspection for entry in entries]) as taken:
        for entry in entries:
            round, inspection = taken.find(entry.inspection)
            department = department_of(round.plan_version.plan, entry.department)
            record = inspection.record(department.code)
            name = f"{inspection.code}/{record.department}"
            if inspection.dropped_on is not None:
                raise EntryRefused(f"{name} 已登记为未实施，没有可以移送的发现")
            sealed_at = inspection.draw.sealed_at
            drawn_on = sealed_at.date() if sealed_at else None
            try:
                record.crime = apply_crime(record.crime, entry, department, drawn_on, at)
            except EntryRefused as refused:
                raise EntryRefused(f"{name}：{refused}") from refused
            taken.note(inspection, "登记涉嫌犯罪移送", name, entry, entry.entered_by)
        return taken.settle(at)
