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
from models.plan import Person, Plan, PlanVersion
from models.protocol import commitment
from models.round import Round
from tasks.round import SYSTEM


def load_plan(plan: Plan, at: datetime) -> str:
    """Store `plan` and register its rounds; loading the same again changes nothing.

    Returns what was done, as one Chinese line. Rounds that are open already keep their days.
    """
    with writing() as session:
        stored = session.scalar(select(PlanVersion).where(PlanVersion.number == plan.number))
        if stored is not None and stored.digest == plan.digest:
            return f"{plan.number} 没有变化（第 {stored.version} 版）"
        if stored is None:
            stored = PlanVersion(number=plan.number, version=0)
            session.add(stored)
        stored.version += 1
        stored.digest, stored.loaded_at = plan.digest, at
        stored.content = plan.model_dump(mode="json")
        session.flush()
        events = [
            Event("载入计划", plan.number, {"version": stored.version, "digest": plan.digest}),
            *_register(session, stored, plan, at),
        ]
        ledger.append(session, at, SYSTEM, events)
        return f"{plan.number} 已载入（第 {stored.version} 版），{len(plan.rounds)} 个轮次"


def _register(session: Session, stored: PlanVersion, plan: Plan, at: datetime) -> list[Event]:
    """Rounds and draws that are not there yet, each draw with a secret of its own, made once."""
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
                {"commitment": draw.commitment, "public_value_rule": draw.public_value_rule},
            )
            for draw in draws
        ]
        if draws:
            _tell_heads(session, round, plan, draws, at)
    return events


def _commit(session: Session, round: Round, plan: Plan, at: datetime) -> list[Draw]:
    """draw-1, step 1: a secret and its commitment for each grade that has none yet."""
    made = set(session.scalars(select(Draw.grade).where(Draw.round_id == round.id)))
    draws = []
    for grade in plan.grades:
        if grade.grade in made:
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
            )
        )
    session.add_all(draws)
    session.flush()
    return draws


def _tell_heads(
    session: Session, round: Round, plan: Plan, draws: list[Draw], at: datetime
) -> None:
    lines = [
        f"{plan.title}第 {round.number} 轮（{round.code}）已登记，定于 {round.opens_on} 起抽取。",
        "以下为各等级抽取的承诺值，请留存；抽取公开后，任何人可据此验证抽取未被改动。",
        "",
    ]
    for draw in draws:
        lines.append(f"{draw.grade} 级：{draw.commitment}")
        if draw.public_value_rule:
            lines.append(f"　　公共值规则：{draw.public_value_rule}")
    for role, person in witnesses(plan):
        letter(
            session,
            key=f"commitment:{round.code}:{role}",
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
