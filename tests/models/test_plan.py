"""Plans: what stands is read, what does not is refused in one line that says where and why."""

import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models.plan import DUTY_NAMES, GradeRatio, Plan, PlanRefused, Window, read_plan
from models.settings import SHIPPED_PLAN

TEXT = SHIPPED_PLAN.read_text(encoding="utf-8")
Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> str:
    """The line that a plan so changed is refused with."""
    content = tomllib.loads(TEXT)
    change(content)
    with pytest.raises(ValidationError) as refused:
        Plan.model_validate(content)
    return str(refused.value)


def refusal(path: Path, old: str, new: str) -> str:
    """The line that the shipped file is refused with, `old` in it replaced by `new`."""
    assert old in TEXT
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PlanRefused) as refused:
        read_plan(path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "方案.toml"


def test_the_shipped_plan_says_what_the_notice_says() -> None:
    plan = read_plan(SHIPPED_PLAN)
    assert plan.number == "平卫双随机办〔2024〕55号"
    assert plan.window == Window(begins_on=date(2024, 6, 25), ends_on=date(2024, 12, 31))
    assert len(plan.rounds) == 2
    assert [(d.name, d.initiating) for d in plan.departments] == [
        ("区应急管理局", True),
        ("区市场监督管理局", False),
    ]
    assert [(g.grade, str(g.floor)) for g in plan.grades] == [
        ("A", "1"), ("B", "3"), ("C", "10"), ("D", "20"),
    ]  # fmt: skip
    assert plan.term("refer").working_days == 7
    assert plan.term("publish").working_days == 20
    assert plan.term("crime_decide").natural_days == 3
    assert plan.term("crime_transfer").hours == 24
    assert [result.code for result in plan.results if result.clean] == [1, 9]
    assert [result.code for result in plan.results if result.adverse] == [2, 3, 4, 5, 6, 8, 10]
    assert not plan.drill


def test_every_statutory_term_of_the_shipped_plan_names_its_section() -> None:
    plan = read_plan(SHIPPED_PLAN)
    sources = {duty: plan.term(duty).source for duty in DUTY_NAMES}
    assert sources["publish"] == "方案第八条"
    assert sources["refer"] == "方案第七.2条"
    assert {duty for duty, source in sources.items() if source == "内部时限"} == {
        "public_value",
        "record",
        "republish",
        "reveal",
        "follow_up",
    }


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("sweep_at", "sweep_on", "sweep_at：缺少这一项；sweep_on：不认识的项，请检查拼写"),
        ('ratio = "3"', 'ratio = "2"', "grades.1：抽查比例 2% 低于方案规定的下限 3%"),
        (
            'ratio = "3"',
            'ratio = "3.5"',
            "grades.1：抽查比例 3.5% 高于下限 3%，须写明理由 reason",
        ),
        (
            'ratio = "3"',
            "ratio = 3.5",
            'grades.1.ratio：比例须写成带引号的十进制数，如 "0.5"，以免失真',
        ),
        ('ratio = "20"', 'ratio = "101"', "grades.3.ratio：不能大于 100"),
        ('ratio = "3"', 'ratio = "NaN"', "grades.1.ratio：类型或格式不对"),
        (
            "ends_on = 2024-09-30",
            "ends_on = 2025-01-01",
            "全文：第 1 轮 (2024-06-25—2025-01-01) 不在检查时间 2024-06-25—2024-12-31 之内",
        ),
        (
            "opens_on = 2024-06-25",
            "opens_on = 2024-06-24",
            "全文：第 1 轮 (2024-06-24—2024-09-30) 不在检查时间 2024-06-25—2024-12-31 之内",
        ),
        (
            "visits_from = 2024-07-08",
            "visits_from = 2024-10-08",
            "rounds.0：应有 opens_on ≤ visits_from ≤ ends_on",
        ),
        ('department = "yjglj"', 'department = "scjgj"', "全文：部门“区应急管理局”没有抽查事项"),
        (
            'department = "yjglj"',
            'department = "xfj"',
            "全文：部门“区应急管理局”没有抽查事项；"
            "抽查事项“对危险化学品经营单位安全生产的监督抽查”的部门“xfj”不在部门名单中",
        ),
        ("inspectors = 2", "inspectors = 1", "departments.0.inspectors：不能小于 2"),
        ('email = "head@yjglj.example"', 'email = "head"', "departments.0.head.email：格式不对"),
        ("working_days = 20", "working_days = 0", "terms.10：期限不能是 0 个工作日"),
        (
            "working_days = 20",
            "",
            "terms.10：固定日期的期限不写 working_days，其余期限必须写",
        ),
        (
            "internal = true",
            "",
            "terms.3：法定期限须写明条款 section 或依据 statute；办公室自定的写 internal = true",
        ),
        ('code = "sc-2"', 'code = "sc-1"', "全文：抽查事项代码重复"),
        ('code = "scjgj"', 'code = "yjglj"', "全文：部门代码重复；"),
        ('grade = "B"', 'grade = "A"', "全文：grades 应依次为 A、B、C、D 四个等级"),
        ('grade = "B"', 'grade = "E"', "grades.1.grade：只能是 'A', 'B', 'C' 或 'D'"),
        ("number = 2", "number = 3", "全文：轮次应从 1 起连续编号"),
        ("offset = -2", "offset = 2", "全文：提醒级别 alerts 应按 offset 从小到大、互不相同"),
        ('level = "due"', 'level = "due"\nevery = 1', "全文：只有最后一个提醒级别可以重复 (every)"),
    ],
)  # fmt: skip
def test_a_plan_with_a_fault_is_refused_with_its_place_and_the_fault(
    file: Path, old: str, new: str, line: str
) -> None:
    assert refusal(file, old, new).startswith(f"方案.toml：{line}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda plan: plan["departments"][1].update(initiating=True), "应有且只有一个发起部门"),
        (lambda plan: plan["departments"][0].update(initiating=False), "应有且只有一个发起部门"),
        (lambda plan: plan["terms"].pop(), "缺少期限：专项简报"),
        (lambda plan: plan["terms"].append(plan["terms"][-1]), "同一职责写了两个期限"),
        (lambda plan: plan["results"].pop(), "检查结果应为 1 至 10 共十种"),
        (lambda plan: plan["results"].reverse(), "检查结果应为 1 至 10 共十种"),
        (lambda plan: plan.update(alerts=[]), "提醒级别"),
        (lambda plan: plan.update(urgent_alerts=[]), "加急提醒级别 urgent_alerts 应按 hours"),
        (lambda plan: plan["urgent_alerts"][1].update(hours=-4), "应按 hours 从小到大、互不相同"),
        (lambda plan: plan["urgent_alerts"][1].update(at_start=True), "只有第一个加急提醒级别"),
        (lambda plan: plan["urgent_alerts"][1].update(every=24), "只有最后一个提醒级别可以重复"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(change: Change, said: str) -> None:
    assert said in changed(change)


@pytest.mark.parametrize(
    ("duty", "change", "said"),
    [
        ("crime_decide", {"natural_days": None}, "写 natural_days 或 hours 中的一个"),
        ("crime_decide", {"hours": 72}, "写 natural_days 或 hours 中的一个"),
        ("crime_transfer", {"working_days": 1}, "不按工作日计，不写 working_days"),
        ("crime_transfer", {"hours": 0}, "greater than or equal to 1"),
        ("publish", {"hours": 24}, "其余期限都不写这两项"),
        ("inspect", {"natural_days": 3}, "其余期限都不写这两项"),
    ],
)
def test_only_suspected_crime_is_counted_by_the_clock_and_in_one_unit(
    duty: str, change: dict[str, Any], said: str
) -> None:
    def alter(plan: dict[str, Any]) -> None:
        next(term for term in plan["terms"] if term["duty"] == duty).update(change)

    assert said in changed(alter)


def test_all_faults_of_a_plan_are_told_at_once(file: Path) -> None:
    line = refusal(file, 'ratio = "3"', 'ratio = "2"\nfloors = "1"')
    assert "grades.1.floors：不认识的项，请检查拼写" in line
    line = refusal(file, "[window]", "extra = 1\n[window]")
    assert line == "方案.toml：extra：不认识的项，请检查拼写"


def test_a_ratio_at_its_floor_needs_no_reason_and_a_higher_one_does() -> None:
    assert GradeRatio(grade="B", floor="3", ratio="3.0").reason == ""
    assert GradeRatio(grade="B", floor="3", ratio="5", reason="重点行业").ratio == 5
    with pytest.raises(ValidationError, match="须写明理由"):
        GradeRatio(grade="B", floor="3", ratio="3.0001")


@settings(max_examples=50, deadline=None)
@given(st.decimals(0, 100, places=3), st.decimals(0, 100, places=3))
def test_no_ratio_below_its_floor_passes(floor: Any, ratio: Any) -> None:
    if ratio > 0 and floor <= ratio:
        assert GradeRatio(grade="A", floor=floor, ratio=ratio, reason="行业").ratio == ratio
    else:
        with pytest.raises(ValidationError):
            GradeRatio(grade="A", floor=floor, ratio=ratio, reason="行业")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"number = ", "方案.toml：不是有效的 TOML（"),
        ("number = '平卫'".encode("gb18030"), "方案.toml：计划文件须为 UTF-8 编码"),
        (b"", "方案.toml：number：缺少这一项；"),
    ],
)
def test_what_is_no_plan_file_is_refused(file: Path, content: bytes, said: str) -> None:
    file.write_bytes(content)
    with pytest.raises(PlanRefused) as refused:
        read_plan(file)
    assert str(refused.value).startswith(said)


def test_a_file_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(PlanRefused, match=r"^方案\.toml：读不到计划文件（"):
        read_plan(file)


def test_the_digest_names_the_content_and_not_its_layout(file: Path) -> None:
    file.write_text(f"# 说明\n{TEXT}", encoding="utf-8")
    plan = read_plan(SHIPPED_PLAN)
    assert read_plan(file).digest == plan.digest
    assert plan.model_copy(update={"title": "另一方案"}).digest != plan.digest
    assert Plan.model_validate(plan.model_dump(mode="json")) == plan


def test_a_round_is_named_by_its_plan() -> None:
    plan = read_plan(SHIPPED_PLAN)
    assert plan.round_code(1) == "2024-1"
    assert plan.task_number(2) == "平卫双随机办〔2024〕55号-2"
