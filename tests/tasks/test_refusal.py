"""A refusal to sign is reported: owed by the leader once, met by the day it was."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from calendars import Extension
from models.base import SHANGHAI
from models.database import reading
from models.entry import EntryRefused
from models.ledger import LedgerEntry
from models.obligation import Obligation
from models.record import RecordEntry
from models.refusal import RefusalEntry
from tasks.grant import grant_time
from tasks.inspection import record_inspections
from tasks.refusal import report_refusals

CODE = "2024-1-D02"
REFUSED = {"attestation": "拒签", "attestation_note": "负责人拒绝签字，执法人员当场说明"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}T09:00").replace(tzinfo=SHANGHAI)


def entry(**changed: Any) -> RefusalEntry:
    given = {
        "inspection": CODE,
        "reported_on": date(2024, 7, 10),
        "receiving": "区应急管理局",
        "document": "拒签报告1号",
        "entered_by": "张三",
    }
    return RefusalEntry(**(given | changed))


@pytest.fixture
def refused(recorded: Any, sheet: Callable[..., RecordEntry]) -> Any:
    """The recorded office, D02's sheet refused on Tuesday, 9 July."""
    record_inspections([sheet(CODE, **REFUSED)], at("07-09"))
    return recorded


def owed() -> Obligation:
    with reading() as session:
        query = select(Obligation).where(Obligation.duty == "report_refusal")
        return session.scalars(query).one()


def test_a_refusal_owes_a_report_within_two_working_days(refused: Any) -> None:
    row = owed()
    assert (row.object, row.department, row.due_on) == (CODE, "yjglj", date(2024, 7, 11))
    assert row.open


def test_the_report_meets_it_on_its_own_day_and_is_in_the_ledger(refused: Any) -> None:
    assert report_refusals([entry()], at("07-15")) == {"2024-1"}
    assert owed().met_on == date(2024, 7, 10)
    with reading() as session:
        (row,) = session.scalars(select(LedgerEntry).where(LedgerEntry.action == "登记拒签报告"))
    assert (row.subject, row.detail["document"]) == (CODE, "拒签报告1号")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"inspection": "2024-1-D01"}, "没有登记拒签"),
        ({"inspection": "2024-1-D03"}, "没有登记拒签"),  # not visited at all
        ({"reported_on": date(2024, 7, 8)}, "早于检查结束日期 2024-07-09"),
        ({"reported_on": date(2024, 7, 16)}, "还没有到"),
    ],
)
def test_what_cannot_be_is_sent_back(refused: Any, changed: dict[str, Any], said: str) -> None:
    before = refused.rows()
    with pytest.raises(EntryRefused, match=said):
        report_refusals([entry(**changed)], at("07-15"))
    assert refused.rows() == before


def test_it_is_reported_once(refused: Any) -> None:
    report_refusals([entry()], at("07-15"))
    with pytest.raises(EntryRefused, match="已登记拒签报告（2024-07-10，拒签报告1号）"):
        report_refusals([entry()], at("07-16"))


def test_a_corrected_signature_needs_no_report_any_more(
    refused: Any, sheet: Callable[..., RecordEntry]
) -> None:
    record_inspections([sheet(CODE, correction="被检查单位补签")], at("07-10"))
    assert (owed().closed_on, owed().closed_why) == (date(2024, 7, 10), "事实更正后不再需要")


def test_the_report_may_be_extended_like_any_counted_term(refused: Any) -> None:
    longer = Extension(3, "批〔2024〕7号", "细则第12条", "应急局负责人", date(2024, 7, 10))
    assert grant_time("report_refusal", CODE, longer, "李四", at("07-10")) == "2024-1"
    assert (owed().due_on, owed().due_version) == (date(2024, 7, 16), 2)
