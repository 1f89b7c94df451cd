from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendars import WorkingCalendar
from models.alert import Step, fallen, first_alert_on, recipient, steps
from models.base import SHANGHAI
from models.leave import Leave, absences
from models.plan import read_plan
from models.reconciliation import Due
from models.settings import SHIPPED_PLAN

PLAN = read_plan(SHIPPED_PLAN)
CALENDAR = WorkingCalendar.china()
RESPONSIBLE = ("张三", "zhang@yjglj.example")
NOW = datetime(2024, 7, 1, 9, tzinfo=SHANGHAI)


def days(due_on: date, count: int = 8, provisional: bool = False) -> dict[str, date]:
    found = islice(steps(due_on, provisional, PLAN.alerts, CALENDAR), count)
    return {step.level: step.on for step in found}


# Every day below was counted by hand on the printed calendars of 2024 and 2025.
@pytest.mark.parametrize(
    ("due_on", "expected"),
    [
        pytest.param(
            date(2024, 9, 12),  # Thursday; the 14th is a make-up Saturday, 15th to 17th 中秋节
            {
                "before-2": date(2024, 9, 10),
                "due": date(2024, 9, 12),
                "over-1": date(2024, 9, 13),
                "over-3": date(2024, 9, 18),  # 13th, 14th, 18th
                "over-5": date(2024, 9, 20),
                "weekly-1": date(2024, 9, 27),  # 23rd to 27th are the 6th to 10th
                "weekly-2": date(2024, 10, 10),  # Sunday 29, 30; 国庆节; 8, 9, 10
                "weekly-3": date(2024, 10, 16),  # 11, make-up Saturday 12, 14, 15, 16
            },
            id="make-up Saturday 2024-09-14",
        ),
        pytest.param(
            date(2024, 9, 30),
            {
                "before-2": date(2024, 9, 27),  # Sunday the 29th is worked
                "due": date(2024, 9, 30),
                "over-1": date(2024, 10, 8),
                "over-3": date(2024, 10, 10),
                "over-5": date(2024, 10, 12),
                "weekly-1": date(2024, 10, 18),
                "weekly-2": date(2024, 10, 25),
                "weekly-3": date(2024, 11, 1),
            },
            id="National Day 2024",
        ),
        pytest.param(
            date(2024, 12, 31),
            {
                "before-2": date(2024, 12, 27),
                "due": date(2024, 12, 31),
                "over-1": date(2025, 1, 2),
                "over-3": date(2025, 1, 6),
                "over-5": date(2025, 1, 8),
                "weekly-1": date(2025, 1, 15),
                "weekly-2": date(2025, 1, 22),
                "weekly-3": date(2025, 2, 5),  # 23, 24, make-up Sunday 26, 27; 春节; 5
            },
            id="New Year 2025",
        ),
        pytest.param(
            date(2024, 10, 6),  # a fixed day that falls into the holiday
            {
                "before-2": date(2024, 9, 29),
                "due": date(2024, 9, 30),
                "over-1": date(2024, 10, 8),
                "over-3": date(2024, 10, 10),
                "over-5": date(2024, 10, 12),
                "weekly-1": date(2024, 10, 18),
                "weekly-2": date(2024, 10, 25),
                "weekly-3": date(2024, 11, 1),
            },
            id="due on a day off",
        ),
    ],
)
def test_levels_fall_on_the_days_counted_by_hand(due_on: date, expected: dict[str, date]) -> None:
    assert days(due_on) == expected


def test_a_provisional_due_day_alerts_seven_days_earlier() -> None:
    due_on = date(2024, 9, 12)
    assert days(due_on, provisional=True) == days(due_on - timedelta(days=7))


def test_levels_beyond_the_known_notices_are_counted_on_statutory_days() -> None:
    due_on = date(CALENDAR.covered_through.year, 12, 31)
    over = days(due_on)["over-1"]
    assert over > CALENDAR.covered_through
    assert CALENDAR.provisional.is_working_day(over)


@given(
    st.dates(date(2008, 1, 1), date(2025, 12, 31)),
    st.integers(0, 200),
    st.booleans(),
)
def test_every_step_comes_once_however_the_days_are_cut(
    due_on: date, outage: int, provisional: bool
) -> None:
    through = due_on + timedelta(days=60)
    whole = fallen(due_on, provisional, "", through, PLAN.alerts, CALENDAR)
    pieces: list[Step] = []
    alerted, day = "", due_on - timedelta(days=30)
    while day <= through:
        found = fallen(due_on, provisional, alerted, day, PLAN.alerts, CALENDAR)
        pieces += found.steps
        alerted = found.steps[-1].level if found.steps else alerted
        day = (
            through
            if day < through < day + timedelta(days=1 + outage)
            else day + timedelta(days=1 + outage)
        )
    assert tuple(pieces) == whole.steps
    assert whole.next_on is not None
    assert whole.next_on > through
    assert len({step.level for step in whole.steps}) == len(whole.steps)


def test_weekly_levels_go_on_for_good() -> None:
    found = fallen(date(2024, 7, 1), False, "weekly-7", date(2024, 12, 31), PLAN.alerts, CALENDAR)
    assert [step.level for step in found.steps][:2] == ["weekly-8", "weekly-9"]
    assert found.next_on is not None


def test_levels_end_where_the_last_does_not_repeat() -> None:
    levels = PLAN.alerts[:3]
    found = fallen(date(2024, 7, 1), False, "", date(2024, 12, 31), levels, CALENDAR)
    assert [step.level for step in found.steps] == ["before-2", "due", "over-1"]
    assert found.next_on is None


def test_a_level_that_the_plan_dropped_loses_none_of_the_others() -> None:
    found = fallen(date(2024, 7, 1), False, "gone", date(2024, 7, 1), PLAN.alerts, CALENDAR)
    assert [step.level for step in found.steps] == ["before-2", "due"]


def test_each_role_is_told_its_latest_level_alone() -> None:
    found = fallen(date(2024, 7, 1), False, "due", date(2024, 7, 10), PLAN.alerts, CALENDAR)
    assert [(step.level, role, mailed) for step, role, mailed in found.told()] == [
        ("over-1", "responsible", False),
        ("over-3", "responsible", False),
        ("over-3", "head", True),
        ("over-5", "responsible", True),
        ("over-5", "coordinator", True),
    ]


def test_the_first_alert_is_the_first_level() -> None:
    due = Due(date(2024, 9, 12), NOW, False, CALENDAR.version)
    assert first_alert_on(due, PLAN, CALENDAR) == date(2024, 9, 10)
    assert first_alert_on(replace(due, provisional=True), PLAN, CALENDAR) == date(2024, 9, 3)


def leave(person: str, delegate: str = "", email: str = "", department: str = "yjglj") -> Leave:
    return Leave(
        department=department,
        person=person,
        first_on=date(2024, 7, 1),
        last_on=date(2024, 7, 5),
        delegate=delegate,
        delegate_email=email,
        entered_at=NOW,
    )


HEAD, OFFICE = "head@yjglj.example", "coordinator@weidong.example"


@pytest.mark.parametrize(
    ("responsible", "leaves", "refused", "email", "why"),
    [
        (RESPONSIBLE, [], set(), "zhang@yjglj.example", ""),
        (("张三", ""), [], set(), HEAD, "张三没有邮箱"),
        (("", ""), [], set(), HEAD, "尚无责任人"),
        (("张三", "zhang@"), [], set(), HEAD, "张三的邮箱无效"),
        (("张三", "a@b.cn\nBcc: c@d.cn"), [], set(), HEAD, "张三的邮箱无效"),
        (RESPONSIBLE, [], {"zhang@yjglj.example"}, HEAD, "张三的邮箱近日无法送达"),
        (RESPONSIBLE, [leave("张三")], set(), HEAD, "张三请假，无人代办"),
        (RESPONSIBLE, [leave("张三", "李四")], set(), HEAD, "张三请假，无人代办"),
        (
            RESPONSIBLE,
            [leave("张三", "李四", "li@yjglj.example")],
            set(),
            "li@yjglj.example",
            "张三请假，由李四代办",
        ),
        (
            RESPONSIBLE,
            [leave("张三"), leave("应急局负责人")],
            set(),
            OFFICE,
            "张三请假，无人代办；应急局负责人请假，无人代办",
        ),
        (RESPONSIBLE, [leave("张三", department="scjgj")], set(), "zhang@yjglj.example", ""),
        (
            RESPONSIBLE,
            [leave("张三", "李四", "li@yjglj.example"), leave("李四", "王五", "wang@b.cn")],
            set(),
            HEAD,
            "张三请假，代办人李四也请假",
        ),
        (
            RESPONSIBLE,
            [
                leave("张三"),
                leave("应急局负责人"),
                leave("联席会议办公室", "值班员", "duty@weidong.example", department=""),
            ],
            set(),
            "duty@weidong.example",
            "张三请假，无人代办；应急局负责人请假，无人代办；联席会议办公室请假，由值班员代办",
        ),
    ],
)
def test_who_cannot_be_told_is_stood_in_for(
    responsible: tuple[str, str], leaves: list[Leave], refused: set[str], email: str, why: str
) -> None:
    away = absences(leaves, date(2024, 7, 5))
    found = recipient("responsible", responsible, "yjglj", PLAN, away, refused)
    assert (found.email, found.why) == (email, why)
    assert found.redirected == (email in (HEAD, OFFICE, "duty@weidong.example"))


def test_a_leave_that_is_over_stands_in_for_nobody() -> None:
    assert absences([leave("张三")], date(2024, 7, 6)) == {}


@pytest.mark.parametrize("office", [[], [leave("联席会议办公室", department="")]])
def test_the_coordinator_is_told_whatever_is_wrong(office: list[Leave]) -> None:
    refused = {OFFICE, HEAD, "zhang@yjglj.example"}
    away = absences(office, date(2024, 7, 5))
    found = recipient("responsible", RESPONSIBLE, "yjglj", PLAN, away, refused)
    assert found.email == OFFICE


def test_who_acts_for_the_coordinator_is_told_of_the_office_s_own_duties() -> None:
    office = ("联席会议办公室", OFFICE)
    acting = leave("联席会议办公室", "值班员", "duty@weidong.example", department="")
    for role in ("responsible", "coordinator"):
        found = recipient(role, office, "", PLAN, absences([acting], date(2024, 7, 5)), set())
        assert (found.name, found.redirected) == ("值班员", False)
        assert found.why == "联席会议办公室请假，由值班员代办"
    away = absences([leave("联席会议办公室", department="")], date(2024, 7, 5))
    found = recipient("responsible", office, "", PLAN, away, set())
    assert (found.email, found.why) == (OFFICE, "联席会议办公室请假，无人代办")
