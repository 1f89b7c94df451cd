"""Plans: loaded from a file's content; each planned round registered with its commitments."""

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ledger
from models.database import reading, writing
from models.draw import Draw
from models.ledger import Event
from models.mail import letter
from models.plan import Person, Plan, PlanRefused, PlanVersion
from models.protocol import commitment
from models.round import Round
from tasks.duty import settle
from tasks.round import SYSTEM


def newest_plan(session: Session) -> Plan | None:
    """The plan that came last, in its newest version; None before any."""
    newest = session.scalar(select(PlanVersion).order_by(PlanVersion.id.desc()).limit(1))
    return newest.plan if newest else None


def load_plan(plan: Plan, at: datetime) -> str:
    """Store `plan` and register its rounds; loading the same again changes nothing.

    Returns what was done, as one Chinese line. Rounds that are open already keep their days.
    PlanRefused where its rounds' codes are another plan's, or it takes from under registered
    rounds what they stand on.
    """
    with writing() as session:
        stored = session.scalar(select(PlanVersion).where(PlanVersion.number == plan.number))
        if stored is not None and stored.digest == plan.digest:
            return f"{plan.number} 没有变化（第 {stored.version} 版）"
        if stored is None:
            _refuse_taken_codes(session, plan)
            stored = PlanVersion(number=plan.number, version=0)
            session.add(stored)
        else:
            _refuse_losses(session, stored, plan)
        stored.version += 1
        stored.digest, stored.loaded_at = plan.digest, at
        stored.content = plan.model_dump(mode="json")
        session.flush()
        events = [
            Event("载入计划", plan.number, {"version": stored.version, "digest": plan.digest}),
            *_register(session, stored, plan, at),
        ]
        ledger.append(session, at, SYSTEM, events)
        for round in session.scalars(select(Round).where(Round.plan_id == stored.id)):
            if round.closed_on is None:
                settle(session, round, at, why=f"计划第 {stored.version} 版")
        return f"{plan.number} 已载入（第 {stored.version} 版），{len(plan.rounds)} 个轮次"


def _refuse_taken_codes(session: Session, plan: Plan) -> None:
    codes = [plan.round_code(planned.number) for planned in plan.rounds]
    taken = session.scalar(select(Round.code).where(Round.code.in_(codes)).limit(1))
    if taken is not None:
        raise PlanRefused(f"{plan.number}：轮次“{taken}”属于另一方案，请改用别的 code")


def _refuse_losses(session: Session, stored: PlanVersion, plan: Plan) -> None:
    before = Plan.model_validate(stored.content)  # `stored.plan` would be kept after the change
    if plan.code != before.code or len(plan.rounds) < len(before.rounds):
        raise PlanRefused(f"{plan.number}：轮次已经登记，不能改 code，也不能减少轮次")
    under_way = session.scalar(
        select(Round.code)
        .where(Round.plan_id == stored.id, Round.opened_on.is_not(None), Round.closed_on.is_(None))
        .limit(1)
    )
    if under_way is None:
        return
    departments = {department.code for department in plan.departments}
    items = {(item.department, item.code) for item in plan.items}
    if departments != {department.code for department in before.departments} or not items >= {
        (item.department, item.code) for item in before.items
    }:
        raise PlanRefused(f"{plan.number}：{under_way} 正在进行，不能增减部门，也不能减少抽查事项")


def _register(session: Session, stored: PlanVersion, plan: Plan, at: datetime) -> list[Event]:
    """Rounds and draws that are not there yet, each draw with a secret of its own, made once.

    What outsiders must know of a draw is told when it is registered, and when its rule changes.
    """
    events = []
    known = {
        round.number: round
        for round in session.scalars(select(Round).where(Round.plan_id == stored.id))
    }
    for planned in plan.rounds:
        round = known.get(planned.number)
        if round is None:
            round = Round(
                plan_id=stored.id,
                number=planned.number,
                code=plan.round_code(planned.number),
                task_number=plan.task_number(planned.number),
                registered_at=at,
                opens_on=planned.opens_on,
            )
            session.add(round)
            known[planned.number] = round
        elif round.opened_on is not None:
            continue
        round.opens_on, round.visits_from = planned.opens_on, planned.visits_from
        round.ends_on = planned.ends_on
        session.flush()
        draws = _commit(session, round, plan, at)
        events += [
            Event(
                "公布承诺",
                f"{round.code}-{draw.grade}",
                {
                    "commitment": draw.commitment,
                    "public_value_rule": draw.public_value_rule,
                    "source": draw.source,
                },
            )
            for draw in draws
        ]
        if draws:
            _tell_heads(session, round, plan, draws, at, stored.version)
    return events


def _commit(session: Session, round: Round, plan: Plan, at: datetime) -> list[Draw]:
    """draw-1, step 1: a secret and its commitment for each grade that has none yet.

    One whose public value rule or source is another now is committed to anew, by the same secret:
    commitment and rule have to stand for a working day before the freeze, together.
    """
    made = {
        draw.grade: draw for draw in session.scalars(select(Draw).where(Draw.round_id == round.id))
    }
    draws = []
    for grade in plan.grades:
        if known := made.get(grade.grade):
            told = (known.public_value_rule, known.source)
            if told != (grade.public_value_rule, grade.source) and _unmade(known):
                known.public_value_rule, known.source = grade.public_value_rule, grade.source
                known.committed_at = at.replace(microsecond=0)
                draws.append(known)
            continue
        secret = secrets.token_bytes(32)
        draws.append(
            Draw(
                round_id=round.id,
                grade=grade.grade,
                secret=secret.hex(),
                commitment=commitment(secret),
                committed_at=at.replace(microsecond=0),
                public_value_rule=grade.public_value_rule,
                source=grade.source,
            )
        )
    session.add_all(draws)
    session.flush()
    return draws


def _unmade(draw: Draw) -> bool:
    return draw.frozen_at is None and draw.sealed_at is None


def _tell_heads(
    session: Session, round: Round, plan: Plan, draws: list[Draw], at: datetime, version: int
) -> None:
    lines = [
        f"{plan.title}第 {round.number} 轮（{round.code}）已登记，定于 {round.opens_on} 起抽取。",
        "以下为各等级抽取的承诺值，请留存；抽取公开后，任何人可据此验证抽取未被改动。",
        "",
    ]
    for draw in draws:
        if not draw.proven:
            lines.append(f"{draw.grade} 级：由外部平台抽取，无证明")
            continue
        lines.append(f"{draw.grade} 级：{draw.commitment}")
        if draw.public_value_rule:
            lines.append(f"　　公共值规则：{draw.public_value_rule}")
    for role, person in witnesses(plan):
        letter(
            session,
            key=f"commitment:{round.code}:{version}:{role}",
            name=person.name,
            email=person.email,
            day=at.date(),
            subject=f"〔{round.code}〕抽取承诺值，请留存",
            text="\n".join(lines),
        )


def witnesses(plan: Plan) -> list[tuple[str, Person]]:
    """Who keeps commitments and freeze digests: every department's head, and the coordinator."""
    heads = [(department.code, department.head) for department in plan.departments]
    return [*heads, ("coordinator", plan.coordinator)]


def plans() -> list[Plan]:
    """Every plan that is loaded, in the order in which they came."""
    with reading() as session:
        return [row.plan for row in session.scalars(select(PlanVersion).order_by(PlanVersion.id))]
