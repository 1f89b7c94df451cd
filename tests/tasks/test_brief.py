"""Briefs: drafted twice at most, for a person to finish; owed until entered as sent."""

from datetime import date, datetime
from typing import Any

import pytest
from docx import Document
from sqlalchemy import select, update

from models.base import SHANGHAI
from models.brief import Brief
from models.database import reading, writing
from models.entry import EntryRefused
from models.inspection import Inspection
from models.ledger import LedgerEntry
from models.obligation import Obligation
from models.settings import settings
from tasks import duty
from tasks.brief import prepare_brief, send_brief
from tasks.round import UnknownRound

ROUND = "2024-1"
SENT = ("区政府办公室", "简报第1期", "王主任")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}T09:00").replace(tzinfo=SHANGHAI)


def owed() -> Obligation:
    with reading() as session:
        return session.scalars(
            select(Obligation).where(Obligation.duty == "brief", Obligation.object == ROUND)
        ).one()


def texts() -> dict[str, str]:
    """What stands in each draft, by its file's name."""
    folder = settings().papers_folder / ROUND / "专项简报"
    found = {}
    for path in sorted(folder.glob("*.docx")):
        document = Document(str(path))
        cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
        found[path.name] = "\n".join([*(each.text for each in document.paragraphs), *cells])
    return found


def publish_all() -> None:
    """As if everything that a brief waits for were done in time."""
    with writing() as session:
        session.execute(
            update(Obligation)
            .where(Obligation.duty.in_(("inspect", "record", "publish")))
            .values(met_on=Obligation.due_on)
        )


def test_it_is_owed_from_the_draw_on_by_the_coordinator(drawn: Any) -> None:
    row = owed()
    assert (row.person, row.started_on, row.due_on) == (
        "联席会议办公室",
        date(2024, 9, 30),
        date(2024, 11, 8),
    )


@pytest.mark.parametrize(("day", "made"), [("07-10", 0), ("09-30", 0), ("10-01", 1)])
def test_the_first_draft_is_made_once_the_window_is_over(
    recorded: Any, day: str, made: int
) -> None:
    assert prepare_brief(ROUND, at(day)) == made
    assert prepare_brief(ROUND, at(day)) == 0
    assert list(texts()) == ["2024-1-v1.docx"] * made


def test_a_last_draft_follows_once_every_result_is_public(recorded: Any) -> None:
    prepare_brief(ROUND, at("10-01"))
    assert prepare_brief(ROUND, at("10-10")) == 0
    publish_all()
    assert prepare_brief(ROUND, at("10-30")) == 1
    assert prepare_brief(ROUND, at("10-31")) == 0
    assert list(texts()) == ["2024-1-v1.docx", "2024-1-v2.docx"]


def test_the_draft_has_the_figures_and_leaves_the_advice_to_a_person(recorded: Any) -> None:
    prepare_brief(ROUND, at("10-01"))
    (text,) = texts().values()
    with reading() as session:
        inspections = session.scalars(select(Inspection)).all()
        names = [one.name for one in inspections]
    assert f"应检查 {len(names)} 户，已检查 1 户，未实施 0 户" in text
    assert "检查结果为“不合格”的 1 项次。" in text
    assert "【由人填写，系统不代拟】" in text
    assert "{{" not in text
    assert "{%" not in text
    assert [name for name in names if name in text] == []


def test_entered_as_sent_it_is_met_and_in_the_ledger(recorded: Any) -> None:
    assert send_brief(ROUND, date(2024, 10, 20), *SENT, at("10-21")) == ROUND
    assert owed().met_on == date(2024, 10, 20)
    with reading() as session:
        (row,) = session.scalars(select(LedgerEntry).where(LedgerEntry.action == "登记专项简报"))
        assert session.scalars(select(Brief)).one().receiving == "区政府办公室"
    assert (row.actor, row.detail["document"]) == ("王主任", "简报第1期")
    assert prepare_brief(ROUND, at("10-22")) == 0  # nobody needs a draft any more
    duty.update_duties(ROUND, at("10-22"))
    assert owed().met_on == date(2024, 10, 20)


@pytest.mark.parametrize(
    ("sent_on", "given", "said"),
    [
        (date(2024, 9, 30), SENT, "户没有检查"),
        (date(2024, 10, 22), SENT, "还没有到"),
        (date(2024, 10, 20), ("", "简报第1期", "王主任"), "须写明报送对象"),
        (date(2024, 10, 20), ("区政府", " ", "王主任"), "须写明报送对象"),
    ],
)
def test_what_cannot_be_is_sent_back(
    recorded: Any, sent_on: date, given: tuple[str, str, str], said: str
) -> None:
    before = recorded.rows()
    with pytest.raises(EntryRefused, match=said):
        send_brief(ROUND, sent_on, *given, at("10-21"))
    assert recorded.rows() == before


def test_it_is_sent_once_and_of_a_round_that_there_is(recorded: Any) -> None:
    send_brief(ROUND, date(2024, 10, 20), *SENT, at("10-21"))
    with pytest.raises(EntryRefused, match="已于 2024-10-20 报送（简报第1期）"):
        send_brief(ROUND, date(2024, 10, 21), *SENT, at("10-21"))
    with pytest.raises(UnknownRound):
        send_brief("2024-9", date(2024, 10, 20), *SENT, at("10-21"))
    with pytest.raises(EntryRefused, match="2024-2 没有检查"):
        send_brief("2024-2", date(2024, 10, 20), *SENT, at("10-21"))
