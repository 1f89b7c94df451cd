"""Draws: frozen, sealed, revealed; each step one transaction, each done once."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from calendars import WorkingCalendar
from models import freeze as protocol_freeze
from models import ledger, protocol
from models.database import reading, writing
from models.draw import Draw, DrawnSubject, TeamMember
from models.freeze import DrawRefused
from models.inspection import DepartmentRecord, Inspection
from models.ledger import Event
from models.mail import letter
from models.plan import Plan
from models.registers import CLOSED
from models.round import Round
from models.subject import Inspector, Subject
from models.visit import planned_visits
from tasks.calendar import office_calendar
from tasks.plan import witnesses
from tasks.round import SYSTEM, lock


def _draws(session: Session, round: Round) -> list[Draw]:
    return list(session.scalars(select(Draw).where(Draw.round_id == round.id).order_by(Draw.grade)))


def freeze_draws(code: str, at: datetime) -> list[str]:
    """Freeze each draw that is due (draw-1, step 2), the digest going out in the same transaction.

    A draw is due from the round's day on, one working day after its commitment at the earliest.
    Returns the reasons, in Chinese, why any could not be frozen; then nothing of that one is.
    """
    refused = []
    with reading() as session:
        grades = list(
            session.scalars(
                select(Draw.grade)
                .join(Round)
                .where(Round.code == code, Draw.frozen_at.is_(None))
                .order_by(Draw.grade)
            )
        )
    for grade in grades:
        try:
            _freeze(code, grade, at)
        except DrawRefused as error:
            refused.append(f"{code}-{grade}：{error}")
    if refused:
        with writing() as session:
            ledger.append(session, at, SYSTEM, [Event("抽取受阻", code, {"reasons": refused})])
    return refused


def _freeze(code: str, grade: str, at: datetime) -> None:
    with writing() as session:
        round = lock(session, code)
        draw = next(draw for draw in _draws(session, round) if draw.grade == grade)
        if draw.frozen_at is not None or at.date() < round.opens_on:
            return
        calendar = office_calendar(session)
        if calendar.count_working_days(draw.committed_at.date(), at.date()) < 1:
            return
        plan = round.plan_version.plan
        _refuse_ungraded(session)
        frozen = _freeze_object(session, round, draw, plan, at)
        ratio = next(ratio for ratio in plan.grades if ratio.grade == grade)
        draw.frozen = protocol_freeze.canonical(frozen).decode()
        draw.freeze_digest = protocol_freeze.freeze_digest(frozen)
        draw.frozen_at, draw.ratio = at.replace(microsecond=0), frozen["ratio"]
        draw.ratio_reason = ratio.reason
        draw.pool = len(frozen["pool"])
        round.opened_on = round.opened_on or at.date()
        ledger.append(
            session,
            at,
            SYSTEM,
            [Event("冻结", draw.code, {"digest": draw.freeze_digest, "pool": draw.pool})],
        )
        for role, person in witnesses(plan):
            letter(
                session,
                key=f"freeze:{draw.code}:{role}",
                name=person.name,
                email=person.email,
                day=at.date(),
                subject=f"〔{draw.code}〕抽取冻结摘要，请留存",
                text=(
                    f"{draw.code} 的名录库和执法检查人员名录库已于 {at:%Y-%m-%d %H:%M} 冻结，"
                    f"名录库 {draw.pool} 户。\n\n冻结摘要：{draw.freeze_digest}\n"
                    f"承诺值：{draw.commitment}\n\n"
                    "自此任何人都不能改动抽取结果而不被持有本摘要的人发现。请留存。"
                ),
            )


def _refuse_ungraded(session: Session) -> None:
    ungraded = session.query(Subject.id).filter(
        Subject.grade.is_(None), Subject.status.not_in(CLOSED)
    )
    if count := ungraded.count():
        raise DrawRefused(f"在营检查对象中有 {count} 户没有风险等级，未冻结。请先补齐等级")


def _freeze_object(
    session: Session, round: Round, draw: Draw, plan: Plan, at: datetime
) -> dict[str, Any]:
    ratio = next(ratio for ratio in plan.grades if ratio.grade == draw.grade)
    pool = session.scalars(
        select(Subject.code).where(Subject.grade == draw.grade, Subject.status.not_in(CLOSED))
    ).all()
    needed = {
        department.code: frozenset(
            item.qualification for item in plan.items_of(department.code) if item.qualification
        )
        for department in plan.departments
    }
    inspectors = [
        inspector
        for inspector in session.scalars(select(Inspector))
        if inspector.department in needed
        and inspector.may_serve(round.ends_on, needed[inspector.department])
    ]
    return protocol_freeze.freeze(
        round=round.task_number,
        grade=draw.grade,
        commitment=draw.commitment,
        committed_at=draw.committed_at,
        frozen_at=at,
        ratio=ratio.ratio,
        minimum=ratio.minimum,
        pool=pool,
        departments=[(d.code, d.inspectors, d.initiating) for d in plan.departments],
        inspectors=[(i.department, i.certificate) for i in inspectors],
        recusals=[(code, i.certificate) for i in inspectors for code in i.recusals],
        public_value_rule=draw.public_value_rule,
    )


def seal_draws(code: str, at: datetime) -> int:
    """Draw and seal each frozen draw that waits for nothing; returns how many were sealed now.

    draw-1, steps 4 to 6: subjects, then inspectors. Once sealed it is never drawn again.
    """
    sealed = 0
    with writing() as session:
        round = lock(session, code)
        calendar = office_calendar(session)
        for draw in _draws(session, round):
            ready = draw.frozen_at and not draw.sealed_at and not draw.waits_for_public_value
            if ready:
                _seal(session, round, draw, calendar, at)
                sealed += 1
    return sealed


def _seal(
    session: Session, round: Round, draw: Draw, calendar: WorkingCalendar, at: datetime
) -> None:
    plan = round.plan_version.plan
    secret = bytes.fromhex(draw.secret)
    seed = protocol.seed(draw.freeze, secret, draw.public_value)
    drawn, alternates = protocol.draw_subjects(draw.freeze, seed)
    rows = [
        {"draw_id": draw.id, "position": n, "alternate": False, "code": code, "ticket": ticket}
        for n, (code, ticket) in enumerate(drawn, start=1)
    ] + [
        {
            "draw_id": draw.id,
            "position": n,
            "alternate": True,
            "code": code,
            "ticket": protocol.ticket(seed, code),
        }
        for n, code in enumerate(alternates, start=1)
    ]
    if rows:
        session.execute(insert(DrawnSubject), rows)
    draw.seed, draw.count, draw.sealed_at = seed.hex(), len(drawn), at.replace(microsecond=0)
    codes = [code for code, _ in drawn]
    _make_inspections(session, round, draw, plan, calendar, codes)
    _make_teams(session, draw, protocol.draw_teams(draw.freeze, seed, drawn))
    ledger.append(
        session,
        at,
        SYSTEM,
        [Event("抽取封存", draw.code, {"count": draw.count, "freeze": draw.freeze_digest})],
    )


def _make_inspections(
    session: Session,
    round: Round,
    draw: Draw,
    plan: Plan,
    calendar: WorkingCalendar,
    codes: list[str],
) -> None:
    planned = plan.rounds[round.number - 1]
    subjects: dict[str, Subject] = {}
    for start in range(0, len(codes), 10_000):  # databases bound the number of parameters
        part = codes[start : start + 10_000]
        found = session.scalars(select(Subject).where(Subject.code.in_(part)))
        subjects |= {subject.code: subject for subject in found}
    days = planned_visits(planned, len(codes), calendar)
    width = max(2, len(str(len(codes))))
    rows = [
        {
            "round_id": round.id,
            "draw_id": draw.id,
            "code": f"{draw.code}{number:0{width}}",
            "subject_code": code,
            "subject": subjects[code].row.model_dump(mode="json"),
            "planned_on": day,
        }
        for number, (code, day) in enumerate(zip(codes, days, strict=True), start=1)
    ]
    if not rows:
        return
    session.execute(insert(Inspection), rows)
    ids = session.scalars(
        select(Inspection.id).where(Inspection.draw_id == draw.id).order_by(Inspection.id)
    )
    session.execute(
        insert(DepartmentRecord),
        [
            {"inspection_id": id, "department": department.code}
            for id in ids
            for department in plan.departments
        ],
    )


def _make_teams(session: Session, draw: Draw, teams: list[protocol.Team]) -> None:
    inspections = {
        code: id
        for id, code in session.execute(
            select(Inspection.id, Inspection.subject_code).where(Inspection.draw_id == draw.id)
        )
    }
    people = {person.certificate: person for person in session.scalars(select(Inspector))}
    rows = [
        {
            "inspection_id": inspections[team.subject],
            "department": team.department,
            "certificate": certificate,
            "name": people[certificate].name,
            "email": people[certificate].email,
            "position": position,
            "leader": certificate == team.leader,
        }
        for team in teams
        for position, certificate in enumerate(team.drawn, start=1)
    ]
    if rows:
        session.execute(insert(TeamMember), rows)


def reveal_draws(code: str, at: datetime) -> int:
    """Reveal each sealed draw whose every inspection has its records (step 9); returns how many."""
    revealed = 0
    with writing() as session:
        round = lock(session, code)
        for draw in _draws(session, round):
            if draw.sealed_at is None or draw.revealed_at is not None:
                continue
            missing = session.scalar(
                select(DepartmentRecord.id)
                .join(Inspection)
                .where(
                    Inspection.draw_id == draw.id,
                    Inspection.dropped_on.is_(None),
                    DepartmentRecord.recorded_on.is_(None),
                )
                .limit(1)
            )
            if missing is None:
                draw.revealed_at = at.replace(microsecond=0)
                ledger.append(session, at, SYSTEM, [Event("公开抽取", draw.code, {})])
                revealed += 1
    return revealed


def enter_public_value(
    code: str, grade: str, value: str, entered_by: list[str], at: datetime
) -> None:
    """Enter a frozen draw's public value, once, by two people (step 3). DrawRefused otherwise."""
    people = [name.strip() for name in entered_by if name.strip()]
    if len(set(people)) < 2:
        raise DrawRefused("公共值须由两名不同的人共同录入，请写明两人姓名")
    protocol_freeze.check_text(value, "公共值")
    with writing() as session:
        round = lock(session, code)
        draw = next((draw for draw in _draws(session, round) if draw.grade == grade), None)
        if draw is None or not draw.waits_for_public_value:
            raise DrawRefused(f"{code}-{grade} 现在不待录入公共值")
        draw.public_value, draw.public_value_by = value, people
        round.version += 1
        ledger.append(
            session, at, "、".join(people), [Event("录入公共值", draw.code, {"value": value})]
        )
