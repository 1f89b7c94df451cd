"""Draw certificates: one page for the file of each sealed draw, with the rotation beside it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.database import reading, writing
from models.draw import DRAW_1, Draw
from models.inspection import Inspection
from models.paper import LISTED_ON_CERTIFICATE, DrawCertificate, DrawnSubject
from models.round import Round
from tasks import filing
from tasks.plan import witnesses
from tasks.rotation import write_rotation
from tasks.round import lock, with_round


def prepare_certificates(code: str, at: datetime) -> int:
    """File the certificate (抽取结果确认单) of each sealed draw that has none; returns how many.

    They name the drawn, so they stay among the office's papers. 外部抽取 has its own document.
    """
    with reading() as session:
        round = with_round(session, code)
        filed = {object for object, _ in filing.filed(session, round, DrawCertificate.kind)}
        sealed = session.scalars(
            select(Draw)
            .where(Draw.round_id == round.id, Draw.source == DRAW_1, Draw.sealed_at.is_not(None))
            .order_by(Draw.grade)
        )
        drafts = [
            filing.Draft(_certificate(session, round, draw), draw.code, 1)
            for draw in sealed
            if draw.code not in filed
        ]
    if not drafts:
        return 0
    write_rotation(code)
    made = filing.make(code, drafts)
    with writing() as session:
        return len(filing.enter(session, lock(session, code), made, at.date()))


def _certificate(session: Session, round: Round, draw: Draw) -> DrawCertificate:
    plan = round.plan_version.plan
    assert draw.frozen_at is not None
    assert draw.sealed_at is not None
    listed = session.execute(
        select(Inspection.subject_code, Inspection.subject["name"].as_string())
        .where(Inspection.draw_id == draw.id)
        .order_by(Inspection.id)
        .limit(LISTED_ON_CERTIFICATE)
    )
    return DrawCertificate(
        drill=plan.drill,
        round_code=round.code,
        round_name=round.task_number,
        grade=draw.grade,
        pool=draw.pool,
        excluded=len(draw.freeze["excluded"]),
        ratio=draw.ratio,
        ratio_reason=draw.ratio_reason,
        count=draw.count,
        drawn=tuple(DrawnSubject(code=code, name=name) for code, name in listed),
        commitment=draw.commitment,
        committed_at=draw.committed_at,
        freeze_digest=draw.freeze_digest,
        frozen_at=draw.frozen_at,
        public_value=draw.public_value,
        drawn_at=draw.sealed_at,
        witnesses=tuple(dict.fromkeys(person.name for _, person in witnesses(plan))),
        department=plan.issuer,
    )
