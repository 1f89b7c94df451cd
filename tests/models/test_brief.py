"""The brief's draft says what the figures bear out, on time and late apart, and names nobody."""

from datetime import date

import pytest

from models.brief import BriefDraft, brief_draft, check_brief
from models.entry import EntryRefused
from models.plan import read_plan
from models.settings import SHIPPED_PLAN
from models.statistics import Inspections, Tally, statistics

PLAN = read_plan(SHIPPED_PLAN)
LATE = Tally("2024-1", "区应急管理局", "publish", 20, on_time=17, late=2, overdue=1)
PROMPT = Tally("2024-1", "区市场监督管理局", "publish", 20, on_time=20, late=0)
FOLLOWED = Tally("2024-1", "区应急管理局", "follow_up", 5, on_time=5, late=0)


def draft(
    *tallies: Tally, total: int = 20, ended: int = 20, dropped: int = 0, **results: int
) -> BriefDraft:
    inspections = Inspections(total, ended, dropped, drawn=True)
    figures = statistics("2024-1", tallies, [inspections], 1)
    found = {int(code.removeprefix("r")): number for code, number in results.items()}
    days = date(2024, 6, 25), date(2024, 9, 30), date(2024, 11, 5)
    return brief_draft(PLAN, 1, *days, figures, inspections, found)


def test_on_time_and_late_stand_apart_by_department() -> None:
    rows = {row.department: row for row in draft(LATE, PROMPT).rows}
    assert (rows["区应急管理局"].on_time, rows["区应急管理局"].late) == (17, 2)
    assert (rows["区应急管理局"].open, rows["区应急管理局"].overdue) == (1, 1)
    assert (rows["区市场监督管理局"].on_time, rows["区市场监督管理局"].late) == (20, 0)


def test_the_rates_are_those_of_the_statistics_save_the_plan_s_own() -> None:
    rates = {rate.name: (rate.percent, rate.counted) for rate in draft(LATE, PROMPT).rates}
    assert rates == {
        "检查完成率": ("100.0%", "20 ÷ 20"),
        "公示率": ("97.5%", "39 ÷ 40"),
        "按时公示率": ("92.5%", "37 ÷ 40"),
        "移送按时率": ("—", "0 ÷ 0"),
        "后续处置完结率": ("—", "0 ÷ 0"),
    }


def test_only_what_is_whole_is_a_highlight() -> None:
    assert draft(LATE, FOLLOWED).highlights == (
        "2 个部门联合检查 20 户，每户进一次门，同查 3 个事项。",
        "检查完成率 100%（20 ÷ 20）。",
        "后续处置完结率 100%（5 ÷ 5）。",
    )


def test_problems_are_what_was_found_what_was_left_and_who_was_late() -> None:
    found = draft(LATE, PROMPT, ended=18, dropped=1, r1=30, r5=6, r10=2)
    assert found.problems == (
        "检查结果为“发现问题已责令改正”的 6 项次。",
        "检查结果为“不合格”的 2 项次。",
        "未实施 1 户。",
        "检查时间届满，仍有 1 户没有检查。",
        "区应急管理局公示：逾期办理 2 项，逾期未办 1 项。",
    )


def test_without_any_problem_it_says_so() -> None:
    assert draft(PROMPT, r1=60).problems == ("未发现问题。",)


@pytest.mark.parametrize(
    ("sent_on", "waiting", "said"),
    [
        (date(2024, 9, 30), 1, "还有 1 户没有检查"),
        (date(2024, 10, 1), 1, ""),  # the window is over: what is left is part of the report
        (date(2024, 7, 1), 0, ""),
        (date(2024, 11, 6), 0, "还没有到"),
    ],
)
def test_it_is_sent_once_all_is_visited_or_the_window_is_over(
    sent_on: date, waiting: int, said: str
) -> None:
    window_end, as_of = date(2024, 9, 30), date(2024, 11, 5)
    if not said:
        check_brief("2024-1", sent_on, window_end, waiting, as_of)
        return
    with pytest.raises(EntryRefused, match=said):
        check_brief("2024-1", sent_on, window_end, waiting, as_of)
