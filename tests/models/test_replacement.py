"""Places in a team: who holds which, and how one is given up."""

from datetime import UTC, date, datetime

import pytest

from models.draw import TeamMember
from models.entry import EntryRefused
from models.freeze import DrawRefused
from models.inspection import Inspection
from models.replacement import Replacement, give_place, member_at, refuse_if_over, worded

AT = datetime(2024, 7, 1, tzinfo=UTC)


@pytest.fixture
def inspection() -> Inspection:
    members = [
        TeamMember(
            id=number,
            department=department,
            certificate=f"{department}-{position}",
            position=position,
            leader=(department, position) == ("a", 1),
        )
        for number, (department, position) in enumerate([("a", 1), ("a", 2), ("b", 1)])
    ]
    return Inspection(id=1, code="2024-1-D01", team=members)


@pytest.mark.parametrize(("direct", "joined_by"), [(False, "递补"), (True, "直接委派")])
def test_a_place_is_given_with_its_seat_and_leadership(
    inspection: Inspection, direct: bool, joined_by: str
) -> None:
    out = member_at(inspection, "a", 1)
    member = give_place(inspection, out, "a-9", direct, AT)
    assert (member.position, member.leader, member.joined_by) == (1, True, joined_by)
    assert out.left_at == AT
    assert member_at(inspection, "a", 1) is member
    assert member_at(inspection, "a", 2).certificate == "a-2"


def test_whoever_left_the_team_does_not_come_back(inspection: Inspection) -> None:
    give_place(inspection, member_at(inspection, "a", 1), "a-9", False, AT)
    with pytest.raises(EntryRefused, match="a-1 曾在 2024-1-D01 的检查小组"):
        give_place(inspection, member_at(inspection, "a", 2), "a-1", False, AT)


def test_a_seat_that_is_not_there_is_refused_with_those_that_are(inspection: Inspection) -> None:
    with pytest.raises(EntryRefused, match="没有席位 2，现有席位：1"):
        member_at(inspection, "b", 2)


@pytest.mark.parametrize(
    ("field", "line"), [("ended_on", "检查已于 2024-07-01 结束"), ("dropped_on", "已登记为未实施")]
)
def test_what_is_over_needs_nobody_else(inspection: Inspection, field: str, line: str) -> None:
    refuse_if_over(inspection)
    setattr(inspection, field, date(2024, 7, 1))
    with pytest.raises(EntryRefused, match=line):
        refuse_if_over(inspection)


def test_a_reason_is_one_line_that_a_bundle_can_carry() -> None:
    assert worded("  有亲属\n关系 ", "理由") == "有亲属 关系"
    with pytest.raises(DrawRefused, match="理由为空"):
        worded(" \n", "理由")


def test_a_direct_appointment_is_marked_in_the_reason() -> None:
    kept = Replacement(ground="回避", reason="亲属", direct=True)
    assert kept.why == "回避：亲属（直接委派）"
