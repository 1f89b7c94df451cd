"""Suspensions and extensions: who may have one, from when it works, what it can never do."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from calendars import Extension, Grant, Suspension
from models.alert import Alert
from models.base import SHANGHAI
from models.database import reading
from models.entry import EntryRefused
from models.ledger import LedgerEntry
from models.mail import Mail
from models.obligation import Obligation
from tasks.duty import update_all_duties
from tasks.explanation import explain
from tasks.grant import grant_time, remind_approvers
from tasks.inspection import record_inspections
from tasks.obligation import sweep

OBJECT = "2024-1-D01/yjglj"
HEAD = "应急局负责人"
GROUNDS = {"document": "卫东应急〔2024〕9号", "article": "细则第12条", "approver": HEAD}


def day(text: str) -> date:
    return date.fromisoformat(f"2024-{text}")


def moment(text: str) -> datetime:
    return datetime.combine(day(text), time(9), tzinfo=SHANGHAI)


def suspension(first: str, last: str, approved: str, **other: str) -> Suspension:
    return Suspension(day(first), day(last), approved_on=day(approved), **{**GROUNDS, **other})


def extension(amount: int, approved: str, **other: str) -> Extension:
    return Extension(amount, approved_on=day(approved), **{**GROUNDS, **other})


def letters() -> list[Mail]:
    with reading() as session:
        query = select(Mail).where(Mail.key.startswith("letter:grant:")).order_by(Mail.id)
        return list(session.scalars(query))


@pytest.fixture(scope="module")
def _recorded(opened: Any, sheet: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The publication of D01 is due by 6 August, 20 working days from 9 July."""
    office = opened.copy(tmp_path_factory.mktemp("recorded") / "home")
    with office.here():
        record_inspections([sheet("2024-1-D01", ended_on=day("07-09"))], moment("07-09"))
    return office


@pytest.fixture
def recorded(_recorded: Any) -> Iterator[Any]:
    """The office, shared by tests that change nothing in it."""
    with _recorded.here():
        yield _recorded


@pytest.fixture
def publish(_recorded: Any, tmp_path: Path, stored: Any) -> Iterator[Callable[[], Obligation]]:
    """Reads that duty, in an office for one test alone."""
    with _recorded.copy(tmp_path / "recorded").here():
        yield lambda: stored("publish", OBJECT)


def grant(one: Grant, entered: str, object: str = OBJECT, duty: Any = "publish") -> str:
    return grant_time(duty, object, one, "王五", moment(entered))


@pytest.mark.parametrize(
    ("one", "due_on"),
    [
        (suspension("07-15", "07-19", "07-12"), "08-13"),
        (suspension("07-13", "07-14", "07-12"), "08-06"),  # a weekend
        (suspension("07-10", "07-19", "07-17"), "08-09"),  # from its approval on, not before
        (suspension("08-06", "08-30", "08-06"), "09-02"),  # approved on the last day
        (extension(5, "07-12"), "08-13"),
        (extension(5, "08-06"), "08-13"),
    ],
)
def test_a_grant_moves_its_own_due_day(publish: Any, stored: Any, one: Grant, due_on: str) -> None:
    other = stored("publish", "2024-1-D01/scjgj").due_on
    assert grant(one, "08-06") == "2024-1"
    assert publish().due_on == day(due_on)
    assert publish().due_version == 1 + (due_on != "08-06")
    assert publish().missed_on == []
    assert stored("publish", "2024-1-D01/scjgj").due_on == other


def test_the_ledger_says_who_approved_what_and_which_day_moved(publish: Any) -> None:
    grant(suspension("07-15", "07-19", "07-12"), "07-12")
    with reading() as session:
        newest = list(session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)))[-2:]
    assert [(entry.action, entry.subject, entry.actor) for entry in newest] == [
        ("中止", f"公示 {OBJECT}", "王五"),
        ("期限变更", f"公示 {OBJECT}", "王五"),
    ]
    assert newest[0].detail["approver"] == HEAD
    assert newest[0].detail["approved_on"] == "2024-07-12"
    change = newest[1].detail
    assert (change["before"]["due_on"], change["after"]["due_on"]) == ("2024-08-06", "2024-08-13")
    assert change["why"] == f"中止（细则第12条，卫东应急〔2024〕9号，{HEAD}批准）"


def test_two_grants_add_up(publish: Any) -> None:
    grant(suspension("07-15", "07-19", "07-12"), "07-12")
    grant(extension(5, "08-09"), "08-09")
    assert publish().due_on == day("08-20")


@pytest.mark.parametrize(
    ("duty", "object", "one", "reason"),
    [
        ("publish", "2024-1-D99/yjglj", extension(5, "07-12"), "没有检查编号“2024-1-D99”"),
        ("refer", OBJECT, extension(5, "07-12"), "没有未完成的“移送”期限"),
        ("record", OBJECT, extension(5, "07-12"), "没有未完成的“记录”期限"),  # met already
        ("inspect", "2024-1-D02", extension(5, "07-12"), "是固定日期，不能中止或延期"),
        ("notify", "2024-1-D02", extension(5, "06-28"), "不能中止或延期"),  # counted backwards
        ("publish", OBJECT, extension(5, "07-15"), "批准日期 2024-07-15 还没有到"),
        ("publish", OBJECT, suspension("07-08", "07-10", "07-11"), "不能追溯"),
    ],
)
def test_what_cannot_be_granted_is_refused_and_nothing_is_written(
    recorded: Any, duty: str, object: str, one: Grant, reason: str
) -> None:
    before = recorded.rows()
    with pytest.raises(EntryRefused, match=reason) as refused:
        grant(one, "07-12", object, duty)
    assert "\n" not in str(refused.value)
    assert recorded.rows() == before


def test_the_date_in_an_order_is_fixed(drawn: Any, sheet: Any, stored: Any) -> None:
    entry = sheet("2024-1-D02", result=5, order_due_on="2024-07-30", ended_on=day("07-09"))
    record_inspections([entry], moment("07-09"))
    assert stored("follow_up", "2024-1-D02/yjglj/yj-1").due_on == day("07-30")
    with pytest.raises(EntryRefused, match="是固定日期"):
        grant(extension(5, "07-12"), "07-12", "2024-1-D02/yjglj/yj-1", "follow_up")


def test_nobody_approves_for_themselves(recorded: Any, stored: Any) -> None:
    before = recorded.rows()
    own = extension(5, "07-12", approver=stored("publish", OBJECT).person)
    with pytest.raises(EntryRefused, match="批准人不能是责任人本人"):
        grant(own, "07-12")
    assert recorded.rows() == before


def test_a_form_sent_twice_extends_once(publish: Any) -> None:
    grant(extension(5, "07-12"), "07-12")
    with pytest.raises(EntryRefused, match="已经登记过"):
        grant(extension(5, "07-12"), "07-12")
    assert publish().due_on == day("08-13")


@pytest.mark.parametrize(
    "one", [suspension("08-07", "08-30", "08-07"), extension(5, "08-07")], ids=["中止", "延期"]
)
def test_a_grant_after_the_due_day_leaves_it_overdue_and_does_not_silence_it(
    publish: Any, one: Grant
) -> None:
    grant(one, "08-07")
    update_all_duties(moment("08-08"))
    row = publish()
    assert (row.due_on, row.due_version, row.suspended) == (day("08-06"), 1, False)
    sweep(day("08-09"), moment("08-09"))
    with reading() as session:
        told = session.scalars(select(Alert.level).where(Alert.obligation_id == row.id))
        assert "over-3" in list(told)
    (told_of,) = [each for each in explain(OBJECT) if each.row.duty == "publish"]
    assert f"逾期后批准，不生效：{one.reason}" in told_of.text()
    assert told_of.as_dict()["grants"][0]["effective"] is False
    assert remind_approvers(moment("08-15")) == 0


def test_one_entered_after_the_due_day_moves_it_but_does_not_unmiss_it(publish: Any) -> None:
    grant(extension(5, "08-05"), "08-07")
    assert (publish().due_on, publish().missed_on) == (day("08-13"), ["2024-08-06"])
    assert publish().was_overdue(day("08-07"))
    assert "曾于 2024-08-06 逾期" in "".join(each.text() for each in explain(OBJECT))


def test_it_is_suspended_only_while_the_suspension_lasts(publish: Any) -> None:
    grant(suspension("07-15", "07-19", "07-12"), "07-12")
    seen = {}
    for number in (13, 14, 15, 19, 20, 22):
        update_all_duties(moment(f"07-{number}"))
        seen[number] = publish().suspended
    assert seen == {13: False, 14: False, 15: True, 19: True, 20: False, 22: False}


def test_the_sweep_passes_a_suspended_one_over_and_takes_it_up_again(publish: Any) -> None:
    # The 20th day, 6 August, becomes 2 September; two working days before that it rests still.
    grant(suspension("08-06", "08-30", "08-05"), "08-05")
    assert (publish().due_on, publish().next_alert_on) == (day("09-02"), day("08-29"))
    number = publish().id
    levels = {}
    for text in ("08-28", "08-29", "08-30", "09-02"):
        update_all_duties(moment(text))
        sweep(day(text), moment(text))
        with reading() as session:
            of_this = select(Alert.level).where(Alert.obligation_id == number).order_by(Alert.id)
            levels[text] = list(session.scalars(of_this))
    assert levels == {"08-28": [], "08-29": [], "08-30": [], "09-02": ["before-2", "due"]}


def test_the_approver_is_reminded_weekly_while_it_lasts(publish: Any) -> None:
    grant(suspension("07-15", "08-02", "07-12"), "07-12")
    sent = {}
    for text in ("07-15", "07-19", "07-22", "07-23", "07-29", "08-05"):
        update_all_duties(moment(text))
        sent[text] = [remind_approvers(moment(text)) for _ in range(2)]
    none = [0, 0]
    assert sent == {
        "07-15": none,
        "07-19": none,
        "07-22": [1, 0],
        "07-23": none,
        "07-29": [1, 0],
        "08-05": none,
    }
    first, second = letters()
    assert (first.name, first.email, first.day) == (HEAD, "head@yjglj.example", day("07-22"))
    assert first.subject == f"〔中止第 2 周〕公示 {OBJECT}"
    assert second.subject == f"〔中止第 3 周〕公示 {OBJECT}"
    for told in ("2024-07-15", "2024-08-02", "细则第12条，卫东应急〔2024〕9号", "2024-08-27 到期"):
        assert told in first.text


def test_a_missed_reminder_is_made_up_for_once(publish: Any) -> None:
    grant(suspension("07-15", "08-02", "07-12"), "07-12")
    update_all_duties(moment("07-31"))
    assert remind_approvers(moment("07-31")) == 1
    assert [letter.subject for letter in letters()] == [f"〔中止第 3 周〕公示 {OBJECT}"]


def test_an_approver_whom_the_plan_does_not_know_is_reminded_through_the_coordinator(
    publish: Any,
) -> None:
    grant(suspension("07-15", "08-02", "07-12", approver="赵局长"), "07-12")
    update_all_duties(moment("07-22"))
    assert remind_approvers(moment("07-22")) == 1
    (letter,) = letters()
    assert letter.email == "coordinator@weidong.example"
    assert letter.text.startswith("赵局长：\n")


def test_nobody_is_reminded_of_an_extension_or_of_a_duty_that_is_done(
    publish: Any, sheet: Any
) -> None:
    grant(extension(20, "07-12"), "07-12")
    object = "2024-1-D02/yjglj"
    grant(suspension("07-09", "08-02", "07-09"), "07-09", object, "record")
    record_inspections([sheet("2024-1-D02", ended_on=day("07-10"))], moment("07-10"))
    update_all_duties(moment("07-29"))
    assert remind_approvers(moment("07-29")) == 0
