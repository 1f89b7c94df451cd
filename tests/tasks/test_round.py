"""Rounds: passed over in order of days, and closed when everything in them is done, not before."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from calendars import Suspension
from models import fiction
from models.base import SHANGHAI
from models.database import reading, writing
from models.ledger import LedgerEntry
from models.notice import ServiceEntry
from models.obligation import Obligation
from models.plan import Plan
from models.publication import PublicationEntry
from models.referral import FollowUpEntry, ReferralEntry
from models.round import Pass, Round
from tasks import agenda, draw, duty, ledger, notice, publication, reveal
from tasks.brief import send_brief
from tasks.grant import grant_time
from tasks.inspection import drop_inspection, record_inspections
from tasks.mail import deliver
from tasks.plan import load_plan
from tasks.progress import progress
from tasks.referral import close_follow_ups, confirm_referrals
from tasks.registers import save_inspectors, save_subjects
from tasks.round import UnknownRound, begin_pass, close_round, rounds_to_pass

ROUND, CODE = "2024-1", "2024-1-D01"
Sheet = Callable[..., Any]


def at(text: str) -> datetime:
    day = date.fromisoformat(text if len(text) > 5 else f"2024-{text}")
    return datetime(day.year, day.month, day.day, 9, tzinfo=SHANGHAI)


def the_round() -> Round:
    with reading() as session:
        return session.scalars(select(Round).where(Round.code == ROUND)).one()


def left() -> set[str]:
    """What is still owed, by duty and, where there is one, department."""
    with reading() as session:
        rows = session.scalars(select(Obligation).where(Obligation.round_id == 1))
        return {f"{row.duty} {row.department}" for row in rows if row.open}


# ---- passes --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("office")
def test_passes_are_numbered_and_remember_their_day() -> None:
    first, second = begin_pass(ROUND, at("06-25"), "一"), begin_pass(ROUND, at("06-25"), "二")
    assert first
    assert second
    assert (first.number, second.number) == (1, 2)
    with reading() as session:
        passes = session.scalars(select(Pass).order_by(Pass.id)).all()
    assert [(each.number, each.as_of, each.flow_run_id) for each in passes] == [
        (1, date(2024, 6, 25), "一"),
        (2, date(2024, 6, 25), "二"),
    ]


@pytest.mark.usefixtures("office")
def test_a_pass_of_an_older_day_does_nothing() -> None:
    begin_pass(ROUND, at("06-26"), "一")
    assert begin_pass(ROUND, at("06-25"), "二") is None
    assert the_round().pass_number == 1
    assert begin_pass(ROUND, at("06-26"), "三") is not None


@pytest.mark.usefixtures("office")
def test_passes_that_begin_at_once_get_different_numbers() -> None:
    with ThreadPoolExecutor(4) as pool:
        begun = list(pool.map(lambda n: begin_pass(ROUND, at("06-25"), str(n)), range(8)))
    assert sorted(each.number for each in begun if each) == list(range(1, 9))


@pytest.mark.usefixtures("office")
def test_an_unknown_round_has_no_passes() -> None:
    with pytest.raises(UnknownRound, match="没有轮次“2024-3”；已登记的轮次：2024-1、2024-2"):
        begin_pass("2024-3", at("06-25"), "一")


@pytest.mark.usefixtures("office")
@pytest.mark.parametrize(
    ("day", "codes"),
    [
        ("06-24", []),
        ("06-25", ["2024-1"]),
        ("11-10", ["2024-1"]),
        ("11-11", ["2024-1", "2024-2"]),
        ("2025-03-01", ["2024-1", "2024-2"]),  # long after, as long as it is open
    ],
)
def test_a_round_is_passed_over_from_its_day_until_it_is_closed(day: str, codes: list[str]) -> None:
    assert rounds_to_pass(at(day).date()) == codes


# ---- closing -------------------------------------------------------------------------------------


@pytest.fixture
def alone(database: Path, drill: Plan) -> None:
    """A round with a single inspection, of grade D."""
    load_plan(drill, at("06-20"))
    subjects = fiction.subjects(1, {"A": 0, "B": 0, "C": 0, "D": 1})
    subjects = [row.model_copy(update={"status": "在营"}) for row in subjects]
    with writing() as session:
        save_subjects(session, subjects, "对象", at("06-20"), "甲")
        save_inspectors(
            session, fiction.inspectors(1, ["yjglj", "scjgj"], 4), "人", at("06-20"), "甲"
        )
    draw.freeze_draws(ROUND, at("06-25"))
    deliver(at("06-25"))
    draw.seal_draws(ROUND, at("06-25"))
    duty.update_duties(ROUND, at("06-25"))


@pytest.mark.usefixtures("office")
def test_a_round_whose_draws_are_not_made_stays_open() -> None:
    assert not close_round(ROUND, at("06-25"))


@pytest.mark.usefixtures("alone")
def test_a_round_closes_only_when_the_last_thing_is_done(sheet: Sheet) -> None:
    def still_open(day: str, *owed: str) -> None:
        assert left() == set(owed)
        assert not close_round(ROUND, at(day))
        assert agenda.any_open()

    visit = ("notify yjglj", "inspect yjglj", "record yjglj", "record scjgj")
    still_open("06-25", "brief ", "reveal ", *visit)
    assert reveal.reveal_draws(ROUND, at("06-25")) == 3  # nobody is in them
    assert notice.prepare_notices(ROUND, at("06-26")) == 1
    served = ServiceEntry(
        inspection=CODE, manner="书面", served_on=date(2024, 7, 1), served_by="张三",
        received_by="王经理",
    )  # fmt: skip
    notice.confirm_service([served], "张三", at("07-01"))
    record_inspections([sheet(CODE, "yjglj", 10), sheet(CODE, "scjgj")], at("07-10"))
    assert reveal.reveal_draws(ROUND, at("07-10")) == 1
    duty.update_duties(ROUND, at("07-10"))
    still_open(
        "07-10", "brief ",
        "decide_referral yjglj", "follow_up yjglj", "publish yjglj", "publish scjgj",
    )  # fmt: skip
    publication.prepare_publications(ROUND, at("07-10"))
    for department in ("scjgj", "yjglj"):
        entry = PublicationEntry(
            inspection=CODE, department=department, entered_on=date(2024, 7, 15),
            published_on="2024-07-15", entered_by="张三",
        )  # fmt: skip
        publication.confirm_publications([entry], at("07-15"))
    still_open("07-15", "brief ", "decide_referral yjglj", "follow_up yjglj")
    referral = {
        "inspection": CODE, "department": "yjglj", "needed": "需", "reason": "涉嫌违法",
        "decided_on": date(2024, 7, 16), "entered_by": "张三",
    }  # fmt: skip
    confirm_referrals([ReferralEntry(**referral)], at("07-16"))
    still_open("07-16", "brief ", "refer yjglj", "follow_up yjglj")
    sent = {"receiving": "区公安分局", "document": "移1号", "sent_on": "2024-07-17"}
    confirm_referrals([ReferralEntry(**(referral | sent))], at("07-17"))
    still_open("07-17", "brief ", "follow_up yjglj")
    send_brief(ROUND, date(2024, 7, 18), "区政府", "简报1号", "王主任", at("07-18"))
    still_open("07-18", "follow_up yjglj")
    closing = FollowUpEntry(
        inspection=CODE, department="yjglj", closed_on=date(2025, 1, 8), outcome="已整改",
        entered_by="张三",
    )  # fmt: skip
    close_follow_ups([closing], at("2025-01-08"))
    assert close_round(ROUND, at("2025-01-08"))  # lawfully in the next year
    assert (the_round().closed_on, the_round().outcome) == (date(2025, 1, 8), "已办结")
    assert close_round(ROUND, at("2025-02-01"))
    assert the_round().closed_on == date(2025, 1, 8)
    assert rounds_to_pass(date(2025, 2, 1)) == ["2024-2"]
    with reading() as session:
        actions = session.scalars(select(LedgerEntry.action)).all()
    assert list(actions).count("轮次办结") == 1
    assert ledger.verify()[1] is None
    figures = progress(ROUND, date(2025, 2, 1))
    assert figures.stage == ("已办结", 1, 1)
    assert figures.ever_overdue == 1  # the follow-up
    record_inspections([sheet(CODE, "scjgj", 9, correction="笔误")], at("2025-02-03"))
    publication.prepare_publications(ROUND, at("2025-02-03"))
    duty.update_duties(ROUND, at("2025-02-03"))
    assert left() == {"republish scjgj"}
    assert not close_round(ROUND, at("2025-02-03"))
    assert rounds_to_pass(date(2025, 2, 4)) == ["2024-1", "2024-2"]
    anew = {"inspection": CODE, "department": "scjgj", "entered_on": date(2025, 2, 5)}
    publication.confirm_publications(
        [PublicationEntry(**anew, published_on="2025-02-05", entered_by="张三")], at("2025-02-05")
    )
    assert close_round(ROUND, at("2025-02-05"))
    assert the_round().closed_on == date(2025, 2, 5)


@pytest.mark.usefixtures("alone")
def test_a_round_whose_only_inspection_is_given_up_is_done() -> None:
    drop_inspection(CODE, "企业已停产", "局长", "批1号", date(2024, 7, 1), at("07-01"))
    send_brief(ROUND, date(2024, 7, 1), "区政府", "简报1号", "王主任", at("07-01"))
    assert left() == {"reveal "}
    assert reveal.reveal_draws(ROUND, at("07-01")) == 4
    duty.update_duties(ROUND, at("07-01"))
    assert left() == set()
    assert close_round(ROUND, at("07-01"))
    figures = progress(ROUND, date(2024, 7, 1))
    assert (figures.inspections, figures.inspected, figures.dropped) == (1, 0, 1)


@pytest.mark.usefixtures("alone")
def test_a_closed_round_goes_on_when_a_correction_leaves_something_to_do(sheet: Sheet) -> None:
    record_inspections([sheet(CODE, "yjglj"), sheet(CODE, "scjgj")], at("07-10"))
    publication.prepare_publications(ROUND, at("07-10"))
    published = {
        "entered_on": date(2024, 7, 11),
        "published_on": "2024-07-11",
        "entered_by": "张三",
    }
    entries = [
        PublicationEntry(inspection=CODE, department=department, **published)
        for department in ("yjglj", "scjgj")
    ]
    publication.confirm_publications(entries, at("07-11"))
    reveal.reveal_draws(ROUND, at("07-11"))
    send_brief(ROUND, date(2024, 7, 11), "区人民政府", "简报第1期", "王五", at("07-11"))
    assert close_round(ROUND, at("07-11"))
    corrected = sheet(
        CODE, "yjglj", 8, correction="漏记", referral_needed="不需", referral_why="由本部门处理"
    )
    record_inspections([corrected], at("07-15"))
    assert left() == {"follow_up yjglj"}
    assert (the_round().closed_on, the_round().outcome) == (None, "")
    rests = Suspension(
        date(2024, 7, 16), date(2024, 7, 26), "批〔2024〕1号", "第六十条", "局长", date(2024, 7, 16)
    )
    grant_time("follow_up", f"{CODE}/yjglj/yj-1", rests, "张三", at("07-16"))
    duty.update_all_duties(at("07-29"))
    with reading() as session:
        waiting = session.scalars(select(Obligation).where(Obligation.duty == "follow_up")).one()
        assert not waiting.suspended  # or nobody would ever be told again
        actions = session.scalars(select(LedgerEntry.action)).all()
    assert list(actions).count("轮次恢复") == 1
    closing = FollowUpEntry(
        inspection=CODE, department="yjglj", closed_on=date(2024, 7, 30), outcome="已整改",
        entered_by="张三",
    )  # fmt: skip
    close_follow_ups([closing], at("07-30"))
    assert not close_round(ROUND, at("07-30"))  # what was corrected is to be public as well
    publication.prepare_publications(ROUND, at("07-30"))
    duty.update_duties(ROUND, at("07-30"))
    assert left() == {"republish yjglj"}
    anew = {"entered_on": date(2024, 7, 30), "published_on": "2024-07-30", "entered_by": "张三"}
    publication.confirm_publications(
        [PublicationEntry(inspection=CODE, department="yjglj", **anew)], at("07-30")
    )
    assert close_round(ROUND, at("07-30"))


@pytest.mark.usefixtures("alone")
def test_a_correction_in_a_closed_round_is_prepared_even_if_its_pass_is_lost(sheet: Sheet) -> None:
    record_inspections([sheet(CODE, "yjglj"), sheet(CODE, "scjgj")], at("07-10"))
    publication.prepare_publications(ROUND, at("07-10"))
    published = {"entered_on": date(2024, 7, 11), "published_on": "2024-07-11"}
    entries = [
        PublicationEntry(inspection=CODE, department=department, **published, entered_by="张三")
        for department in ("yjglj", "scjgj")
    ]
    publication.confirm_publications(entries, at("07-11"))
    reveal.reveal_draws(ROUND, at("07-11"))
    send_brief(ROUND, date(2024, 7, 11), "区人民政府", "简报第1期", "王五", at("07-11"))
    assert close_round(ROUND, at("07-11"))
    record_inspections([sheet(CODE, "scjgj", 9, correction="笔误")], at("07-15"))
    assert left() == set()  # what is to be published again is known once it is prepared
    assert ROUND in rounds_to_pass(date(2024, 7, 16))  # or no later pass would prepare it
    assert not close_round(ROUND, at("07-16"))
    publication.prepare_publications(ROUND, at("07-16"))
    duty.update_duties(ROUND, at("07-16"))
    assert left() == {"republish scjgj"}


def test_a_round_without_any_subject_closes_as_such(database: Path, drill: Plan) -> None:
    load_plan(drill, at("06-20"))
    draw.freeze_draws(ROUND, at("06-25"))
    deliver(at("06-25"))
    draw.seal_draws(ROUND, at("06-25"))
    reveal.reveal_draws(ROUND, at("06-25"))
    duty.update_duties(ROUND, at("06-25"))
    assert close_round(ROUND, at("06-25"))
    assert (the_round().closed_on, the_round().outcome) == (date(2024, 6, 25), "无对象")
