"""Leave: who is away on a day, what can be entered, and what ends it."""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base import SHANGHAI
from models.entry import EntryRefused
from models.leave import (
    LONGEST,
    OFFICE,
    Leave,
    Staff,
    absences,
    away_through,
    check_leave,
    repeats,
    returning,
)

ZHANG, LI = ("yjglj", "张三"), ("yjglj", "李四")
STAFF = Staff(
    {"yjglj": "区应急管理局", "scjgj": "区市场监督管理局", "": OFFICE},
    {ZHANG, LI, ("scjgj", "王五"), ("scjgj", "李四"), ("", "主任")},
)
TODAY = date(2024, 7, 3)


def day(number: int) -> date:
    return date(2024, 7, number)


def leave(first: int, last: int, entered: int = 0, **changes: Any) -> Leave:
    """A leave of 张三 in July; `entered` so many minutes after the first."""
    given = {
        "department": "yjglj",
        "person": "张三",
        "first_on": day(first),
        "last_on": day(last),
        "delegate": "",
        "delegate_email": "",
        "entered_at": datetime(2024, 6, 30, 9, entered, tzinfo=SHANGHAI),
    }
    return Leave(**(given | changes))


def acting(delegate: str, email: str = "li@yjglj.example") -> dict[str, str]:
    return {"delegate": delegate, "delegate_email": email}


def back(first: int, last: int, entered: int) -> Leave:
    return leave(first, last, entered, delegate="张三")


def days_away(leaves: list[Leave]) -> set[int]:
    return {number for number in range(1, 32) if ZHANG in absences(leaves, day(number))}


def test_both_ends_of_a_leave_are_away() -> None:
    assert days_away([leave(3, 5)]) == {3, 4, 5}


def test_who_is_back_is_not_away_and_may_go_again() -> None:
    known = [leave(1, 10), back(4, 10, entered=1)]
    assert days_away(known) == {1, 2, 3}
    assert days_away([*known, leave(6, 7, entered=2)]) == {1, 2, 3, 6, 7}


def test_of_two_entries_for_a_day_the_later_one_holds() -> None:
    known = [leave(4, 10, 1, **acting("李四")), leave(1, 5)]
    assert [absences(known, day(number))[ZHANG].delegate for number in (3, 4, 10)] == [
        "",
        "李四",
        "李四",
    ]


def test_a_clock_set_back_lets_no_older_entry_hold() -> None:
    assert days_away([leave(1, 9, 5, id=1), leave(4, 9, 0, id=2, delegate="张三")]) == {1, 2, 3}


@pytest.mark.parametrize(
    ("known", "on", "through"),
    [
        ([leave(1, 5)], 1, 5),
        ([leave(1, 5)], 5, 5),
        ([leave(1, 5)], 6, None),
        ([leave(1, 5), leave(4, 9, 1)], 2, 9),
        ([leave(1, 5), leave(6, 9, 1)], 2, 9),
        ([leave(1, 5), leave(7, 9, 1)], 2, 5),
        ([leave(1, 9), back(5, 9, 1)], 2, 4),
        ([leave(1, 9, person="李四")], 2, None),
    ],
)
def test_an_absence_reaches_as_far_as_its_days_hang_together(
    known: list[Leave], on: int, through: int | None
) -> None:
    assert away_through(known, ZHANG, day(on)) == (through and day(through))


@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 10)), min_size=1, max_size=5),
    st.integers(1, 31),
)
def test_a_return_ends_one_absence_from_its_day_on_and_touches_no_other_day(
    spans: list[tuple[int, int]], on: int
) -> None:
    known = [leave(first, first + more, minute) for minute, (first, more) in enumerate(spans)]
    before, through = days_away(known), away_through(known, ZHANG, day(on))
    if through is None:
        with pytest.raises(EntryRefused, match="没有请假"):
            returning(ZHANG, day(on), known, STAFF, day(1))
        return
    made = returning(ZHANG, day(on), known, STAFF, day(1))
    assert made is not None
    made.entered_at = datetime(2024, 7, 1, tzinfo=SHANGHAI)
    assert days_away([*known, made]) == before - set(range(on, through.day + 1))
    assert returning(ZHANG, day(on), [*known, made], STAFF, day(1)) is None


def test_an_absence_that_is_over_is_not_ended() -> None:
    assert returning(ZHANG, day(2), [leave(1, 3)], STAFF, day(3)) is not None
    with pytest.raises(EntryRefused, match="的请假到 2024-07-03 为止，已经结束，无须销假"):
        returning(ZHANG, day(2), [leave(1, 3)], STAFF, day(4))


@pytest.mark.parametrize(
    ("department", "person", "found"),
    [
        ("yjglj", "张三", ZHANG),
        ("区应急管理局", "张三", ZHANG),
        ("联席会议办公室", "主任", ("", "主任")),
    ],
)
def test_a_person_is_known_by_department_and_name(
    department: str, person: str, found: tuple[str, str]
) -> None:
    assert STAFF.whose(department, person) == found


@pytest.mark.parametrize(
    ("department", "person", "why"),
    [
        ("财政局", "张三", "没有“财政局”这个部门，应为：区应急管理局、区市场监督管理局、联席会议"),
        ("yjglj", "赵六", "区应急管理局没有“赵六”：执法检查人员名录库、负责人和未完成的期限里都没"),
        ("yjglj", "王五", "都没有此人（区市场监督管理局有），请核对部门和姓名"),
        ("yjglj", "主任", "（联席会议办公室有）"),
    ],
)
def test_who_is_told_of_nothing_cannot_be_away(department: str, person: str, why: str) -> None:
    with pytest.raises(EntryRefused) as refused:
        STAFF.whose(department, person)
    assert why in str(refused.value)


REFUSED = {"gone@yjglj.example"}


@pytest.mark.parametrize(
    ("one", "known"),
    [
        (leave(3, 3), []),
        (leave(1, 3), []),  # fell ill the day before yesterday; today is left
        (leave(3, 3 + 28, **acting("赵六")), []),
        (leave(3, 9, **acting("李四")), [leave(1, 2, person="李四")]),
        (leave(3, 9, **acting("李四")), [leave(10, 12, person="李四")]),
        (leave(1, 9, **acting("李四")), [leave(1, 2, person="李四")]),
        # Of the same name, but of another department.
        (leave(3, 9, **acting("李四")), [leave(3, 9, person="李四", department="scjgj")]),
        (leave(3, 9, last_on=day(3) + LONGEST), []),
    ],
)
def test_what_can_stand_is_not_refused(one: Leave, known: list[Leave]) -> None:
    check_leave(one, known, STAFF, REFUSED, TODAY)


@pytest.mark.parametrize(
    ("one", "known", "why"),
    [
        (leave(5, 4), [], "请假止日 2024-07-04 早于起日 2024-07-05，请核对"),
        (leave(1, 2), [], "请假到 2024-07-02 为止，已经过去"),
        (leave(3, 9, last_on=day(4) + LONGEST), [], "超过一年，请核对年份"),
        (leave(3, 9, **acting("")), [], "填了代办人邮箱的，须填代办人"),
        (leave(3, 9, **acting("张三")), [], "代办人不能是请假人本人（张三）"),
        (leave(3, 9, **acting("李\n四")), [], "代办人须写在一行之内"),
        (leave(3, 9, **acting("李四", "")), [], "须填代办人李四的邮箱"),
        (leave(3, 9, **acting("李四", "li@")), [], "代办人邮箱“li@”无效，请核对"),
        (leave(3, 9, **acting("李四", "Gone@yjglj.example")), [], "近日无法送达，请换一个"),
        (
            leave(3, 9, **acting("李四")),
            [leave(9, 12, person="李四")],
            "代办人李四（区应急管理局） 2024-07-09 至 2024-07-12 也请假（无人代办），请另定代办人",
        ),
        (
            leave(3, 9, **acting("王五")),  # of another department, where he is away
            [leave(1, 3, person="王五", department="scjgj", delegate="赵六")],
            "代办人王五（区市场监督管理局） 2024-07-03 也请假（由赵六代办），请另定代办人",
        ),
    ],
)
def test_what_cannot_stand_is_refused_with_what_is_wrong(
    one: Leave, known: list[Leave], why: str
) -> None:
    with pytest.raises(EntryRefused) as refused:
        check_leave(one, known, STAFF, REFUSED, TODAY)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("known", "again"),
    [
        ([], False),
        ([leave(3, 9, **acting("李四"))], True),
        ([leave(3, 9, **acting("李四", "other@yjglj.example"))], False),
        ([leave(3, 8, **acting("李四"))], False),
        ([leave(3, 9, **acting("李四")), leave(20, 21, 1)], True),
        ([leave(3, 9, **acting("李四")), back(5, 9, 1)], False),  # he goes after all
        ([leave(3, 9, **acting("李四"), person="王五")], False),
    ],
)
def test_the_same_entry_again_is_known_by_the_newest_for_its_days(
    known: list[Leave], again: bool
) -> None:
    assert repeats(leave(3, 9, 9, **acting("李四")), known) == again


def test_a_leave_is_told_by_its_days_and_who_acts() -> None:
    assert (leave(3, 3).days, leave(3, 5).days) == ("2024-07-03", "2024-07-03 至 2024-07-05")
    assert (leave(3, 3).acting, leave(3, 3, delegate="李四").acting) == ("无人代办", "由李四代办")
