"""Replacements: the next by ticket, recusals decided by the head, and the evidence that says so."""

import json
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from deployments.verify_draw import examine
from models import protocol
from models.base import SHANGHAI
from models.database import reading, writing
from models.draw import Draw, TeamMember
from models.entry import EntryRefused
from models.freeze import DrawRefused
from models.inspection import Inspection
from models.ledger import LedgerEntry
from models.mail import Mail
from models.obligation import Obligation
from models.replacement import RecusalRequest, Replacement
from models.subject import Inspector
from tasks.evidence import evidence
from tasks.inspection import record_inspections
from tasks.notice import prepare_notices
from tasks.replacement import decide_recusal, replace_inspector, request_recusal
from tasks.reveal import order_reveal

ONE = "2024-1-D01"
HEADS = {"yjglj": "应急局负责人", "scjgj": "市场监管局负责人"}


def at(day: int, month: int = 6, hour: int = 10) -> datetime:
    return datetime(2024, month, day, hour, tzinfo=SHANGHAI)


def team(code: str = ONE, department: str = "yjglj", now: bool = True) -> list[TeamMember]:
    with reading() as session:
        inspection = session.scalars(select(Inspection).where(Inspection.code == code)).one()
        if now:
            return inspection.members(department)
        return [member for member in inspection.team if member.department == department]


def by_ticket(code: str = ONE, department: str = "yjglj") -> list[str]:
    """Every frozen candidate for that subject who was not drawn, lowest ticket first."""
    with reading() as session:
        inspection = session.scalars(select(Inspection).where(Inspection.code == code)).one()
        draw = session.scalars(select(Draw).where(Draw.id == inspection.draw_id)).one()
        ever = {member.certificate for member in inspection.team}
        able = {each["certificate"] for each in draw.freeze["inspectors"]}
        found: list[str] = []
        while one := protocol.replacement(
            draw.freeze,
            bytes.fromhex(draw.seed or ""),
            inspection.subject_code,
            department,
            ever | set(found),
            able,
        ):
            found.append(one)
        return found


def give_up(seat: int = 1, appointed: str = "", by: str = "局长", **changed: Any) -> str:
    given = {
        "code": ONE,
        "department": "yjglj",
        "ground": "不能到场",
        "reason": "住院",
        "at": at(26),
    }
    return replace_inspector(**given | changed, seat=seat, decided_by=by, appointed=appointed)


def change(certificate: str, **values: Any) -> None:
    with writing() as session:
        session.execute(
            update(Inspector).where(Inspector.certificate == certificate).values(**values)
        )


def test_the_next_by_ticket_takes_the_place_leadership_included(drawn: Any) -> None:
    leader, other = team()
    assert leader.leader
    expected = by_ticket()[0]
    assert give_up() == "2024-1"
    new, same = team()
    assert (new.certificate, new.leader, new.position) == (expected, True, 1)
    assert same.certificate == other.certificate
    assert new.joined_by == "递补"
    gone = next(one for one in team(now=False) if one.certificate == leader.certificate)
    assert gone.left_at == at(26)
    with reading() as session:
        (kept,) = session.scalars(select(Replacement))
        owed = session.scalars(select(Obligation).where(Obligation.inspection == ONE)).all()
        entry = session.scalars(select(LedgerEntry).where(LedgerEntry.action == "递补")).one()
    assert (kept.out_certificate, kept.in_certificate) == (leader.certificate, expected)
    assert (kept.why, kept.decided_by, kept.decided_at) == ("不能到场：住院", "局长", at(26))
    assert {one.person for one in owed if one.department == "yjglj"} == {new.name}
    assert entry.detail["leader"] is True


def test_nobody_comes_back_and_expired_or_recused_people_are_passed_over(drawn: Any) -> None:
    first, second, third, fourth, *_ = by_ticket()
    leader = team()[0]
    change(first, certificate_expires_on=date(2024, 7, 1))  # before the visit
    change(second, status="离岗")
    with reading() as session:
        subject = session.scalars(
            select(Inspection.subject_code).where(Inspection.code == ONE)
        ).one()
    change(third, recusals=[subject])
    give_up()
    assert team()[0].certificate == fourth
    change(first, certificate_expires_on=date(2030, 1, 1))
    give_up(at=at(27))
    assert team()[0].certificate == first
    assert leader.certificate not in {one.certificate for one in team()}


def test_where_nobody_is_left_the_head_appoints_and_that_is_marked(drawn: Any) -> None:
    waiting = by_ticket()
    for certificate in waiting:
        change(certificate, status="离岗")
    with pytest.raises(EntryRefused, match="本部门已无人可递补，请由部门负责人直接委派"):
        give_up()
    with pytest.raises(EntryRefused, match="须由区应急管理局负责人“应急局负责人”决定"):
        give_up(appointed=waiting[0])
    with pytest.raises(EntryRefused, match=f"{waiting[0]} 不能受委派"):
        give_up(appointed=waiting[0], by=HEADS["yjglj"])
    with writing() as session:  # somebody who came after the freeze
        person = session.scalars(select(Inspector).where(Inspector.certificate == waiting[0])).one()
        row = person.row.model_dump() | {"certificate": "新-001", "status": "在岗", "name": "新人"}
        session.add(
            Inspector(**{k: list(v) if isinstance(v, tuple) else v for k, v in row.items()})
        )
    give_up(appointed="新-001", by=HEADS["yjglj"])
    new = team()[0]
    assert (new.certificate, new.leader, new.joined_by) == ("新-001", True, "直接委派")
    with reading() as session:
        assert session.scalars(select(Replacement)).one().why == "不能到场：住院（直接委派）"


def test_nobody_is_appointed_while_one_is_left_by_ticket(drawn: Any) -> None:
    last = by_ticket()[-1]
    with pytest.raises(EntryRefused, match="仍有可按签号递补的人员，不能直接委派"):
        give_up(appointed=last, by=HEADS["yjglj"])


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"seat": 3}, "该部门没有席位 3，现有席位：1、2"),
        ({"department": "gaj"}, "没有“gaj”这个部门"),
        ({"code": "2024-1-D99"}, "没有检查编号“2024-1-D99”"),
        ({"by": " "}, "决定人为空"),
        ({"reason": "\n"}, "理由为空"),
    ],
)
def test_an_entry_that_cannot_stand_is_refused(
    drawn: Any, changed: dict[str, Any], line: str
) -> None:
    before = drawn.rows()
    with pytest.raises((EntryRefused, DrawRefused), match=line):
        give_up(**changed)
    assert drawn.rows() == before


def test_nobody_decides_on_themselves_nor_once_the_visit_is_over(drawn: Any, sheet: Any) -> None:
    with pytest.raises(EntryRefused, match="不能由其本人决定"):
        give_up(by=team()[0].name)
    record_inspections([sheet(ONE)], at(10, 7))
    with pytest.raises(EntryRefused, match="检查已于 2024-07-09 结束，不再更换人员"):
        give_up(at=at(11, 7))


def test_who_comes_in_gets_the_letter_once(drawn: Any) -> None:
    def told() -> list[str]:
        with reading() as session:
            keys = session.scalars(select(Mail.key).where(Mail.key.startswith("letter:team:")))
            return [key for key in keys if ONE in key]

    give_up()  # before the notice: the notice brings the letter
    assert told() == []
    prepare_notices("2024-1", at(27))
    assert len(told()) == 4
    give_up(at=at(28))
    assert f"letter:team:{ONE}:{team()[0].certificate}" in told()
    assert len(told()) == 5


# ---- asked for by the subject --------------------------------------------------------------------


def ask(seat: int = 2, **changed: Any) -> str:
    given = {"reason": "与负责人有亲属关系", "asked_by": "被检查单位负责人"} | changed
    return request_recusal(
        ONE, "区应急管理局", seat, asked_on=date(2024, 6, 27), at=at(27), **given
    )


def decide(decision: Any, by: str = HEADS["yjglj"], seat: int = 2) -> str:
    return decide_recusal(ONE, "yjglj", seat, decision, "经审查", by, "", at(28))


def test_a_request_stops_nothing_until_the_head_decides(drawn: Any, sheet: Any) -> None:
    before = [one.certificate for one in team()]
    assert ask() == "2024-1"
    assert [one.certificate for one in team()] == before
    with reading() as session:
        head = session.scalars(select(Mail).where(Mail.key.startswith("letter:recusal:"))).one()
    assert (head.name, head.email) == (HEADS["yjglj"], "head@yjglj.example")
    assert "决定作出之前，检查照常进行" in head.text
    record_inspections([sheet(ONE)], at(10, 7))  # the visit takes place all the same


def test_granted_the_next_by_ticket_comes_in_and_refused_all_stay(drawn: Any) -> None:
    leader, asked = team()
    expected = by_ticket()[0]
    ask()
    decide("驳回")
    assert [one.certificate for one in team()] == [leader.certificate, asked.certificate]
    ask()
    decide("准许")
    assert [one.certificate for one in team()] == [leader.certificate, expected]
    with reading() as session:
        requests = session.scalars(select(RecusalRequest).order_by(RecusalRequest.id)).all()
        (kept,) = session.scalars(select(Replacement))
    assert [(one.decision, one.decided_by) for one in requests] == [
        ("驳回", HEADS["yjglj"]),
        ("准许", HEADS["yjglj"]),
    ]
    assert (kept.ground, kept.decided_by) == ("回避", HEADS["yjglj"])


def test_only_the_departments_head_decides_on_what_was_asked(drawn: Any) -> None:
    with pytest.raises(EntryRefused, match="没有待决定的回避申请"):
        decide("准许")
    ask()
    with pytest.raises(EntryRefused, match="的回避申请已登记，待决定"):
        ask()
    with pytest.raises(EntryRefused, match="须由区应急管理局负责人“应急局负责人”决定"):
        decide("准许", by=HEADS["scjgj"])


# ---- for ever ------------------------------------------------------------------------------------


def test_the_bundle_says_every_replacement_and_still_holds(drawn: Any) -> None:
    give_up()
    give_up(at=at(27), reason="与被检查单位\n有利害关系", ground="回避")
    ask()
    decide("准许")
    order_reveal("2024-1", "D", "测试", "主任", at(29))
    bundle = json.loads(evidence("2024-1", "D"))
    assert examine(bundle) is None
    assert [one["reason"] for one in bundle["replacements"]] == [
        "不能到场：住院",
        "回避：与被检查单位 有利害关系",
        "回避：经审查",
    ]
    first, second, _ = bundle["replacements"]
    assert first["in"] == second["out"]
    assert first["out"] in bundle["teams"][0]["drawn"]  # teams stand as first drawn
    assert first["at"] == "2024-06-26T10:00:00+08:00"


@pytest.mark.parametrize(
    "statement", ["UPDATE replacement SET reason = ''", "DELETE FROM replacement"]
)
def test_a_replacement_is_kept_for_ever(drawn: Any, statement: str) -> None:
    give_up()
    with pytest.raises(DBAPIError, match="递补记录永久保存"), writing() as session:
        session.execute(text(statement))
