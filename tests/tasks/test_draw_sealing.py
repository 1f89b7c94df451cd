"""Sealing: what was frozen and drawn stays as it is, whoever asks, and asking again is recorded."""

import json
import os
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from deployments.verify_draw import examine
from models import fiction
from models.base import SHANGHAI
from models.database import engine_for, reading, writing
from models.draw import Draw, DrawnSubject
from models.freeze import DrawRefused
from models.inspection import Inspection
from models.ledger import LedgerEntry
from models.obligation import Obligation
from models.plan import Plan
from models.replacement import Replacement
from offices import administer
from tasks.draw import draw_grade, enter_public_value, freeze_draws, seal_draws
from tasks.duty import update_duties
from tasks.evidence import NotRevealed, evidence
from tasks.ledger import verify
from tasks.mail import deliver
from tasks.notice import withhold_notice
from tasks.plan import load_plan
from tasks.reveal import order_reveal

CODE = "2024-1"
AGAIN = "拒绝再次抽取"


def at(day: int, hour: int = 9, month: int = 6) -> datetime:
    return datetime(2024, month, day, hour, tzinfo=SHANGHAI)


def events(action: str) -> list[LedgerEntry]:
    with reading() as session:
        return list(session.scalars(select(LedgerEntry).where(LedgerEntry.action == action)))


def the_draw(session: Session, grade: str = "D") -> Draw:
    return session.scalars(select(Draw).where(Draw.grade == grade, Draw.round_id == 1)).one()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def either(request: pytest.FixtureRequest, tmp_path: Path, registered: Any, drill: Plan) -> Any:
    """A registered office on each database."""
    if request.param == "sqlite":
        office = registered.copy(tmp_path / "home")
    else:
        url = make_url(request.getfixturevalue("postgresql"))
        name = f"sealing_{os.urandom(6).hex()}"
        administer(url, f"CREATE DATABASE {name}")
        database = url.set(database=name).render_as_string(hide_password=False)
        office = type(registered)(tmp_path / "home", database)
        office.register(drill, fiction.subjects(2024, as_of=date(2024, 6, 20)))
    with office.here():
        yield office


# ---- again ---------------------------------------------------------------------------------------


def test_a_second_draw_is_refused_and_recorded_whoever_asks(drawn: Any) -> None:
    before = drawn.rows()
    with pytest.raises(DrawRefused, match=r"2024-1-D 已于 2024-06-25 09:00 封存，不能再抽"):
        draw_grade(CODE, "D", "张三", at(26))
    with pytest.raises(DrawRefused, match="现在不待录入公共值：2024-1-D 已于"):
        enter_public_value(CODE, "D", "508", ["张三", "李四"], at(26))
    first, second = events(AGAIN)
    assert (first.actor, second.actor) == ("张三", "张三、李四")
    assert first.detail["sealed_at"] == "2024-06-25T09:00:00+08:00"
    after = drawn.rows()
    assert {name for name in before if before[name] != after[name]} == {"ledger"}
    assert verify()[1] is None


def test_a_draw_on_request_waits_for_its_day_its_grade_and_its_public_value(
    office: Any, drill: Plan
) -> None:
    with pytest.raises(DrawRefused, match="没有 2024-1-E 这次抽取"):
        draw_grade(CODE, "E", "张三", at(25))
    with pytest.raises(DrawRefused, match="还没有到抽取的日子：定于 2024-06-25"):
        draw_grade(CODE, "D", "张三", at(24))
    rule = {"public_value_rule": "福彩 3D"}
    grades = (*drill.grades[:3], drill.grades[3].model_copy(update=rule))
    load_plan(drill.model_copy(update={"grades": grades}), at(21))
    with pytest.raises(DrawRefused, match="已冻结，待公共值"):
        draw_grade(CODE, "D", "张三", at(25))
    enter_public_value(CODE, "D", "508", ["张三", "李四"], at(25))
    assert draw_grade(CODE, "D", "张三", at(25)) == CODE
    assert events(AGAIN) == []
    with reading() as session:
        assert the_draw(session).count == 6


# ---- at the same instant -------------------------------------------------------------------------


def at_once(office: Any, work: Callable[[], Any], times: int) -> list[int]:
    """Run `work` in so many processes, which all come to stand before the round's lock."""
    engine_for(office.database).dispose()  # a child must not inherit an open connection
    start, go = os.pipe()
    children = []
    for _ in range(times):
        child = os.fork()
        if not child:
            try:
                os.close(go)
                os.read(start, 1)
                work()
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    with writing() as session:
        session.execute(text("UPDATE round SET version = version WHERE id = 1"))
        os.close(start)
        os.close(go)
        time.sleep(0.7)  # until all have seen the draws unsealed
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def test_two_processes_that_draw_at_once_make_one_draw_with_one_outcome(
    either: Any, tmp_path: Path
) -> None:
    assert freeze_draws(CODE, at(25)) == []
    engine_for(either.database).dispose()
    twin = either.copy(tmp_path / "twin")
    deliver(at(25))
    assert at_once(either, lambda: seal_draws(CODE, at(25)), 2) == [0, 0]
    assert len(events("抽取封存")) == 4
    # Each of the four was sealed by one of them, and refused to the other.
    assert sorted(one.subject for one in events(AGAIN)) == [f"{CODE}-{grade}" for grade in "ABCD"]
    mine = either.rows()
    with twin.here():
        deliver(at(25))
        assert seal_draws(CODE, at(25)) == 4
        alone = twin.rows()
    for table in ("draw", "drawn_subject"):
        assert mine[table] == alone[table], table
    for table in ("inspection", "department_record", "team_member"):
        assert len(mine[table]) == len(alone[table]), table


# ---- what the database refuses -------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE draw SET secret = 'x'",
        "UPDATE draw SET grade = 'E' WHERE grade = 'D'",
        "UPDATE draw SET frozen = '{}' WHERE frozen_at IS NOT NULL",
        "UPDATE draw SET frozen = NULL, frozen_at = NULL WHERE frozen_at IS NOT NULL",
        "UPDATE draw SET ratio = '1' WHERE grade = 'D'",
        "UPDATE draw SET source = '外部抽取' WHERE frozen_at IS NOT NULL",
        "UPDATE draw SET seed = 'x' WHERE sealed_at IS NOT NULL",
        "UPDATE draw SET sealed_at = NULL WHERE sealed_at IS NOT NULL",
        "UPDATE draw SET count = 7 WHERE grade = 'D'",
        "UPDATE draw SET public_value = '508' WHERE sealed_at IS NOT NULL",
        "UPDATE draw SET public_value_by = '[\"a\"]' WHERE sealed_at IS NOT NULL",
        "DELETE FROM draw WHERE round_id = 2",
        "UPDATE drawn_subject SET alternate = NOT alternate",
        "DELETE FROM drawn_subject WHERE alternate",
        "INSERT INTO drawn_subject (draw_id, position, alternate, code, ticket)"
        " SELECT draw_id, 999, alternate, code, ticket FROM drawn_subject WHERE id = 1",
    ],
)
def test_the_database_refuses_to_change_what_was_frozen_or_drawn(
    drawn: Any, statement: str
) -> None:
    with (
        pytest.raises(DBAPIError, match="抽取一经冻结、封存，不能更改、重抽或删除"),
        writing() as s,
    ):
        s.execute(text(statement))


@pytest.mark.server
def test_postgresql_refuses_the_same(either: Any) -> None:
    freeze_draws(CODE, at(25))
    deliver(at(25))
    seal_draws(CODE, at(25))
    with writing() as session:
        session.add(
            Replacement(
                inspection_id=1,
                department="a",
                out_certificate="b",
                in_certificate="c",
                ground="回避",
                reason="d",
                decided_by="e",
                decided_at=at(26),
            )
        )
    (mark,) = [
        mark
        for mark in test_the_database_refuses_to_change_what_was_frozen_or_drawn.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    ]
    kept = ("UPDATE replacement SET reason = 'x'", "DELETE FROM replacement")
    for statement in (*mark.args[1], *kept):
        with pytest.raises(DBAPIError, match="不能"), writing() as session:
            session.execute(text(statement))
    if either.database.startswith("postgresql"):
        for table in ("draw", "drawn_subject", "replacement"):
            with pytest.raises(DBAPIError, match="不能"), writing() as session:
                session.execute(text(f"TRUNCATE {table} CASCADE"))


def test_what_was_not_drawn_yet_may_still_change(drawn: Any) -> None:
    with writing() as session:
        session.execute(text("UPDATE draw SET public_value_rule = '新' WHERE round_id = 2"))
        session.execute(text("UPDATE draw SET revealed_at = sealed_at WHERE grade = 'D'"))


# ---- public value as a duty ----------------------------------------------------------------------


def test_a_draw_that_waits_for_its_public_value_is_the_coordinators_duty(
    office: Any, drill: Plan
) -> None:
    rule = {"public_value_rule": "福彩 3D"}
    grades = (*drill.grades[:3], drill.grades[3].model_copy(update=rule))
    load_plan(drill.model_copy(update={"grades": grades}), at(21))
    freeze_draws(CODE, at(25))
    update_duties(CODE, at(25))

    def duties() -> list[Obligation]:
        with reading() as session:
            return list(
                session.scalars(select(Obligation).where(Obligation.duty == "public_value"))
            )

    (owed,) = duties()
    assert (owed.object, owed.person) == ("2024-1-D", drill.coordinator.name)
    assert (owed.started_on, owed.due_on, owed.met_on) == (
        date(2024, 6, 25),
        date(2024, 6, 28),
        None,
    )
    enter_public_value(CODE, "D", "508", ["张三", "李四"], at(27))
    update_duties(CODE, at(27))
    assert [one.met_on for one in duties()] == [date(2024, 6, 27)]


# ---- reveal by order -----------------------------------------------------------------------------


def test_a_draw_is_revealed_early_by_order_unless_one_is_not_to_be_told(drawn: Any) -> None:
    withhold_notice("2024-1-D02", "线索核查", "负责人", at(25))
    with pytest.raises(DrawRefused, match="2024-1-D 中有不宜告知的检查还没有记录"):
        order_reveal(CODE, "D", "社会关注", "主任", at(26))
    with pytest.raises(DrawRefused, match="须写明理由和决定人"):
        order_reveal(CODE, "C", " ", "主任", at(26))
    with pytest.raises(NotRevealed, match="尚未公开"):
        evidence(CODE, "C")
    assert order_reveal(CODE, "C", "社会关注", "主任", at(26)) == CODE
    assert examine(json.loads(evidence(CODE, "C"))) is None
    with pytest.raises(DrawRefused, match="已经公开"):
        order_reveal(CODE, "C", "社会关注", "主任", at(27))
    with reading() as session:
        (inspections, drawn_rows) = (
            session.query(Inspection).filter(Inspection.code.startswith("2024-1-C")).count(),
            session.query(DrawnSubject).count(),
        )
    assert inspections == 6
    assert drawn_rows > inspections


# ---- the digest first ----------------------------------------------------------------------------


def test_a_frozen_draw_is_not_sealed_before_its_digest_has_gone_out(office: Any) -> None:
    assert freeze_draws(CODE, at(25)) == []
    assert seal_draws(CODE, at(25)) == 0
    deliver(at(25))
    assert seal_draws(CODE, at(25)) == 4


def test_a_digest_that_reached_nobody_keeps_the_draw_waiting(office: Any) -> None:
    freeze_draws(CODE, at(25))
    with writing() as session:
        session.execute(
            text("UPDATE mail SET state = 'undeliverable' WHERE key LIKE '%freeze:%-D:%'")
        )
    deliver(at(25))
    assert seal_draws(CODE, at(25)) == 3
    with pytest.raises(DrawRefused, match="冻结摘要还没有送出"):
        draw_grade(CODE, "D", "张三", at(25))


def test_a_freeze_that_is_not_the_one_told_is_not_drawn_from(office: Any) -> None:
    freeze_draws(CODE, at(25))
    deliver(at(25))
    with writing() as session:  # by somebody who may do anything to the database
        session.execute(text("DROP TRIGGER draw_final"))
        session.execute(
            text("UPDATE draw SET frozen = replace(frozen, :zero, :five)"),
            {"zero": '"minimum":0', "five": '"minimum":5'},
        )
    with pytest.raises(DrawRefused, match="与送出的冻结摘要不符"):
        seal_draws(CODE, at(25))
    with reading() as session:
        assert the_draw(session).sealed_at is None
