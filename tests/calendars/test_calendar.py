import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import chinese_calendar
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendars import LocalClosure, NotCovered, WorkingCalendar, parse_notice
from calendars.published import covered_years

DATA = Path(__file__).parents[1] / "data"
RECORD = json.loads((DATA / "cn_days.json").read_text("utf-8"))
WHOLE = json.loads((DATA / "notices_whole.json").read_text("utf-8"))
REHEARSAL = (DATA / "notice_2027_rehearsal.txt").read_text("utf-8")
CHINA = WorkingCalendar.china()
FIRST, LAST = date(2007, 1, 1), date(2026, 12, 31)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


def recorded_working_days() -> set[date]:
    off = {date.fromisoformat(day) for year in RECORD.values() for day in year["off"]}
    work = {date.fromisoformat(day) for year in RECORD.values() for day in year["work"]}
    return {day for day in DAYS if day in work or (day.weekday() < 5 and day not in off)}


# Two sources that share nothing with `holidays`.
RECORDED = recorded_working_days()
CHINESE_CALENDAR = {day for day in DAYS if chinese_calendar.is_workday(day)}


def rehearsal_2027():
    return parse_notice(REHEARSAL, number="国办发明电〔2026〕99号", issued_on=date(2026, 11, 24))


covered_days = st.dates(FIRST, LAST)
middle_days = st.dates(date(2008, 1, 1), date(2025, 12, 31))
counts = st.integers(1, 60)


def test_every_day_since_2007_agrees_with_two_other_sources():
    ours = {day for day in DAYS if CHINA.is_working_day(day)}
    assert ours == RECORDED
    assert ours == CHINESE_CALENDAR


@pytest.mark.parametrize("n", [7, 20])
def test_every_due_date_since_2020_agrees_with_two_other_sources(n):
    events = [day for day in DAYS if day.year >= 2020]
    for working in (sorted(RECORDED), sorted(CHINESE_CALENDAR)):
        following = 0
        for event in events:
            while following < len(working) and working[following] <= event:
                following += 1
            if following + n <= len(working):
                assert CHINA.add_working_days(event, n) == working[following + n - 1]


def test_the_working_days_of_each_year_are_as_many_as_recorded():
    for year in covered_years():
        eve, end = date(year - 1, 12, 31), date(year, 12, 31)
        expected = RECORD[str(year)]["working_days_in_calendar_year"]
        assert CHINA.count_working_days(eve, end) == expected


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 10, 10), True),  # a make-up Saturday
        (date(2026, 9, 20), True),  # a make-up Sunday
        (date(2026, 10, 7), False),
        (date(2026, 10, 8), True),
        (date(2020, 2, 1), False),  # was to be made up, then the holiday was extended
        (date(2020, 1, 31), False),
        (date(2019, 5, 5), True),  # by the amendment of 2019
        (date(2015, 9, 3), False),  # by the amendment of 2015
        (date(2011, 12, 31), True),  # by the notice of the year after
        (date(2007, 12, 31), False),
    ],
)
def test_a_day_is_what_the_notices_made_of_it(day, working):
    assert CHINA.is_working_day(day) is working


def test_the_published_years_end_where_the_notices_end():
    assert CHINA.covered_through == LAST
    assert CHINA.firm_through == date(2026, 12, 28)
    assert CHINA.is_working_day(LAST)
    for day in (LAST + timedelta(days=1), date(2028, 5, 4), FIRST - timedelta(days=1)):
        with pytest.raises(NotCovered, match=str(day)):
            CHINA.is_working_day(day)


@pytest.mark.parametrize(
    ("event", "n"),
    [
        (date(2026, 12, 31), 1),
        (date(2026, 12, 4), 20),
        (date(2027, 1, 1), 1),
        (date(2027, 1, 4), -1),
        (date(2007, 1, 4), -1),
        (date(2006, 12, 31), 1),
        (date(2050, 1, 1), -7),
    ],
)
def test_counting_beyond_the_known_years_is_refused(event, n):
    with pytest.raises(NotCovered):
        CHINA.add_working_days(event, n)


def test_the_last_known_day_can_still_be_reached():
    assert CHINA.add_working_days(date(2026, 12, 30), 1) == LAST
    assert CHINA.add_working_days(date(2007, 1, 5), -1) == date(2007, 1, 4)


@pytest.mark.parametrize("day", [date(2026, 6, 1), date(2027, 6, 1), date(1999, 1, 1)])
def test_zero_working_days_are_refused(day):
    with pytest.raises(ValueError, match="不能为零"):
        CHINA.add_working_days(day, 0)


def test_the_event_day_is_day_zero_working_or_not():
    assert CHINA.add_working_days(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert CHINA.add_working_days(date(2026, 10, 3), 1) == date(2026, 10, 8)
    assert CHINA.add_working_days(date(2026, 10, 8), -1) == date(2026, 9, 30)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 10, 7, 17, 0, tzinfo=UTC),
        datetime(2026, 10, 7, 12, 0, tzinfo=timezone(-timedelta(hours=5))),
        pendulum.datetime(2026, 10, 8, 1, 0, tz="Asia/Shanghai"),
        pendulum.date(2026, 10, 8),
    ],
)
def test_a_time_counts_as_its_day_in_shanghai(moment):
    due = CHINA.add_working_days(moment, 1)
    assert (due, type(due)) == (date(2026, 10, 9), date)
    assert CHINA.is_working_day(moment)
    assert CHINA.count_working_days(date(2026, 10, 7), moment) == 1


def test_a_time_without_a_zone_is_refused():
    naive = datetime(2026, 10, 7, 17, 0)  # noqa: DTZ001
    for ask in (CHINA.is_working_day, lambda day: CHINA.add_working_days(day, 1)):
        with pytest.raises(ValueError, match="缺少时区"):
            ask(naive)


def test_counting_is_after_the_first_day_and_through_the_last():
    assert CHINA.count_working_days(date(2026, 9, 30), date(2026, 10, 8)) == 1
    assert CHINA.count_working_days(date(2026, 10, 8), date(2026, 10, 8)) == 0
    assert CHINA.count_working_days(date(2026, 10, 8), date(2026, 9, 1)) == 0
    with pytest.raises(NotCovered):
        CHINA.count_working_days(date(2026, 12, 1), date(2027, 1, 1))


@given(middle_days, counts)
def test_from_a_working_day_counting_back_undoes_counting_forward(day, n):
    start = CHINA.add_working_days(day, 1)
    assert CHINA.add_working_days(CHINA.add_working_days(start, n), -n) == start


@given(middle_days, middle_days, counts)
def test_a_later_event_is_never_due_earlier(one, other, n):
    first, second = sorted((one, other))
    assert CHINA.add_working_days(first, n) <= CHINA.add_working_days(second, n)
    assert CHINA.add_working_days(first, n) < CHINA.add_working_days(first, n + 1)


@given(middle_days, counts)
def test_from_a_day_off_is_as_from_the_working_day_before_it(day, n):
    if not CHINA.is_working_day(day):
        before = CHINA.add_working_days(day, -1)
        assert CHINA.add_working_days(day, n) == CHINA.add_working_days(before, n)


@given(middle_days, counts)
def test_counting_between_agrees_with_adding(day, n):
    due = CHINA.add_working_days(day, n)
    assert CHINA.count_working_days(day, due) == n
    assert CHINA.is_working_day(due)


@given(st.lists(middle_days, max_size=20), st.sampled_from([7, -5]))
def test_many_dates_at_once_are_as_one_by_one(days, n):
    expected = [CHINA.add_working_days(day, n) for day in days]
    assert CHINA.add_working_days_to_all(days, n) == expected


def test_many_dates_at_once_take_times_and_refuse_unknown_days():
    moment = datetime(2026, 10, 7, 17, 0, tzinfo=UTC)
    assert CHINA.add_working_days_to_all([moment], 1) == [date(2026, 10, 9)]
    with pytest.raises(NotCovered, match="2026-12-31"):
        CHINA.add_working_days_to_all([date(2026, 6, 1), LAST], 7)
    with pytest.raises(ValueError, match="不能为零"):
        CHINA.add_working_days_to_all([LAST], 0)


def test_the_calendar_is_built_once():
    assert WorkingCalendar.china() is CHINA


def test_a_notice_makes_a_new_calendar_and_leaves_the_old_one():
    newer = CHINA.with_notices([rehearsal_2027()])
    assert newer.covered_through == date(2027, 12, 31)
    assert newer.firm_through == date(2027, 12, 28)
    assert newer.version.startswith(CHINA.version)
    assert "国办发明电〔2026〕99号" in newer.version
    assert newer.is_working_day(date(2027, 2, 14))
    assert not newer.is_working_day(date(2027, 2, 12))
    assert newer.add_working_days(date(2026, 12, 31), 1) == date(2027, 1, 4)
    with pytest.raises(NotCovered):
        CHINA.is_working_day(date(2027, 2, 14))


def test_a_notice_replaces_what_was_provisional():
    newer = CHINA.provisional.with_notices([rehearsal_2027()])
    plain = CHINA.with_notices([rehearsal_2027()])
    assert (newer.version, newer.firm_through) == (plain.version, plain.firm_through)
    assert newer.covered_through == date(2027, 12, 31)
    assert newer.ruling(date(2027, 2, 5)) == (False, "春节放假")
    assert CHINA.provisional.ruling(date(2027, 2, 5)) == (False, "春节（法定节假日）（暂定）")


def test_the_same_number_with_another_text_is_another_version():
    one = rehearsal_2027()
    other = parse_notice(
        REHEARSAL.replace("5月8日", "4月25日").replace("4月25日（周六）", "4月25日（周日）"),
        number=one.number,
        issued_on=one.issued_on,
    )
    versions = {CHINA.with_notices([each]).version for each in (one, other)}
    assert len(versions | {CHINA.version}) == 3


def imported(entry):
    return parse_notice(
        entry["text"],
        number=entry["number"],
        issued_on=date.fromisoformat(entry["issued_on"]),
    )


def test_importing_past_years_and_their_amendments_changes_no_day():
    amended = [each for each in WHOLE["amendments"] if each["year"] == 2019]
    again = CHINA.with_notices(map(imported, [*WHOLE["notices"], *amended]))
    assert [day for day in DAYS if again.is_working_day(day)] == sorted(RECORDED)


def test_an_amendment_is_laid_over_its_year():
    before = next(each for each in WHOLE["notices"] if each["year"] == 2019)
    without = CHINA.with_notices([imported(before)])
    assert without.is_working_day(date(2019, 5, 2))
    assert not without.is_working_day(date(2019, 5, 5))
    amendment = next(each for each in WHOLE["amendments"] if each["year"] == 2019)
    amended = without.with_notices([imported(amendment)])
    assert not amended.is_working_day(date(2019, 5, 2))
    assert amended.ruling(date(2019, 5, 5)) == (True, "调休上班（国办发明电〔2019〕3号）")


def test_an_extended_holiday_drops_the_make_up_day():
    plan = (
        "一、元旦：2020年1月1日放假，共1天。"
        "二、春节：1月24日至30日放假调休，共7天。1月19日（星期日）、2月1日（星期六）上班。"
    )
    original = parse_notice(plan, number="国办发明电〔2019〕16号", issued_on=date(2019, 11, 21))
    without = CHINA.with_notices([original])
    assert without.is_working_day(date(2020, 2, 1))
    amendment = next(each for each in WHOLE["amendments"] if each["year"] == 2020)
    amended = without.with_notices([imported(amendment)])
    days = [date(2020, 1, 30) + timedelta(days=n) for n in range(5)]
    assert [amended.is_working_day(day) for day in days] == [False] * 4 + [True]


def test_no_year_may_be_left_out():
    skipping = parse_notice(REHEARSAL, number="国办发明电〔2027〕9号", issued_on=date(2027, 11, 24))
    with pytest.raises(ValueError, match="尚无 2027 年的全年通知"):
        CHINA.with_notices([skipping])
    with pytest.raises(ValueError, match="尚无 2027 年"):
        CHINA.with_notices(
            [
                parse_notice(
                    "2027年5月1日至4日放假调休，共4天。",
                    number="国办发明电〔2027〕1号",
                    issued_on=date(2027, 3, 1),
                )
            ]
        )


def test_a_local_closure_is_off_and_says_by_which_order():
    flood = LocalClosure(date(2026, 7, 22), date(2026, 7, 25), "防汛停工", "卫东政〔2026〕8号")
    local = CHINA.with_closures([flood])
    assert local.ruling(date(2026, 7, 22)) == (False, "防汛停工（卫东政〔2026〕8号）")
    assert local.ruling(date(2026, 7, 25)) == (False, "周末")
    assert local.add_working_days(date(2026, 7, 21), 1) == date(2026, 7, 27)
    assert CHINA.add_working_days(date(2026, 7, 21), 1) == date(2026, 7, 22)
    assert local.version != CHINA.version
    later = local.with_notices([rehearsal_2027()])
    assert not later.is_working_day(date(2026, 7, 22))
    assert later.covered_through.year == 2027


def test_a_closure_cannot_end_before_it_begins():
    with pytest.raises(ValueError, match="早于起日"):
        LocalClosure(date(2026, 7, 22), date(2026, 7, 21), "防汛停工", "卫东政〔2026〕8号")


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2026, 10, 9), "工作日"),
        (date(2026, 10, 11), "周末"),
        (date(2026, 10, 1), "国庆节放假"),
        (date(2026, 10, 4), "国庆节放假"),
        (date(2026, 10, 7), "国庆节放假"),
        (date(2026, 2, 16), "春节放假"),
        (date(2020, 2, 2), "春节放假"),
        (date(2025, 10, 8), "国庆节、中秋节放假"),
        (date(2026, 10, 10), "调休上班（国办发明电〔2025〕7号）"),
        (date(2018, 12, 29), "调休上班（国办发明电〔2018〕15号）"),
        (date(2019, 4, 28), "调休上班（国办发明电〔2019〕3号）"),
        (date(2026, 12, 29), "工作日（暂定）"),
    ],
)
def test_a_day_says_why_it_is_counted_or_not(day, reason):
    assert CHINA.ruling(day)[1] == reason
