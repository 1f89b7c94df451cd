"""Evidence: kept in the office until the reveal, then enough for anybody to recompute the draw."""

import json
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from deployments import verify_draw
from models.base import SHANGHAI
from models.database import reading, writing
from models.draw import Draw, TeamMember
from models.inspection import DepartmentRecord, Inspection
from tasks.draw import reveal_draws
from tasks.evidence import NotRevealed, evidence

pytestmark = pytest.mark.usefixtures("drawn")


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"2024-{day}T09:00").replace(tzinfo=SHANGHAI)


@pytest.fixture
def revealed(drawn: Any) -> None:
    """Every inspection of every draw has its records."""
    with writing() as session:
        session.execute(update(DepartmentRecord).values(recorded_on=at("07-10").date()))
    assert reveal_draws("2024-1", at("07-10")) == 4


def bundle(grade: str) -> dict[str, Any]:
    return dict(json.loads(evidence("2024-1", grade)))


def test_before_the_reveal_nothing_is_given() -> None:
    with pytest.raises(NotRevealed) as refused:
        evidence("2024-1", "D")
    line = refused.value.args[0]
    assert line == "2024-1-D 尚未公开，不得提供证据包：全部检查有记录后自动公开"


@pytest.mark.parametrize(("code", "grade"), [("2024-1", "E"), ("2023-1", "A")])
def test_of_what_was_never_drawn_there_is_none(code: str, grade: str) -> None:
    with pytest.raises(NotRevealed, match=f"没有 {code}-{grade} 这次抽取"):
        evidence(code, grade)


@pytest.mark.usefixtures("revealed")
@pytest.mark.parametrize("grade", list("ABCD"))
def test_the_bundle_holds_for_a_verifier_that_shares_no_code(grade: str) -> None:
    found = bundle(grade)
    assert verify_draw.examine(found) is None
    with reading() as session:
        draw = session.scalars(
            select(Draw).where(Draw.grade == grade, Draw.sealed_at.is_not(None))
        ).one()
        drawn = session.scalars(
            select(Inspection.subject_code)
            .where(Inspection.draw_id == draw.id)
            .order_by(Inspection.id)
        ).all()
    assert [each["code"] for each in found["subjects"]] == drawn
    assert found["freeze_digest"] == draw.freeze_digest
    assert found["count"] == draw.count == len(drawn)


@pytest.mark.usefixtures("revealed")
def test_the_bundle_is_the_same_bytes_each_time() -> None:
    assert evidence("2024-1", "D") == evidence("2024-1", "D")


@pytest.mark.usefixtures("revealed")
def test_a_team_changed_behind_the_draws_back_does_not_verify() -> None:
    with writing() as session:
        member = session.scalars(
            select(TeamMember)
            .join(Inspection, Inspection.id == TeamMember.inspection_id)
            .where(Inspection.code == "2024-1-D01")
        ).first()
        assert member is not None
        session.execute(
            update(TeamMember).where(TeamMember.id == member.id).values(certificate="YL-XX-999")
        )
    assert verify_draw.examine(bundle("D")) is not None


@pytest.mark.usefixtures("revealed")
def test_the_bundle_names_no_person() -> None:
    with reading() as session:
        names = session.scalars(select(TeamMember.name)).all()
        subjects = [each.name for each in session.scalars(select(Inspection))]
    text = evidence("2024-1", "D").decode()
    assert not [name for name in [*names, *subjects] if name in text]
