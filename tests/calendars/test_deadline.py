from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendars import (
    SHANGHAI,
    Extension,
    LocalClosure,
    NotCovered,
    Suspension,
    Term,
    Unit,
    WorkingCalendar,
    alert_base,
    explain,
    refusal,
)

CHINA = WorkingCalendar.china()
GROUNDS = {"document": "卫东应急〔2026〕3号", "article": "行政处罚法 66", "approver": "李四"}


def suspension(from_, through, approved_on):
    return Suspension(from_, through, approved_on=approved_on, **GROUNDS)


def extension(amount, approved_on, **other):
    return Extension(amount, approved_on=approved_on, **{**GROUNDS, **other})


def test_a_deadline_lists_every_day_counted_and_skipped():
    deadline = CHINA.deadline(date(2026, 9, 29), working_days=4)
    assert deadline.due_on == date(2026, 10, 10)
    assert not deadline.provisional
    assert deadline.calendar_version == CHINA.version
    assert [(f"{note.date:%m-%d}", note.number) for note in deadline.days] == [
        ("09-30", 1),
        *[(f"10-0{day}", None) for day in range(1, 8)],
        ("10-08", 2),
        ("10-09", 3),
        ("10-10", 4),
    ]
    last = deadline.days[-1]
    assert (last.weekday, last.reason) == ("周六", "调休上班（国办发明电〔2025〕7号）")


def test_it_is_due_at_the_end_of_the_day_in_shanghai():
    deadline = CHINA.deadline(date(2026, 10, 9), working_days=1)
    assert deadline.due_at == datetime(2026, 10, 11, 0, 0, tzinfo=SHANGHAI)
    assert deadline.due_at.isoformat() == "2026-10-11T00:00:00+08:00"


def test_or_at_the_end_of_business_where_an_office_receives_it():
    deadline = CHINA.deadline(date(2026, 10, 9), working_days=1, closes_at=time(17, 30))
    assert deadline.due_at.isoformat() == "2026-10-10T17:30:00+08:00"
    with pytest.raises(ValueError, match="不带时区"):
        CHINA.deadline(date(2026, 10, 9), working_days=1, closes_at=time(17, 30, tzinfo=UTC))


def test_an_event_at_night_belongs_to_its_day_in_shanghai():
    deadline = CHINA.deadline(datetime(2026, 10, 7, 17, 0, tzinfo=UTC), working_days=1)
    assert (deadline.event_day, deadline.due_on) == (date(2026, 10, 8), date(2026, 10, 9))


@given(st.dates(date(2007, 2, 1), date(2026, 8, 1)), st.integers(1, 60))
def test_the_deadline_is_the_day_that_counting_gives(event, n):
    deadline = CHINA.deadline(event, working_days=n)
    assert deadline.due_on == CHINA.add_working_days(event, n)
    assert [note.number for note in deadline.days if note.number] == list(range(1, n + 1))
    dates = [note.date for note in deadline.days]
    assert dates == [event + timedelta(days=each + 1) for each in range(len(dates))]


@given(st.dates(date(2008, 1, 1), date(2026, 12, 31)), st.integers(1, 60))
def test_a_deadline_counted_backwards_is_the_day_that_counting_gives(event, n):
    deadline = CHINA.deadline(event, working_days=-n)
    assert deadline.due_on == CHINA.add_working_days(event, -n)


@pytest.mark.parametrize(
    ("event", "n", "due_on", "provisional"),
    [
        (date(2026, 12, 25), 1, date(2026, 12, 28), False),
        (date(2026, 12, 25), 2, date(2026, 12, 29), True),
        (date(2026, 12, 31), 1, date(2027, 1, 4), True),
        (date(2026, 12, 24), 20, date(2027, 1, 22), True),
        (date(2027, 2, 4), 1, date(2027, 2, 9), True),  # 除夕 to 初三 off, nothing in lieu
        (date(2027, 1, 4), -5, date(2026, 12, 25), True),
        (date(2026, 12, 28), -1, date(2026, 12, 25), False),
    ],
)
def test_beyond_the_firm_days_a_deadline_is_provisional(event, n, due_on, provisional):
    deadline = CHINA.deadline(event, working_days=n)
    assert (deadline.due_on, deadline.provisional) == (due_on, provisional)
    marked = [note for note in deadline.days if note.reason.endswith("（暂定）")]
    assert bool(marked) is provisional
    assert alert_base(deadline) == due_on - timedelta(days=7 * provisional)


def test_a_provisional_holiday_says_that_the_law_gives_it():
    deadline = CHINA.deadline(date(2026, 12, 31), working_days=1)
    assert deadline.days[0].reason == "元旦（法定节假日）（暂定）"


def test_provisional_counting_has_an_end_too():
    assert CHINA.provisional.firm_through == CHINA.firm_through
    assert CHINA.provisional.version == CHINA.version
    assert CHINA.provisional.provisional is CHINA.provisional
    with pytest.raises(NotCovered):
        CHINA.deadline(date(2031, 12, 30), working_days=20)


@pytest.mark.parametrize(
    ("event", "n", "due_on"),
    [
        (date(2026, 9, 21), 3, date(2026, 9, 24)),
        (date(2026, 9, 24), 10, date(2026, 10, 8)),  # the 4th is within 国庆节
        (date(2026, 9, 30), 10, date(2026, 10, 10)),  # a make-up Saturday is no day off
        (date(2026, 6, 2), 4, date(2026, 6, 8)),  # a Saturday
    ],
)
def test_calendar_days_whose_last_is_a_day_off_move_to_the_next_working_day(event, n, due_on):
    deadline = CHINA.deadline(event, calendar_days=n)
    assert deadline.due_on == due_on
    assert max(note.number or 0 for note in deadline.days) == n


def test_hours_run_by_the_minute_and_through_days_off():
    approved = datetime(2026, 10, 1, 9, 15, 40, tzinfo=SHANGHAI)
    deadline = CHINA.deadline(approved, hours=24)
    assert deadline.due_at.isoformat() == "2026-10-02T09:15:00+08:00"
    assert (deadline.due_on, deadline.days) == (date(2026, 10, 2), ())
    midnight = CHINA.deadline(datetime(2026, 10, 1, tzinfo=SHANGHAI), hours=24)
    assert midnight.due_on == date(2026, 10, 1)
    with pytest.raises(ValueError, match="需要起始时刻"):
        CHINA.deadline(date(2026, 10, 1), hours=24)


def test_a_fixed_date_never_moves():
    term = Term(date(2026, 10, 4), Unit.FIXED_DATE)
    deadline = CHINA.due(date(2026, 6, 25), term)
    assert (deadline.due_on, deadline.provisional) == (date(2026, 10, 4), False)
    assert not CHINA.due(date(2026, 6, 25), Term(date(2026, 12, 31), Unit.FIXED_DATE)).provisional


@pytest.mark.parametrize(
    ("amount", "unit", "message"),
    [
        (0, "工作日", "不能为零"),
        (0, "日", "不能为零"),
        (-3, "日", "只有工作日可以倒数"),
        (-24, "小时", "只有工作日可以倒数"),
        (2.5, "工作日", "不符"),
        (True, "工作日", "不符"),
        (7, "固定日期", "不符"),
        (date(2026, 1, 1), "日", "不符"),
        (7, "周", "没有“周”这种期限单位"),
    ],
)
def test_a_term_that_makes_no_sense_is_refused(amount, unit, message):
    with pytest.raises(ValueError, match=message):
        Term(amount, unit)


@pytest.mark.parametrize(
    "amounts", [{}, {"working_days": 7, "hours": 1}, {"working_days": 0}, {"calendar_days": -1}]
)
def test_a_deadline_needs_exactly_one_amount(amounts):
    with pytest.raises(ValueError, match=r"期限|倒数"):
        CHINA.deadline(date(2026, 6, 1), **amounts)


def test_suspended_days_do_not_count_and_say_why():
    grant = suspension(date(2026, 6, 3), date(2026, 6, 9), approved_on=date(2026, 6, 2))
    plain = CHINA.deadline(date(2026, 6, 1), working_days=7)
    deadline = CHINA.deadline(date(2026, 6, 1), working_days=7, grants=[grant])
    assert (plain.due_on, deadline.due_on) == (date(2026, 6, 10), date(2026, 6, 17))
    excluded = [note for note in deadline.days if note.reason.startswith("中止")]
    assert [note.date.day for note in excluded] == [3, 4, 5, 6, 7, 8, 9]
    assert excluded[0].reason == "中止（行政处罚法 66，卫东应急〔2026〕3号，李四批准）"
    assert all(note.number is None for note in excluded)


def test_a_suspension_never_works_backwards_from_its_approval():
    grant = suspension(date(2026, 6, 3), date(2026, 6, 9), approved_on=date(2026, 6, 8))
    deadline = CHINA.deadline(date(2026, 6, 1), working_days=7, grants=[grant])
    excluded = [note.date.day for note in deadline.days if note.reason.startswith("中止")]
    assert excluded == [8, 9]


@pytest.mark.parametrize(
    ("approved_on", "due_on"),
    [(date(2026, 6, 10), date(2026, 6, 15)), (date(2026, 6, 11), date(2026, 6, 10))],
)
def test_a_grant_after_the_due_day_removes_no_overdue(approved_on, due_on):
    grant = extension(3, approved_on)
    deadline = CHINA.deadline(date(2026, 6, 1), working_days=7, grants=[grant])
    assert deadline.due_on == due_on
    assert deadline.without_effect == ((grant,) if due_on == date(2026, 6, 10) else ())
    assert ("不生效" in explain(deadline)) is bool(deadline.without_effect)


def test_an_extension_in_time_keeps_the_next_one_in_time():
    grants = [extension(3, date(2026, 6, 12)), extension(3, date(2026, 6, 10), article="细则 9")]
    deadline = CHINA.deadline(date(2026, 6, 1), working_days=7, grants=grants)
    numbered = {note.number: note.reason for note in deadline.days if note.number}
    assert len(numbered) == 13
    assert deadline.without_effect == ()
    assert "延期" not in numbered[7]
    assert numbered[8] == "工作日，延期（细则 9，卫东应急〔2026〕3号，李四批准）"
    assert "行政处罚法 66" in numbered[11]


def test_an_extension_of_calendar_days_is_in_calendar_days():
    deadline = CHINA.deadline(
        date(2026, 6, 1), calendar_days=3, grants=[extension(2, date(2026, 6, 4))]
    )
    assert deadline.due_on == date(2026, 6, 8)  # the 6th is a Saturday


@given(st.dates(date(2026, 6, 1), date(2026, 7, 31)), st.integers(0, 20))
def test_no_grant_ever_makes_a_deadline_earlier_or_unmisses_it(approved_on, length):
    event = date(2026, 6, 1)
    due_on = CHINA.add_working_days(event, 20)
    grant = suspension(event, approved_on + timedelta(days=length), approved_on)
    with_grant = CHINA.deadline(event, working_days=20, grants=[grant])
    assert with_grant.due_on >= due_on
    if approved_on > due_on:
        assert with_grant.due_on == due_on


@pytest.mark.parametrize("amounts", [{"hours": 24}, {"working_days": -3}])
def test_hours_and_backward_terms_take_no_grants(amounts):
    event = datetime(2026, 6, 1, 9, 0, tzinfo=SHANGHAI)
    with pytest.raises(ValueError, match="不能中止或延期"):
        CHINA.deadline(event, **amounts, grants=[extension(1, date(2026, 6, 1))])


@pytest.mark.parametrize("missing", ["document", "article", "approver"])
def test_a_grant_without_its_grounds_is_refused(missing):
    with pytest.raises(ValueError, match="缺少"):
        extension(1, date(2026, 6, 1), **{missing: " "})


def test_a_grant_must_be_of_some_days():
    with pytest.raises(ValueError, match="至少"):
        extension(0, date(2026, 6, 1))
    with pytest.raises(ValueError, match="早于起日"):
        suspension(date(2026, 6, 3), date(2026, 6, 2), approved_on=date(2026, 6, 1))


def test_nobody_approves_their_own_extension():
    grant = extension(1, date(2026, 6, 1))
    assert "不能是责任人本人" in refusal(grant, responsible="李四 ")
    assert refusal(grant, responsible="张三") is None


def test_a_local_closure_shows_in_the_explanation():
    closure = LocalClosure(date(2026, 6, 2), date(2026, 6, 3), "防汛停工", "卫东政〔2026〕8号")
    local = CHINA.with_closures([closure])
    deadline = local.deadline(date(2026, 6, 1), working_days=1)
    assert deadline.due_on == date(2026, 6, 4)
    assert deadline.days[0].reason == "防汛停工（卫东政〔2026〕8号）"
    assert deadline.calendar_version == local.version


def test_the_explanation_for_people_has_a_line_a_day():
    text = explain(CHINA.deadline(date(2026, 9, 30), working_days=3))
    assert text.splitlines() == [
        "起始日 2026-09-30（周三），不计入；期限 3个工作日",
        *[
            f"2026-10-0{day}（周{'四五六日一二三'[day - 1]}） 不计：国庆节放假"
            for day in range(1, 8)
        ],
        "2026-10-08（周四） 第 1 日：工作日",
        "2026-10-09（周五） 第 2 日：工作日",
        "2026-10-10（周六） 第 3 日：调休上班（国办发明电〔2025〕7号）",
        f"到期日 2026-10-10（周六）；日历版本 {CHINA.version}",
    ]
    assert "到期日 2026-12-29（周二）（暂定）" in explain(
        CHINA.deadline(date(2026, 12, 28), working_days=1)
    )


def test_the_form_for_programs_has_the_agreed_keys():
    answer = CHINA.deadline(date(2026, 9, 30), working_days=1).as_dict()
    assert answer == {
        "event_day": "2026-09-30",
        "working_days": 1,
        "due_on": "2026-10-08",
        "due_at": "2026-10-09T00:00:00+08:00",
        "provisional": False,
        "calendar_version": CHINA.version,
        "days": answer["days"],
    }
    assert answer["days"][-1] == {
        "date": "2026-10-08",
        "weekday": "周四",
        "number": 1,
        "reason": "工作日",
    }


@pytest.mark.parametrize(
    ("event", "due_on"),
    [
        (date(2026, 6, 8), date(2026, 6, 11)),
        (date(2026, 6, 11), date(2026, 6, 14)),  # Thursday to Sunday: not moved
        (date(2026, 9, 29), date(2026, 10, 2)),  # into National Day: not moved either
        (date(2026, 10, 1), date(2026, 10, 4)),  # from a day off
    ],
)
def test_natural_days_count_every_day_and_end_where_they_end(event, due_on):
    deadline = CHINA.deadline(event, natural_days=3)
    assert deadline.due_on == due_on
    assert deadline.due_at == datetime.combine(due_on + timedelta(days=1), time(), tzinfo=SHANGHAI)
    assert [note.number for note in deadline.days] == [1, 2, 3]
    assert deadline.as_dict()["natural_days"] == 3
    assert "期限 3自然日" in explain(deadline)


def test_no_notice_can_move_natural_days_so_they_are_firm_beyond_the_known_years():
    deadline = CHINA.deadline(date(2026, 12, 30), natural_days=3)
    assert (deadline.due_on, deadline.provisional) == (date(2027, 1, 2), False)
    assert CHINA.deadline(date(2026, 12, 30), calendar_days=3).provisional


def test_hours_are_explained_by_their_minutes():
    start = datetime(2026, 10, 2, 23, 50, tzinfo=SHANGHAI)
    assert explain(CHINA.deadline(start, hours=24)).splitlines() == [
        "自 2026-10-02（周五） 23:50 起 24小时，休息日照计",
        "到期 2026-10-03（周六） 23:50",
    ]
