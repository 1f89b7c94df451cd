"""The watchdog: what should have happened by now and has not."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from models.base import SHANGHAI
from models.crime import CrimeEntry
from models.database import reading, writing
from models.mail import Mail, letter
from models.round import Round
from tasks import obligation
from tasks.crime import enter_crimes
from tasks.health import Problem, problems, tell
from tasks.outbox import outgoing
from tasks.round import begin_pass
from tasks.urgent import sweep_urgent

MONDAY = date(2024, 7, 8)


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=SHANGHAI)


def settle(day: date) -> None:
    """As if the sweep and the passes of that day were made, and every mail sent."""
    with writing() as session:
        session.execute(update(Round).values(passed_on=day))
    obligation.sweep(day, at(day, 8, 31))
    with writing() as session:
        session.execute(update(Mail).values(state="sent"))


def keys(now: datetime) -> list[str]:
    return [one.key for one in problems(now)]


def test_with_everything_done_nothing_is_wrong(drawn: Any) -> None:
    settle(MONDAY)
    assert problems(at(MONDAY)) == []


@pytest.mark.parametrize(
    ("now", "missed"),
    [
        (at(date(2024, 7, 9), 8, 29), False),  # before its time
        (at(date(2024, 7, 9), 10, 29), False),  # still within two hours of it
        (at(date(2024, 7, 9), 10, 30), True),
        (at(date(2024, 7, 10), 8, 0), True),  # yesterday's was never made
    ],
)
def test_a_sweep_is_missed_two_hours_after_its_time(
    drawn: Any, now: datetime, missed: bool
) -> None:
    settle(MONDAY)
    assert ("sweep:2024-07-09" in keys(now)) is missed


def test_a_clock_once_set_ahead_is_told_and_does_not_silence_the_office(drawn: Any) -> None:
    settle(MONDAY)
    far = date(2026, 7, 10)
    obligation.sweep(far, at(far))
    assert f"clock:{far}" in keys(at(MONDAY))
    tomorrow = date(2024, 7, 9)
    assert "sweep:2024-07-09" in keys(at(tomorrow))  # the far one does not count as it
    assert not obligation.sweep(tomorrow, at(tomorrow)).stale
    assert obligation.sweep(MONDAY, at(tomorrow)).stale
    assert begin_pass("2024-1", at(far), "ahead") is not None
    assert begin_pass("2024-1", at(tomorrow), "right") is not None


def test_on_days_off_no_sweep_is_missed(drawn: Any) -> None:
    settle(date(2024, 7, 12))
    assert problems(at(date(2024, 7, 13))) == []
    assert problems(at(date(2024, 7, 14))) == []
    assert "sweep:2024-07-15" in keys(at(date(2024, 7, 15)))


def test_on_a_make_up_saturday_a_sweep_is_missed(drawn: Any) -> None:
    settle(date(2024, 9, 13))
    assert "sweep:2024-09-14" in keys(at(date(2024, 9, 14)))


def test_an_office_set_up_today_has_missed_nothing(office: Any) -> None:
    assert problems(at(date(2024, 6, 20), 18)) == []


def test_without_a_plan_that_is_what_is_wrong(database: Any) -> None:
    assert keys(at(MONDAY)) == ["plan"]


def test_a_round_that_nobody_passes_over_is_named(drawn: Any) -> None:
    settle(MONDAY)
    with writing() as session:
        session.execute(update(Round).values(passed_on=MONDAY - timedelta(days=3)))
    (found,) = problems(at(MONDAY))
    assert found.text == "轮次 2024-1 在 2024-07-08 没有推进（最近一次是 2024-07-05）"


@pytest.mark.parametrize(("day", "late"), [(date(2024, 7, 4), True), (date(2024, 7, 5), False)])
def test_a_mail_that_waits_more_than_a_working_day_is_told(
    drawn: Any, day: date, late: bool
) -> None:
    settle(MONDAY)
    with writing() as session:
        letter(
            session,
            key="x",
            name="张三",
            email="zhang@office.example",
            day=day,
            subject="〔x〕",
            text="x",
        )
    found = problems(at(MONDAY))
    assert [one.key for one in found] == (["mail:2024-07-08"] if late else [])
    assert all("1 封邮件超过一个工作日没有发出" in one.text for one in found)


def test_each_problem_is_told_to_the_coordinator_once(drawn: Any) -> None:
    found = [Problem("run:1", "运行失败\n查看：http://x"), Problem("run:2", "另一个")]
    assert tell(found, at(MONDAY)) == 2
    assert tell(found, at(MONDAY + timedelta(days=1))) == 0
    rows = drawn.rows()
    mails = [row for row in rows["mail"] if "trouble:" in row["key"]]
    assert {row["email"] for row in mails} == {"coordinator@weidong.example"}
    assert mails[0]["subject"] == "〔运行告警〕运行失败"
    assert sum(row["action"] == "运行告警" for row in rows["ledger"]) == 2


# ---- urgent alerts -------------------------------------------------------------------------------

SATURDAY = date(2024, 7, 13)


def suspect(reported: datetime) -> None:
    """A report of suspected crime reached the head then."""
    given = {
        "inspection": "2024-1-D01",
        "department": "yjglj",
        "reported_at": f"{reported:%Y-%m-%d %H:%M}",
        "handlers": ["张三", "李四"],
        "entered_by": "张三",
    }
    enter_crimes([CrimeEntry(**given)], reported)


@pytest.mark.parametrize(
    ("now", "missed"), [(at(SATURDAY, 10, 59), False), (at(SATURDAY, 11), True)]
)
def test_an_urgent_alert_that_nobody_made_is_missed_within_the_hour_on_a_saturday(
    recorded: Any, now: datetime, missed: bool
) -> None:
    settle(date(2024, 7, 12))
    suspect(at(SATURDAY, 10))
    assert (f"urgent:{SATURDAY}" in keys(now)) is missed
    sweep_urgent(now)
    assert f"urgent:{SATURDAY}" not in keys(now)


def test_an_urgent_mail_that_does_not_leave_is_told_at_once_on_a_saturday(recorded: Any) -> None:
    settle(date(2024, 7, 12))
    suspect(at(SATURDAY, 10))
    sweep_urgent(at(SATURDAY, 10))
    assert problems(at(SATURDAY, 10, 59)) == []
    (found,) = problems(at(SATURDAY, 11))
    assert (found.key, found.urgent) == (f"urgent-mail:{SATURDAY}", True)
    assert "有 1 封加急邮件过了 60 分钟还没有发出" in found.text
    assert tell([found], at(SATURDAY, 11)) == 1
    with reading() as session:
        waiting = [mail.subject for mail in outgoing(session, at(SATURDAY, 11))]
    assert any(subject.startswith("〔运行告警〕") for subject in waiting)
