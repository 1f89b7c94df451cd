"""Briefs: drafted once there is something to report, and entered as sent."""

from collections import Counter
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ledger
from models.brief import Brief, BriefDraft, brief_draft, check_brief
from models.database import reading, writing
from models.entry import EntryRefused
from models.inspection import DepartmentRecord, Inspection
from models.ledger import Event
from models.obligation import Obligation
from models.round import Round
from models.statistics import statistics
from tasks import filing
from tasks.duty import settle
from tasks.round import lock, with_round
from tasks.statistics import count_inspections, count_obligations

# What still keeps a draft from being the last one.
UNTIL_PUBLIC = ("inspect", "record", "publish")


def prepare_brief(code: str, at: datetime) -> int:
    """File the draft of the round's brief (§九.3); returns how many are new.

    The first once every inspection is over, or the window is; the second once every result is
    public as well. None any more after it was sent.
    """
    with reading() as session:
        round = with_round(session, code)
        version = _version(session, round, at.date())
        known = filing.filed(session, round, BriefDraft.kind)
        if not version or any(made >= version for _, made in known):
            return 0
        paper = _draft(session, round, at)
    made = filing.make(code, [filing.Draft(paper, code, version)])
    with writing() as session:
        return len(filing.enter(session, lock(session, code), made, at.date()))


def _version(session: Session, round: Round, as_of: date) -> int:
    """Which draft there should be by now; 0 for none."""
    sent = session.scalar(select(Brief.id).where(Brief.round_id == round.id))
    inspections = count_inspections(session, [round])[round.id]
    over = inspections.complete or as_of > round.ends_on
    if sent is not None or not (inspections.total and over):
        return 0
    left = select(Obligation.id).where(
        Obligation.round_id == round.id,
        Obligation.duty.in_(UNTIL_PUBLIC),
        Obligation.open,
    )
    return 1 if session.scalar(left.limit(1)) is not None else 2


def _draft(session: Session, round: Round, at: datetime) -> BriefDraft:
    plan = round.plan_version.plan
    counted = count_obligations(session, [round], at.date(), at)[round.id]
    inspections = count_inspections(session, [round])[round.id]
    of_round = (
        select(DepartmentRecord.results)
        .join(Inspection, Inspection.id == DepartmentRecord.inspection_id)
        .where(Inspection.round_id == round.id, DepartmentRecord.version > 0)
    )
    results = Counter(one["result"] for found in session.scalars(of_round) for one in found)
    figures = statistics(round.code, (one.tally for one in counted), [inspections], 1)
    return brief_draft(
        plan,
        round.number,
        round.opened_on or round.opens_on,
        round.ends_on,
        at.date(),
        figures,
        inspections,
        results,
    )


def send_brief(
    code: str, sent_on: date, receiving: str, document: str, entered_by: str, at: datetime
) -> str:
    """Enter that the round's brief was sent; returns the round. EntryRefused otherwise."""
    if not all(text.strip() for text in (receiving, document, entered_by)):
        raise EntryRefused("专项简报须写明报送对象、文号或标题和录入人")
    with writing() as session:
        round = lock(session, code)
        known = session.scalar(select(Brief).where(Brief.round_id == round.id))
        if known is not None:
            raise EntryRefused(f"{code} 的专项简报已于 {known.sent_on} 报送（{known.document}）")
        figures = count_inspections(session, [round])[round.id]
        if not figures.total:
            raise EntryRefused(f"{code} 没有检查，不需要专项简报")
        waiting = figures.total - figures.ended - figures.dropped
        check_brief(code, sent_on, round.ends_on, waiting, at.date())
        values = {"sent_on": sent_on, "receiving": receiving, "document": document}
        session.add(Brief(round_id=round.id, entered_by=entered_by, entered_at=at, **values))
        ledger.append(session, at, entered_by, [Event("登记专项简报", code, values)])
        settle(session, round, at, actor=entered_by)
        round.version += 1
        return round.code
