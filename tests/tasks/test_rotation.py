"""Rotation: how lately and how often each drawn subject was drawn, and who is left out by plan."""

import json
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from deployments.verify_draw import examine
from models.base import SHANGHAI
from models.database import reading, writing
from models.draw import Draw
from models.inspection import Inspection
from models.plan import Plan
from models.rotation import within_months
from models.subject import Subject
from tasks.draw import freeze_draws, seal_draws
from tasks.evidence import evidence
from tasks.inspection import record_inspections
from tasks.mail import deliver
from tasks.plan import load_plan
from tasks.reveal import order_reveal
from tasks.rotation import rotation, write_rotation


def at(month: int, day: int) -> datetime:
    return datetime(2024, month, day, 9, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("inspected", "months", "on", "within"),
    [
        ("2024-01-15", 6, "2024-07-15", True),
        ("2024-01-15", 6, "2024-07-16", False),
        ("2024-08-31", 6, "2025-02-28", True),
        ("2024-08-31", 6, "2025-03-01", False),
        ("2023-08-31", 6, "2024-02-29", True),
    ],
)
def test_months_end_on_the_same_day_or_on_the_months_last(
    inspected: str, months: int, on: str, within: bool
) -> None:
    day, until = date.fromisoformat(inspected), date.fromisoformat(on)
    assert within_months(day, months, until) is within


def test_a_subject_drawn_twice_in_a_year_shows_it(drawn: Any, sheet: Any) -> None:
    record_inspections([sheet("2024-1-D01")], at(7, 10))
    with reading() as session:
        drawn_first = {one.subject_code for one in session.scalars(select(Inspection))}
    with writing() as session:  # of grade D, only those drawn in the first round are left
        others = update(Subject).where(Subject.grade == "D", Subject.code.not_in(drawn_first))
        session.execute(others.values(status="注销"))
    freeze_draws("2024-2", at(11, 11))
    deliver(at(11, 11))
    seal_draws("2024-2", at(11, 11))
    found = {one.code: one for one in rotation("2024-2")}
    assert len(found) == 2 + 3 + 6 + 2
    for code, one in found.items():
        again = code in drawn_first
        assert one.last_drawn_on == (date(2024, 6, 25) if again else None)
        assert one.drawn_this_year == (2 if again else 1)
    assert {one.drawn_this_year for one in rotation("2024-1")} == {1}
    assert sum(one.drawn_this_year == 2 for one in found.values()) >= 2


def test_the_last_inspection_is_the_registers_or_ours_whichever_is_later(
    drawn: Any, sheet: Any
) -> None:
    with writing() as session:
        session.execute(update(Subject).values(last_inspected_on=date(2024, 3, 1)))
    assert {one.last_inspected_on for one in rotation("2024-1")} == {date(2024, 3, 1)}
    write_rotation("2024-1")
    text = (drawn.home / "papers/2024-1/轮换情况.csv").read_text("utf-8-sig")
    assert text.splitlines()[0] == "检查编号,统一社会信用代码,名称,上次抽中,上次检查,本年抽中次数"
    assert len(text.splitlines()) == 18


# ---- left out by plan ----------------------------------------------------------------------------


def excluding(plan: Plan, months: int, inspected: int) -> list[str]:
    """Freeze with that rule, where so many of grade D were inspected in May."""
    load_plan(plan.model_copy(update={"exclude_inspected_within_months": months}), at(6, 21))
    with writing() as session:
        session.execute(update(Subject).values(last_inspected_on=None))
        lately = session.scalars(
            select(Subject.code)
            .where(Subject.grade == "D", Subject.status == "在营")
            .order_by(Subject.code)
            .limit(inspected)
        ).all()
        session.execute(
            update(Subject)
            .where(Subject.code.in_(lately))
            .values(last_inspected_on=date(2024, 5, 6))
        )
    return list(lately)


def frozen() -> dict[str, Any]:
    with reading() as session:
        draw = session.scalars(select(Draw).where(Draw.grade == "D", Draw.round_id == 1)).one()
        return draw.freeze


def test_subjects_inspected_lately_are_left_out_with_the_reason(office: Any, drill: Plan) -> None:
    lately = excluding(drill, 2, 4)
    assert freeze_draws("2024-1", at(6, 25)) == []
    assert frozen()["excluded"] == [
        {"code": code, "reason": "2 个月内已检查（2024-05-06）"} for code in lately
    ]
    assert not set(lately) & set(frozen()["pool"])
    deliver(at(6, 25))
    seal_draws("2024-1", at(6, 25))
    order_reveal("2024-1", "D", "测试", "主任", at(6, 26))
    bundle = json.loads(evidence("2024-1", "D"))
    assert examine(bundle) is None
    assert bundle["count"] == 6  # of 29, the four included


def test_without_the_rule_or_past_it_nobody_is_left_out(office: Any, drill: Plan) -> None:
    excluding(drill, 1, 4)
    assert freeze_draws("2024-1", at(6, 25)) == []
    assert frozen()["excluded"] == []


def test_an_exclusion_that_breaks_the_floor_refuses_the_freeze(office: Any, drill: Plan) -> None:
    excluding(drill, 2, 24)
    (line,) = freeze_draws("2024-1", at(6, 25))
    assert line == ("2024-1-D：按比例 20% 至少抽 6 户，排除 24 户后只剩 5 户，未冻结。请减少排除")


def test_inspections_of_ours_count_as_well(drawn: Any, drill: Plan, sheet: Any) -> None:
    load_plan(drill.model_copy(update={"exclude_inspected_within_months": 6}), at(7, 1))
    with writing() as session:
        session.execute(update(Subject).values(last_inspected_on=None))
    record_inspections([sheet("2024-1-D01")], at(7, 10))
    with reading() as session:
        code = session.scalars(
            select(Inspection.subject_code).where(Inspection.code == "2024-1-D01")
        ).one()
    assert freeze_draws("2024-2", at(11, 11)) == []
    with reading() as session:
        draw = session.scalars(select(Draw).where(Draw.grade == "D", Draw.round_id == 2)).one()
        assert draw.freeze["excluded"] == [{"code": code, "reason": "6 个月内已检查（2024-07-09）"}]
