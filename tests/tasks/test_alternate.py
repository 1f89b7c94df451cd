"""Alternates: only where the plan says so, for a closed subject, and the next of the list."""

import json
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from deployments.verify_draw import examine
from models import protocol
from models.base import SHANGHAI
from models.database import reading, writing
from models.draw import Draw, DrawnSubject
from models.entry import EntryRefused
from models.freeze import DrawRefused
from models.inspection import Inspection
from models.ledger import LedgerEntry
from models.obligation import Obligation
from models.plan import Plan
from models.subject import Inspector, Subject
from tasks.alternate import take_alternate
from tasks.evidence import evidence
from tasks.notice import prepare_notices
from tasks.plan import load_plan
from tasks.replacement import replace_inspector
from tasks.reveal import order_reveal

ONE = "2024-1-D01"


def at(day: int, month: int = 7, hour: int = 10) -> datetime:
    return datetime(2024, month, day, hour, tzinfo=SHANGHAI)


@pytest.fixture
def allowed(drawn: Any, drill: Plan) -> Any:
    """A drawn office whose plan lets alternates take the place of closed subjects."""
    load_plan(drill.model_copy(update={"replace_closed_subjects": True}), at(1))
    return drawn


def close(subject: str, status: str = "注销") -> None:
    with writing() as session:
        session.execute(update(Subject).where(Subject.code == subject).values(status=status))


def inspections() -> list[Inspection]:
    with reading() as session:
        grade = Inspection.code.startswith("2024-1-D")
        return list(session.scalars(select(Inspection).where(grade).order_by(Inspection.id)))


def alternates() -> list[str]:
    with reading() as session:
        draw = session.scalars(select(Draw).where(Draw.grade == "D", Draw.round_id == 1)).one()
        listed = select(DrawnSubject.code).where(
            DrawnSubject.draw_id == draw.id, DrawnSubject.alternate
        )
        return list(session.scalars(listed.order_by(DrawnSubject.position)))


def take(code: str = ONE, on: datetime | None = None) -> str:
    return take_alternate(code, "已注销", "王主任", on or at(1))


def test_the_next_alternate_is_inspected_too_by_a_team_of_the_lowest_tickets(allowed: Any) -> None:
    before = inspections()
    close(before[0].subject_code)
    assert take() == "2024-1"
    *same, new = inspections()
    assert [one.code for one in same] == [one.code for one in before]
    assert (new.subject_code, new.replaces) == (alternates()[0], ONE)
    assert new.code == f"2024-1-D{len(before) + 1:02}"
    assert new.planned_on.isoformat() == "2024-07-04"
    with reading() as session:
        draw = session.get_one(Draw, new.draw_id)
        expected = protocol.alternate_teams(
            draw.freeze,
            bytes.fromhex(draw.seed or ""),
            new.subject_code,
            set(session.scalars(select(Inspector.certificate))),
        )
        owed = set(
            session.scalars(select(Obligation.duty).where(Obligation.inspection == new.code))
        )
        entry = session.scalars(
            select(LedgerEntry).where(LedgerEntry.action == "递补检查对象")
        ).one()
    for team in expected:
        members = new.members(team.department)
        assert tuple(one.certificate for one in members) == team.drawn
        assert {one.joined_by for one in members} == {"递补"}
    assert new.members()[0].leader
    assert {"notify", "inspect", "record"} <= owed
    assert (entry.subject, entry.detail["inspection"]) == (ONE, new.code)
    prepare_notices("2024-1", at(2))
    assert inspections()[-1].notice is not None


def test_the_evidence_still_holds_whoever_left_the_alternates_team(allowed: Any) -> None:
    close(inspections()[0].subject_code)
    take()
    new = inspections()[-1]
    replace_inspector(new.code, "scjgj", 1, "不能到场", "住院", "局长", "", at(2))
    order_reveal("2024-1", "D", "统一公开", "王主任", at(3))
    bundle = json.loads(evidence("2024-1", "D"))
    assert examine(bundle) is None
    assert new.subject_code in bundle["alternates"]
    assert [one["subject"] for one in bundle["replacements"]] == [new.subject_code]


def test_an_alternate_that_closed_or_was_taken_is_passed_over(allowed: Any) -> None:
    first, second, third, *_ = alternates()
    close(first, "迁出")
    for one in inspections()[:2]:
        close(one.subject_code)
    take()
    take("2024-1-D02")
    assert [one.subject_code for one in inspections()[-2:]] == [second, third]


@pytest.mark.parametrize(
    ("status", "fault"),
    [("停业", "在名录库中为“停业”，只有.*的才可递补"), ("在营", "在名录库中为“在营”")],
)
def test_only_a_closed_subject_is_replaced(allowed: Any, status: str, fault: str) -> None:
    close(inspections()[0].subject_code, status)
    refused(fault)


def test_without_the_plans_word_nobody_is_replaced(drawn: Any) -> None:
    close(inspections()[0].subject_code)
    refused("方案没有规定递补检查对象")


def test_nobody_is_replaced_twice_or_too_late_or_after_the_reveal(allowed: Any) -> None:
    for one in inspections()[:3]:
        close(one.subject_code)
    take()
    refused("已由 2024-1-D07 递补")
    refused("已来不及告知和检查", "2024-1-D02", at(30, 9))
    order_reveal("2024-1", "D", "统一公开", "王主任", at(3))
    refused("已经公开，不再递补", "2024-1-D02")


def test_a_department_without_people_that_day_gets_no_alternates_team(allowed: Any) -> None:
    close(inspections()[0].subject_code)
    with writing() as session:
        session.execute(
            update(Inspector).where(Inspector.department == "scjgj").values(status="离岗")
        )
    refused("scjgj 现在能到场的候选人员不足 2 人")


def refused(fault: str, code: str = ONE, on: datetime | None = None) -> None:
    before = len(inspections())
    with pytest.raises((EntryRefused, DrawRefused), match=fault):
        take(code, on)
    assert len(inspections()) == before
