"""The ledger over a whole office: what happened is in it, and nobody changes it unseen."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, text

from models.base import SHANGHAI
from models.database import reading, writing
from models.ledger import Event, LedgerEntry, append
from models.mail import Mail
from tasks import ledger
from tasks.inspection import record_inspections
from tasks.mail import deliver
from tasks.obligation import sweep

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


def test_entries_cut_off_at_the_end_are_found_by_whoever_kept_a_digest() -> None:
    at = datetime(2024, 7, 11, 9, tzinfo=SHANGHAI)
    sweep(at.date(), at)
    deliver(at)
    with reading() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "digest")).first()
        assert mail is not None
    kept = re.search(r"台账末条：第 (\d+) 条，摘要 ([0-9a-f]{64})", mail.text)
    assert kept is not None
    assert kept[0] in re.sub("<[^>]*>", "", mail.html)
    number, digest = int(kept[1]), kept[2]
    assert ledger.holds(number, digest)
    with writing() as session:
        session.execute(text("DROP TRIGGER ledger_no_delete"))
        session.execute(text("DELETE FROM ledger WHERE id >= :id - 3"), {"id": number})
    assert ledger.verify()[1] is None  # what is left is whole in itself
    assert not ledger.holds(number, digest)
    with writing() as session:  # and others in their place are not those
        append(session, at, "别人", [Event("登记", str(n), {}) for n in range(10)])
    assert ledger.verify()[1] is None
    assert not ledger.holds(number, digest)
