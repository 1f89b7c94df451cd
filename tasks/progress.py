"""Progress: how far a round is, in figures, for its card, its run's name and the board."""

from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import func, select

from models.alert import Alert
from models.database import reading
from models.draw import Draw
from models.inspection import Inspection
from models.obligation import Obligation
from models.plan import DUTY_NAMES, Duty
from tasks.inspection import with_round

CLOSED = "已办结"
DUE_SOON_DAYS = 7


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


@dataclass
class DutyFigures:
    """One duty's obligations: all, met, ended late, open, open and overdue, due soon."""

    name: str
    total: int = 0
    met: int = 0
    late: int = 0
    open: int = 0
    overdue: int = 0
    soon: int = 0

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
    alerts: int = 0
    ever_overdue: int = 0
    draws: list[DrawFigures] = field(default_factory=list)
    duties: dict[Duty, DutyFigures] = field(default_factory=dict)

    @property
    def stage(self) -> tuple[str, int, int]:
        """The stage with how many of how many are done in it."""
        if self.closed_on is not None:
            return CLOSED, self.inspections, self.inspections
        if any(draw.state == "待公共值" for draw in self.draws):
            return "待公共值", sum(draw.state == "已封存" for draw in self.draws), len(self.draws)
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


def progress(code: str, as_of: date) -> Progress:
    """The round as it stands on that day. Raises UnknownRound."""
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
        found.draws = [_figures(draw) for draw in session.scalars(draws)]
        counted = select(
            func.count(Inspection.id),
            func.count(Inspection.ended_on),
            func.count(Inspection.dropped_on),
        ).where(Inspection.round_id == round.id)
        found.inspections, found.inspected, found.dropped = session.execute(counted).one()
        found.duties = {duty: DutyFigures(name) for duty, name in DUTY_NAMES.items()}
        for row in session.scalars(select(Obligation).where(Obligation.round_id == round.id)):
            figures = found.duties[row.duty]
            figures.total += 1
            figures.met += row.met_on is not None
            figures.open += row.open
            late = row.was_overdue(as_of)
            found.ever_overdue += late
            figures.late += late and not row.open
            figures.overdue += row.open and row.due_on < as_of
            figures.soon += row.open and 0 <= (row.due_on - as_of).days <= DUE_SOON_DAYS
        found.alerts = (
            session.scalar(
                select(func.count(Alert.id))
                .join(Obligation, Obligation.id == Alert.obligation_id)
                .where(Obligation.round_id == round.id)
            )
            or 0
        )
        return found


def _figures(draw: Draw) -> DrawFigures:
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
        state=state,
        commitment=draw.commitment,
        digest=draw.freeze_digest or "",
        sealed_at=draw.sealed_at,
    )
