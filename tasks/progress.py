"""Progress: how far a round is, in figures, for its card, its run's name and the board."""

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import func, select

from calendars.deadline import end_of
from models.alert import Alert
from models.database import reading
from models.draw import Draw, TeamMember
from models.inspection import Inspection
from models.obligation import Obligation
from models.paper import DrawCertificate
from models.paper_file import PaperFile
from models.plan import DUTY_NAMES, Duty
from models.statistics import Statistics, statistics
from tasks.round import with_round
from tasks.statistics import count_inspections, count_obligations

CLOSED = "已办结"


@dataclass(frozen=True)
class DrawFigures:
    """One draw of the round; nothing in it tells who was drawn."""

    grade: str
    pool: int
    count: int
    ratio: str
    state: str
    commitment: str
    digest: str
    sealed_at: datetime | None
    certificate: str = ""


@dataclass
class DutyFigures:
    """One duty's obligations: all, met, ended late, open, open and overdue, due soon.

    They were met between `first_on` and `last_on`.
    """

    name: str
    total: int = 0
    met: int = 0
    late: int = 0
    open: int = 0
    overdue: int = 0
    soon: int = 0
    first_on: date | None = None
    last_on: date | None = None

    @property
    def done(self) -> int:
        """Met or closed."""
        return self.total - self.open


@dataclass
class Progress:
    """A round on one day. `stage` is the first duty that still has something open."""

    code: str
    number: int
    plan: str
    subjects: str
    opens_on: date
    opened_on: date | None
    ends_on: date
    closed_on: date | None
    outcome: str
    pass_number: int
    inspections: int = 0
    inspected: int = 0
    dropped: int = 0
    inspectors: int = 0
    alerts: int = 0
    ever_overdue: int = 0
    draws: list[DrawFigures] = field(default_factory=list)
    duties: dict[Duty, DutyFigures] = field(default_factory=dict)
    statistics: Statistics | None = None

    @property
    def stage(self) -> tuple[str, int, int]:
        """The stage with how many of how many are done in it."""
        if self.closed_on is not None:
            return CLOSED, self.inspections, self.inspections
        if any(draw.state == "待公共值" for draw in self.draws):
            return (
                "待公共值",
                sum(draw.sealed_at is not None for draw in self.draws),
                len(self.draws),
            )
        for figures in self.duties.values():
            if figures.open:
                return figures.name, figures.done, figures.total
        return "待抽取" if self.opened_on is None else "待办结", 0, len(self.draws)

    @property
    def overdue(self) -> int:
        """Open obligations past their due day."""
        return sum(figures.overdue for figures in self.duties.values())

    @property
    def soon(self) -> int:
        """Open obligations due within a week."""
        return sum(figures.soon for figures in self.duties.values())


def progress(code: str, as_of: date, at: datetime | None = None) -> Progress:
    """The round as it stands on that day; what runs by the clock `at` a minute, or at its end.

    Raises UnknownRound.
    """
    with reading() as session:
        round = with_round(session, code)
        plan = round.plan_version.plan
        found = Progress(
            code=code,
            number=round.number,
            plan=plan.number,
            subjects=plan.subjects,
            opens_on=round.opens_on,
            opened_on=round.opened_on,
            ends_on=round.ends_on,
            closed_on=round.closed_on,
            outcome=round.outcome,
            pass_number=round.pass_number,
        )
        draws = select(Draw).where(Draw.round_id == round.id).order_by(Draw.grade)
        papers = select(PaperFile.object, PaperFile.path).where(
            PaperFile.round_id == round.id, PaperFile.kind == DrawCertificate.kind
        )
        certificates = dict(session.execute(papers.order_by(PaperFile.version)).tuples().all())
        found.draws = [
            _figures(draw, Path(certificates.get(draw.code, "")).name)
            for draw in session.scalars(draws)
        ]
        serving = (
            select(func.count(TeamMember.certificate.distinct()))
            .join(Inspection, Inspection.id == TeamMember.inspection_id)
            .where(Inspection.round_id == round.id, TeamMember.left_at.is_(None))
        )
        found.inspectors = session.scalar(serving) or 0
        inspections = count_inspections(session, [round])[round.id]
        found.inspections, found.inspected = inspections.total, inspections.ended
        found.dropped = inspections.dropped
        found.duties = {duty: DutyFigures(name) for duty, name in DUTY_NAMES.items()}
        counted = count_obligations(session, [round], as_of, at or end_of(as_of))[round.id]
        for one in counted:
            figures, tally = found.duties[one.tally.duty], one.tally
            figures.total += tally.total
            figures.met += tally.on_time + tally.late
            figures.late += one.ended_late
            figures.open += tally.open
            figures.overdue += tally.overdue
            figures.soon += one.soon
            days = [figures.first_on, figures.last_on, one.first_met_on, one.last_met_on]
            known = [day for day in days if day]
            figures.first_on, figures.last_on = min(known, default=None), max(known, default=None)
            found.ever_overdue += one.missed
        found.statistics = statistics(code, (one.tally for one in counted), [inspections], 1)
        found.alerts = (
            session.scalar(
                select(func.count(Alert.id))
                .join(Obligation, Obligation.id == Alert.obligation_id)
                .where(Obligation.round_id == round.id, Alert.mail_id.is_not(None))
            )
            or 0
        )
        return found


def _figures(draw: Draw, certificate: str) -> DrawFigures:
    if draw.revealed_at:
        state = "已公开"
    elif draw.sealed_at:
        state = "已封存"
    elif draw.waits_for_public_value:
        state = "待公共值"
    else:
        state = "已冻结" if draw.frozen_at else "已承诺"
    return DrawFigures(
        grade=draw.grade,
        pool=draw.pool,
        count=draw.count,
        ratio=draw.ratio or "",
        state=state if draw.proven else f"{state}（外部抽取，无证明）",
        commitment=draw.commitment if draw.proven else "",
        digest=draw.freeze_digest or "",
        sealed_at=draw.sealed_at,
        certificate=certificate,
    )
