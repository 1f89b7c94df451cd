"""The brief: what the office reports of a round (专项简报), with figures, 亮点, 问题: §九.3."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar

from pydantic import Field
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Line
from models.entry import EntryRefused, not_after
from models.paper import Line as OneLine
from models.paper import Paper, Printed
from models.plan import DUTY_NAMES, Plan
from models.statistics import PLAN_RATE, Inspections, Statistics


class Brief(Base):
    """That the brief of a round was sent. A person finishes it; the draft is a paper of its own."""

    __tablename__ = "brief"

    id: Mapped[Key]
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), unique=True)
    sent_on: Mapped[date]
    receiving: Mapped[Line]
    document: Mapped[Line]
    entered_by: Mapped[Line]
    entered_at: Mapped[datetime]


class BriefRate(Printed):
    """One figure that offices are judged by, with its formula and what went into it."""

    name: OneLine
    percent: OneLine
    counted: OneLine
    formula: OneLine


class BriefRow(Printed):
    """One department in one stage: done in time and late apart, not done, of that overdue."""

    duty: OneLine
    department: OneLine
    on_time: int
    late: int
    open: int
    overdue: int


class BriefDraft(Paper):
    """Draft of a round's brief (专项简报初稿), for a person to finish; it names no subject.

    Its figures are those of `counted_on`.
    """

    kind: ClassVar[str] = "专项简报"

    issuer: OneLine
    plan_number: OneLine
    plan_title: OneLine
    task_number: OneLine
    round_number: int
    opened_on: date
    ends_on: date
    counted_on: date
    should: int
    inspected: int
    dropped: int
    rates: tuple[BriefRate, ...]
    rows: tuple[BriefRow, ...]
    highlights: tuple[OneLine, ...]
    problems: tuple[OneLine, ...] = Field(min_length=1)


def brief_draft(
    plan: Plan,
    round_number: int,
    opened_on: date,
    ends_on: date,
    counted_on: date,
    figures: Statistics,
    inspections: Inspections,
    results: Mapping[int, int],
) -> BriefDraft:
    """The draft from what is known. `results`: how many items got each of the ten results."""
    rates = tuple(
        BriefRate(
            name=rate.name,
            percent=rate.percent,
            counted=f"{rate.part} ÷ {rate.whole}",
            formula=rate.formula,
        )
        for rate in figures.rates
        if rate.name != PLAN_RATE
    )
    rows = tuple(
        BriefRow(
            duty=DUTY_NAMES[row.duty],
            department=row.department,
            on_time=row.on_time,
            late=row.late,
            open=row.open,
            overdue=row.overdue,
        )
        for row in figures.rows
        if row.duty != "brief"
    )
    return BriefDraft(
        drill=plan.drill,
        issuer=plan.issuer,
        plan_number=plan.number,
        plan_title=plan.title,
        task_number=plan.task_number(round_number),
        round_number=round_number,
        opened_on=opened_on,
        ends_on=ends_on,
        counted_on=counted_on,
        should=inspections.total,
        inspected=inspections.ended,
        dropped=inspections.dropped,
        rates=rates,
        rows=rows,
        highlights=tuple(highlights(plan, figures, inspections)),
        problems=tuple(problems(plan, rows, inspections, results)) or ("未发现问题。",),
    )


def highlights(plan: Plan, figures: Statistics, inspections: Inspections) -> list[str]:
    """亮点: what the figures bear out, and nothing more."""
    found = []
    if inspections.ended:
        found.append(
            f"{len(plan.departments)} 个部门联合检查 {inspections.ended} 户，"
            f"每户进一次门，同查 {len(plan.items)} 个事项。"
        )
    found += [
        f"{rate.name} 100%（{rate.part} ÷ {rate.whole}）。"
        for rate in figures.rates
        if rate.name != PLAN_RATE and rate.whole and rate.part == rate.whole
    ]
    return found


def problems(
    plan: Plan, rows: Sequence[BriefRow], inspections: Inspections, results: Mapping[int, int]
) -> list[str]:
    """问题: what was found, what was not carried out, and who was late with what."""
    found = [
        f"检查结果为“{plan.result(code).text}”的 {number} 项次。"
        for code, number in sorted(results.items())
        if plan.result(code).adverse and number
    ]
    if inspections.dropped:
        found.append(f"未实施 {inspections.dropped} 户。")
    waiting = inspections.total - inspections.ended - inspections.dropped
    if waiting:
        found.append(f"检查时间届满，仍有 {waiting} 户没有检查。")
    for row in rows:
        late = f"逾期办理 {row.late} 项" if row.late else ""
        overdue = f"逾期未办 {row.overdue} 项" if row.overdue else ""
        if late or overdue:
            told = "，".join(filter(None, (late, overdue)))
            found.append(f"{row.department}{row.duty}：{told}。")
    return found


def check_brief(code: str, sent_on: date, ends_on: date, waiting: int, as_of: date) -> None:
    """Refuse a brief that cannot have been sent, or that came before there was all to report.

    `waiting`: inspections neither over nor given up. Once the window is over they are reported as
    what they are, so that one department's delay does not become the coordinator's.
    """
    not_after(sent_on, as_of, f"{code} 报送日期")
    if waiting and sent_on <= ends_on:
        raise EntryRefused(
            f"{code} 还有 {waiting} 户没有检查，检查时间到 {ends_on} 为止，届时再报送专项简报"
        )
