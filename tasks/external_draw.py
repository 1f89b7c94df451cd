"""Draws made elsewhere (外部抽取): the platform's list imported, and labelled 无证明."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models import external_draw, ledger
from models.cells import Cell
from models.database import writing
from models.draw import EXTERNAL, Draw
from models.freeze import DrawRefused, draw_count, ratio_text
from models.ledger import Event
from models.mail import letter
from models.paper_file import PaperFile
from models.protocol import Team
from models.registers import CLOSED
from models.replacement import worded
from models.round import Round
from models.settings import settings
from models.subject import Subject
from tasks import team
from tasks.draw import refuse_again, save_sealed
from tasks.freeze import able_inspectors, find_draw, refuse_ungraded
from tasks.paper import write
from tasks.plan import witnesses
from tasks.round import lock
from tasks.sheet import read_rows

LIST = "外部抽取名单"


def import_draw(
    code: str, grade: str, file: Path, document: str, imported_by: str, at: datetime
) -> str:
    """Seal a draw as another platform made it, by its list and document; returns the round.

    All or nothing. The list is kept among the papers, named after its digest. RegisterError names
    the row; DrawRefused: the plan has it drawn here, it is below the floor, or sealed already.
    """
    document, imported_by = worded(document, "平台文书"), worded(imported_by, "经办人")
    rows, content = read_rows(file), file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    path = Path(code) / LIST / f"{code}-{grade}-{digest[:16]}{file.suffix.lower()}"
    kept = settings().papers_folder / path
    known = kept.exists()
    write(kept, content)
    try:
        with writing() as session:
            round = lock(session, code)
            draw = find_draw(session, round, grade)
            refusal = refuse_again(session, draw, imported_by, at)
            if not refusal:
                teams = _teams(session, round, draw, file.name, rows, at)
                codes = list(dict.fromkeys(one.subject for one in teams))
                _check_floor(session, round, draw, len(codes))
                draw.document = document
                round.opened_on = round.opened_on or at.date()
                round.version += 1
                detail = {"document": document, "sha256": digest, "count": len(codes)}
                event = Event("导入外部抽取（无证明）", draw.code, detail)
                ledger.append(session, at, imported_by, [event])
                team.save_tickets(session, draw, [(one, "", False) for one in codes])
                session.add(_paper(round, draw, path, digest, at))
                save_sealed(session, round, draw, codes, teams, EXTERNAL, at)
                _tell_witnesses(session, round, draw, digest, at)
        if refusal:
            raise DrawRefused(refusal)
    except BaseException:
        if not known:
            kept.unlink()
        raise
    return code


def _teams(
    session: Session,
    round: Round,
    draw: Draw,
    file: str,
    rows: Sequence[Sequence[Cell]],
    at: datetime,
) -> list[Team]:
    """The list's teams, once everything that a freeze would ask for holds."""
    if draw.source != EXTERNAL:
        raise DrawRefused(
            f"{draw.code} 依方案由本系统抽取；确由外部平台抽取的，"
            f'请先在方案该等级写明 source = "{EXTERNAL}"'
        )
    if at.date() < round.opens_on:
        raise DrawRefused(f"{draw.code} 还没有到抽取的日子：定于 {round.opens_on}")
    refuse_ungraded(session)
    plan = round.plan_version.plan
    able = able_inspectors(session, plan, round.ends_on)
    return external_draw.teams(
        file,
        external_draw.read_places(file, rows, plan),
        plan,
        set(session.scalars(select(Subject.code).where(*_pool(draw)))),
        {certificate: person.department for certificate, person in able.items()},
        {(subject, one) for one, person in able.items() for subject in person.recusals},
    )


def _pool(draw: Draw) -> tuple[ColumnElement[bool], ...]:
    return (Subject.grade == draw.grade, Subject.status.not_in(CLOSED))


def _check_floor(session: Session, round: Round, draw: Draw, count: int) -> None:
    """Keep what the draw was to be measured by; DrawRefused where its count is below the floor."""
    plan = round.plan_version.plan
    ratio = next(ratio for ratio in plan.grades if ratio.grade == draw.grade)
    draw.pool = session.scalar(select(func.count()).select_from(Subject).where(*_pool(draw))) or 0
    draw.ratio, draw.ratio_reason = ratio_text(ratio.ratio), ratio.reason
    floor = draw_count(draw.pool, 0, ratio.ratio, ratio.minimum)
    if count < floor:
        raise DrawRefused(
            f"{draw.code} 名单只有 {count} 户，按比例 {draw.ratio}% 至少应抽 {floor} 户"
            f"（名录库 {draw.pool} 户），未导入"
        )


def _paper(round: Round, draw: Draw, path: Path, digest: str, at: datetime) -> PaperFile:
    return PaperFile(
        round_id=round.id,
        kind=LIST,
        object=draw.code,
        version=1,
        path=str(path),
        sha256=digest,
        made_on=at.date(),
    )


def _tell_witnesses(session: Session, round: Round, draw: Draw, digest: str, at: datetime) -> None:
    for role, person in witnesses(round.plan_version.plan):
        letter(
            session,
            key=f"external:{draw.code}:{role}",
            name=person.name,
            email=person.email,
            day=at.date(),
            subject=f"〔{draw.code}〕外部抽取已导入，无证明",
            text=(
                f"{draw.code} 由外部平台抽取，名录库 {draw.pool} 户，抽取 {draw.count} 户，"
                f"文书：{draw.document}。\n名单文件 sha256：{digest}\n\n"
                "外部抽取不能由他人重算验证，公开时注明“无证明”。请留存。"
            ),
        )
