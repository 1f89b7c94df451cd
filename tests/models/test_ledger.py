"""The ledger: it only grows, and tells where somebody changed it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.base import SHANGHAI
from models.database import reading, writing
from models.ledger import GENESIS, Event, LedgerEntry, append, digest, first_bad, plain
from tasks.ledger import verify

AT = datetime(2024, 7, 1, 9, 30, 15, 999_999, tzinfo=SHANGHAI)


@pytest.fixture
def ledger(database: Path) -> Callable[..., None]:
    def write(*actions: str) -> None:
        with writing() as session:
            append(session, AT, "张三", [Event(a, "2024-1", {"day": AT.date()}) for a in actions])

    return write


def tamper(*statements: str) -> None:
    """What somebody with the database in hand can do, triggers or not."""
    with writing() as session:
        session.execute(text("DROP TRIGGER ledger_no_update"))
        session.execute(text("DROP TRIGGER ledger_no_delete"))
        for statement in statements:
            session.execute(text(statement))


def test_each_entry_follows_from_the_one_before(ledger: Callable[..., None]) -> None:
    ledger("一", "二")
    ledger("三")
    with reading() as session:
        entries = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)).all()
    assert [entry.action for entry in entries] == ["一", "二", "三"]
    assert [entry.previous for entry in entries] == [GENESIS, entries[0].digest, entries[1].digest]
    assert entries[0].at == AT.replace(microsecond=0)
    assert entries[0].detail == {"day": "2024-07-01"}
    assert verify() == (3, None)


def test_an_empty_ledger_holds(ledger: Callable[..., None]) -> None:
    ledger()
    assert verify() == (0, None)


@pytest.mark.parametrize(
    "statement", [update(LedgerEntry).values(actor="李四"), delete(LedgerEntry)]
)
def test_the_database_itself_refuses_to_change_or_delete(
    ledger: Callable[..., None], statement: object
) -> None:
    ledger("一")
    with pytest.raises(IntegrityError, match="台账只能追加"), writing() as session:
        session.execute(statement)  # type: ignore[call-overload]
    assert verify() == (1, None)


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("UPDATE ledger SET actor = '李四' WHERE id = 2", 2),
        ('UPDATE ledger SET detail = \'{"day": "2024-07-02"}\' WHERE id = 3', 3),
        ("UPDATE ledger SET at = '2024-07-01 00:00:00.000000' WHERE id = 1", 1),
        ("UPDATE ledger SET digest = upper(digest) WHERE id = 4", 4),
        ("DELETE FROM ledger WHERE id = 2", 3),
        ("DELETE FROM ledger WHERE id = 1", 2),
        ("UPDATE ledger SET id = 9 WHERE id = 2", 3),
    ],
)
def test_tampering_is_found_at_the_first_entry_that_does_not_follow(
    ledger: Callable[..., None], statement: str, bad: int
) -> None:
    ledger("一", "二", "三", "四")
    tamper(statement)
    assert verify()[1] == bad


def test_a_forged_entry_breaks_the_chain_at_the_next(ledger: Callable[..., None]) -> None:
    ledger("一", "二", "三")
    with reading() as session:
        second = session.get_one(LedgerEntry, 2)
        forged = digest(second.previous, second.at, "李四", Event("二", "2024-1", second.detail))
    tamper(f"UPDATE ledger SET actor = '李四', digest = '{forged}' WHERE id = 2")
    assert verify() == (3, 3)


def test_what_is_rolled_back_leaves_no_entry(ledger: Callable[..., None]) -> None:
    ledger("一")

    def fail(session: Session) -> None:
        append(session, AT, "张三", [Event("二", "2024-1", {})])
        raise RuntimeError("电源断了")

    with pytest.raises(RuntimeError), writing() as session:
        fail(session)
    ledger("三")
    assert verify() == (2, None)


def test_a_value_without_a_plain_form_has_no_place_in_the_ledger(
    ledger: Callable[..., None],
) -> None:
    with pytest.raises(TypeError), writing() as session:
        append(session, AT, "张三", [Event("一", "2024-1", {"value": {1, 2}})])
    assert verify() == (0, None)


def test_times_are_written_in_the_time_of_china() -> None:
    utc = datetime(2024, 7, 1, 17, 0, tzinfo=UTC)
    assert plain({"at": utc, "on": date(2024, 7, 2)}) == {
        "at": "2024-07-02T01:00:00+08:00",
        "on": "2024-07-02",
    }
    event = Event("一", "2024-1", {})
    assert digest(GENESIS, utc, "张三", event) == digest(
        GENESIS, utc.astimezone(SHANGHAI), "张三", event
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 4), st.sampled_from(["at", "actor", "action", "subject", "detail"]))
def test_no_field_of_any_entry_can_change_unseen(place: int, field: str) -> None:
    entries, previous = [], GENESIS
    for number in range(5):
        event = Event(f"第{number}件", "2024-1", {"number": number})
        own = digest(previous, AT, "张三", event)
        entries.append(
            LedgerEntry(
                id=number,
                at=AT,
                actor="张三",
                action=event.action,
                subject=event.subject,
                detail=event.detail,
                previous=previous,
                digest=own,
            )
        )
        previous = own
    assert first_bad(entries) is None
    value = getattr(entries[place], field)
    changed = {"detail": {"number": -1}, "at": AT + timedelta(seconds=1)}.get(field, f"{value}。")
    setattr(entries[place], field, changed)
    assert first_bad(entries) is entries[place]
