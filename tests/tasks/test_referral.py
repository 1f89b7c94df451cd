"""Referrals and follow-ups: decided, sent, received, re-checked, each on its own day."""

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from models.base import SHANGHAI
from models.database import reading
from models.entry import EntryRefused
from models.obligation import Obligation
from models.paper_file import PaperFile
from models.referral import FollowUp, FollowUpEntry, Referral, ReferralEntry
from models.settings import settings
from tasks.referral import close_follow_ups, confirm_referrals, prepare_referrals

pytestmark = pytest.mark.usefixtures("recorded")
CODE = "2024-1-D01"
OBJECT = f"{CODE}/yjglj"


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"2024-{day}T09:00").replace(tzinfo=SHANGHAI)


def day(text: str) -> date:
    return date.fromisoformat(f"2024-{text}")


def entry(**changed: Any) -> ReferralEntry:
    given = {
        "inspection": CODE,
        "department": "yjglj",
        "needed": "需",
        "reason": "涉嫌违法",
        "decided_on": day("07-12"),
        "entered_by": "张三",
    }
    return ReferralEntry(**(given | changed))


def sent(**changed: Any) -> ReferralEntry:
    given = {"receiving": "区公安分局", "document": "移〔2024〕1号", "sent_on": "2024-07-15"}
    return entry(**(given | changed))


def confirm(given: ReferralEntry, on: str = "07-20") -> None:
    assert confirm_referrals([given], at(on)) == {"2024-1"}


def owed(duty: str, object: str = OBJECT) -> Obligation | None:
    with reading() as session:
        return session.scalar(
            select(Obligation).where(Obligation.duty == duty, Obligation.object == object)
        )


def one(table: type[Any]) -> Any:
    with reading() as session:
        return session.scalars(select(table)).one_or_none()


def test_to_refer_or_not_answers_the_question_and_only_to_refer_owes_the_referral() -> None:
    confirm(entry(needed="不需", reason="由本部门处理"))
    decided = owed("decide_referral")
    assert decided
    assert decided.met_on == day("07-12")
    assert owed("refer") is None
    confirm(entry())
    refer = owed("refer")
    assert refer
    assert (refer.open, refer.due_on) == (True, day("07-18"))


def test_sent_meets_the_duty_and_receipt_is_entered_apart() -> None:
    confirm(sent())
    refer = owed("refer")
    assert refer
    assert refer.met_on == day("07-15")
    assert one(Referral).received_on is None
    confirm(sent(received_on="2024-07-19", received_by="李警官"))
    assert (one(Referral).received_on, one(Referral).received_by) == (day("07-19"), "李警官")
    refer = owed("refer")
    assert refer
    assert refer.met_on == day("07-15")


def test_a_referral_sent_after_its_day_is_late() -> None:
    confirm(sent(sent_on="2024-07-19"))
    refer = owed("refer")
    assert refer
    assert refer.was_overdue(day("07-20"))


def test_the_first_decision_keeps_its_day() -> None:
    confirm(entry())
    confirm(sent(decided_on=day("07-15")))
    decided = owed("decide_referral")
    assert decided
    assert decided.met_on == day("07-12")


def test_a_decision_not_to_refer_after_all_closes_the_open_referral() -> None:
    confirm(entry())
    confirm(entry(needed="不需", reason="补充证据后不构成"))
    refer = owed("refer")
    assert refer
    assert (refer.met_on, refer.closed_on) == (None, day("07-20"))


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (entry(department="scjgj"), "2024-1-D01/scjgj 没有不利结果，不存在移送问题"),
        (entry(inspection="2024-1-D02"), "2024-1-D02 yjglj 还没有检查记录"),
        (entry(department="消防"), "没有“消防”这个部门"),
        (entry(decided_on=day("07-21")), "2024-1-D01/yjglj 研判日期 2024-07-21 还没有到"),
        (entry(decided_on=day("07-08")),
         "2024-1-D01/yjglj 研判日期 2024-07-08 早于结果形成日 2024-07-09"),
        (sent(sent_on="2024-07-08"),
         "2024-1-D01/yjglj 移送日期 2024-07-08 早于结果形成日 2024-07-09"),
        (sent(sent_on="2024-07-21"), "2024-1-D01/yjglj 移送日期 2024-07-21 还没有到"),
        (sent(sent_on="7月15日"), "2024-1-D01/yjglj 移送日期应如 2024-07-01，现为“7月15日”"),
        (sent(document=""), "2024-1-D01/yjglj 已移送的，须填受移送机关和移送函文号"),
        (sent(receiving=""), "2024-1-D01/yjglj 已移送的，须填受移送机关和移送函文号"),
        (sent(needed="不需"), "2024-1-D01/yjglj 不需移送的，不填移送日期"),
        (sent(received_on="2024-07-14"),
         "2024-1-D01/yjglj 填了接收日期的，须同时填不晚于它的移送日期"),
        (entry(received_on="2024-07-16"),
         "2024-1-D01/yjglj 填了接收日期的，须同时填不晚于它的移送日期"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_of_the_list_stands(
    given: ReferralEntry, line: str
) -> None:
    with pytest.raises(EntryRefused) as refused:
        confirm_referrals([entry(), given], at("07-20"))
    assert str(refused.value).startswith(line)
    assert one(Referral) is None
    decided = owed("decide_referral")
    assert decided
    assert decided.open


def test_what_was_sent_is_not_unsent() -> None:
    confirm(sent())
    with pytest.raises(EntryRefused, match="已于 2024-07-15 移送，不能改为不需移送"):
        confirm(entry(needed="不需"))


def test_a_letter_is_filed_for_what_is_to_be_referred_and_once() -> None:
    assert prepare_referrals("2024-1", at("07-20")) == 0
    confirm(entry())
    assert prepare_referrals("2024-1", at("07-20")) == 1
    assert prepare_referrals("2024-1", at("07-21")) == 0
    paper = one(PaperFile)
    assert (paper.object, paper.version) == (f"{CODE}-yjglj", 1)
    assert (settings().papers_folder / paper.path).is_file()


# ---- follow-ups ----------------------------------------------------------------------------------


def closing(**changed: Any) -> FollowUpEntry:
    given = {
        "inspection": CODE,
        "department": "区应急管理局",
        "closed_on": day("07-30"),
        "outcome": "已整改",
        "entered_by": "张三",
    }
    return FollowUpEntry(**(given | changed))


def test_a_follow_up_stays_open_until_it_is_closed_and_then_is_done() -> None:
    follow_up = owed("follow_up", f"{OBJECT}/yj-1")
    assert follow_up
    assert (follow_up.open, follow_up.due_on) == (True, day("08-06"))
    assert close_follow_ups([closing()], at("07-31")) == {"2024-1"}
    follow_up = owed("follow_up", f"{OBJECT}/yj-1")
    assert follow_up
    assert follow_up.met_on == day("07-30")
    assert (one(FollowUp).outcome, one(FollowUp).entered_by) == ("已整改", "张三")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (closing(department="scjgj"), "2024-1-D01/scjgj 没有待办的后续监管"),
        (closing(closed_on=day("08-01")), "2024-1-D01/yjglj 办结日期 2024-08-01 还没有到"),
        (closing(closed_on=day("07-08")), "2024-1-D01/yjglj 办结日期早于问题发现日 2024-07-09"),
        (closing(inspection="2024-1-D02"), "2024-1-D02 区应急管理局 还没有检查记录"),
    ],
)
def test_a_closing_that_cannot_be_is_refused(given: FollowUpEntry, line: str) -> None:
    with pytest.raises(EntryRefused) as refused:
        close_follow_ups([given], at("07-31"))
    assert str(refused.value).startswith(line)
    assert one(FollowUp).closed_on is None


def test_what_is_closed_is_not_closed_again() -> None:
    close_follow_ups([closing()], at("07-31"))
    with pytest.raises(EntryRefused, match="没有待办的后续监管"):
        close_follow_ups([closing()], at("07-31"))
