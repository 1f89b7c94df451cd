"""Explanations: how each due day of an object came about, day by day."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from calendars import Deadline, Grant, Suspension, Term, Unit, WorkingCalendar
from calendars import explain as explained
from calendars.deadline import end_of
from models.database import reading
from models.entry import EntryRefused
from models.grant import GrantedTime
from models.ledger import plain
from models.obligation import Obligation
from models.plan import DUTY_NAMES, Plan, PlanVersion
from models.round import Round
from models.wording import lateness
from tasks.calendar import calendar_of


@dataclass(frozen=True)
class Explanation:
    """One obligation as it is stored (`row`), and the count that its due day rests on."""

    row: Obligation
    deadline: Deadline
    grants: tuple[Grant, ...]
    calendar: WorkingCalendar

    @property
    def as_stored(self) -> bool:
        """False where the calendar of that time is gone, and the one at hand counts otherwise."""
        found, row = self.deadline, self.row
        return (found.due_on, found.provisional) == (row.due_on, row.provisional) and (
            row.started_at is None or found.due_at == row.due_at
        )

    @property
    def late(self) -> str:
        """How late the duty was met, in working days or in hours and minutes; empty for in time."""
        if self.row.met_on is None:
            return ""
        at = self.row.met_at or end_of(self.row.met_on)
        return lateness(self.row, self.row.met_on, at, self.calendar)

    def text(self) -> str:
        """For people: who owes what, on which ground, how it stands, and each day."""
        row = self.row
        head = (
            f"【{DUTY_NAMES[row.duty]}】{row.object} {row.about}\n"
            f"责任人 {row.person}；依据：{row.source}；期限第 {row.due_version} 版"
        )
        if row.missed_on:
            head += f"；曾于 {'、'.join(row.missed_on)} 逾期"
        if row.met_on:
            met = f"{row.met_at:%Y-%m-%d %H:%M}" if row.met_at else row.met_on
            head += f"；{met} 完成" + (f"（{self.late}）" if self.late else "")
        elif row.closed_on:
            head += f"；{row.closed_on} 终止（{row.closed_why}）"
        elif row.suspended:
            head += "；中止中"
        if self.deadline.calendar_version != row.calendar_version:
            head += f"\n登记时的日历 {row.calendar_version} 已不能重建，以下按现有数据计数"
        if not self.as_stored:
            state = "（暂定）" if row.provisional else ""
            head += f"\n注意：与登记的到期日 {row.due_on}{state} 不同"
        return f"{head}\n{explained(self.deadline)}"

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        row = self.row
        known = {
            "duty": DUTY_NAMES[row.duty],
            "object": row.object,
            "department": row.department,
            "person": row.person,
            "source": row.source,
            "version": row.due_version,
            "missed_on": row.missed_on,
            "started_at": row.started_at,
            "met_on": row.met_on,
            "met_at": row.met_at,
            "late": self.late,
            "closed_on": row.closed_on,
            "suspended": row.suspended,
            "stored": {
                "due_on": row.due_on,
                "provisional": row.provisional,
                "calendar_version": row.calendar_version,
            },
            "as_stored": self.as_stored,
            "grants": [self._told(grant) for grant in self.grants],
        }
        return {**plain(known), **self.deadline.as_dict()}

    def _told(self, grant: Grant) -> dict[str, Any]:
        kind = "中止" if isinstance(grant, Suspension) else "延期"
        effective = grant not in self.deadline.without_effect
        told = {key.rstrip("_"): value for key, value in asdict(grant).items()}
        return {"kind": kind, "effective": effective, **told}


def explain(object: str) -> list[Explanation]:
    """Every obligation of that object and of what belongs to it, in the order of duties.

    `object` is the code of a draw or an inspection, or an inspection's with its department. Each
    is counted by the version of the calendar that counted it. EntryRefused where there is none.
    """
    order = list(DUTY_NAMES)
    with reading() as session:
        rows = session.execute(
            select(Obligation, PlanVersion)
            .join(Round, Round.id == Obligation.round_id)
            .join(PlanVersion, PlanVersion.id == Round.plan_id)
            .where(
                or_(
                    Obligation.object == object,
                    Obligation.object.startswith(f"{object}/", autoescape=True),
                )
            )
        ).tuples()
        found = [_explained(session, row, stored.plan) for row, stored in rows]
    if not found:
        raise EntryRefused(f"没有“{object}”的期限，应为检查编号，如 2024-1-D03")
    return sorted(found, key=lambda one: (order.index(one.row.duty), one.row.object))


def _explained(session: Session, row: Obligation, plan: Plan) -> Explanation:
    calendar = calendar_of(session, row.calendar_version, plan)
    if row.working_days is None:
        term = _other_term(row)
        found = calendar.due(row.started_at or row.started_on, term)
        return Explanation(row, found, (), calendar)
    granted = (
        select(GrantedTime)
        .where(GrantedTime.duty == row.duty, GrantedTime.object == row.object)
        .order_by(GrantedTime.id)
    )
    grants = tuple(one.grant for one in session.scalars(granted))
    deadline = calendar.due(row.started_on, Term(row.working_days), grants=grants)
    return Explanation(row, deadline, grants, calendar)


def _other_term(row: Obligation) -> Term:
    """Of a duty that is not counted in working days."""
    if row.hours is not None:
        return Term(row.hours, Unit.HOURS)
    if row.natural_days is not None:
        return Term(row.natural_days, Unit.NATURAL_DAYS)
    return Term(row.due_on, Unit.FIXED_DATE)
