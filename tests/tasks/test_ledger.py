"""The ledger over a whole office: what happened is in it, and nobody changes it unseen."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, text

from models.base import SHANGHAI
from models.database import reading, writing
from models.ledger import LedgerEntry
from tasks import ledger
from tasks.inspection import record_inspections

pytestmark = pytest.mark.usefixtures("drawn")


def test_a_draw_is_in_the_ledger_from_commitment_to_seal() -> None:
    with reading() as session:
        told = session.scalars(
            select(LedgerEntry.action)
            .where(LedgerEntry.subject == "2024-1-D")
            .order_by(LedgerEntry.id)
        ).all()
    assert [action for action in told if action in ("公布承诺", "冻结", "抽取封存")] == [
        "公布承诺",
        "冻结",
        "抽取封存",
    ]
    count, bad = ledger.verify()
    assert (count > 50, bad) == (True, None)


def test_an_entry_changed_in_the_middle_is_found(sheet: Callable[..., Any]) -> None:
    at = datetime(2024, 7, 10, 9, tzinfo=SHANGHAI)
    record_inspections([sheet("2024-1-D01", "yjglj", 10)], at)
    with writing() as session:
        number = session.scalars(
            select(LedgerEntry.id).where(LedgerEntry.action == "登记检查记录")
        ).one()
        session.execute(text("DROP TRIGGER ledger_no_update"))
        session.execute(text("UPDATE ledger SET detail = '{}' WHERE id = :id"), {"id": number})
    count, bad = ledger.verify()
    assert bad == number
    assert count > number
