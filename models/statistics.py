"""The figures that offices are judged by, on-time and late apart, each with its formula."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from models.plan import Duty

# Of a plan as a whole; of a single round it says nothing.
PLAN_RATE = "计划完成率"


@dataclass(frozen=True)
class Tally:
    """Obligations of one duty, department and round that share a fate."""

    round: str
    department: str
    duty: Duty
    total: int
    on_time: int  # met, and no due day of it ever missed
    late: int  # met, but late
    closed: int = 0  # ended without being met: 未实施, no longer needed
    overdue: int = 0  # open and past the due day

    @property
    def open(self) -> int:
        """Neither met nor closed."""
        return self.total - self.on_time - self.late - self.closed


@dataclass(frozen=True)
class Rate:
    """A share with its formula; without anything to do it has no value."""

    name: str
    formula: str
    part: int
    whole: int

    @property
    def percent(self) -> str:
        """Rounded down, so that 100 % means all of it."""
        if not self.whole:
            return "—"
        return f"{self.part * 1000 // self.whole / 10:.1f}%"


@dataclass(frozen=True)
class Row:
    """One department in one stage (办理情况)."""

    department: str
    duty: Duty
    on_time: int
    late: int
    closed: int
    open: int
    overdue: int


@dataclass(frozen=True)
class Statistics:
    """The figures (统计) of `scope`, a round or a plan."""

    scope: str
    rates: tuple[Rate, ...]
    rows: tuple[Row, ...]

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "scope": self.scope,
            "rates": [
                {
                    "name": rate.name,
                    "formula": rate.formula,
                    "part": rate.part,
                    "whole": rate.whole,
                    "percent": rate.percent,
                }
                for rate in self.rates
            ],
            "departments": [vars(row).copy() for row in self.rows],
        }


@dataclass(frozen=True)
class Inspections:
    """One round's inspections: all that were drawn, carried out, given up (未实施)."""

    total: int
    ended: int
    dropped: int
    drawn: bool  # every draw of the round is sealed

    @property
    def complete(self) -> bool:
        """All are drawn, and every one of them is over."""
        return self.drawn and self.total == self.ended + self.dropped


def statistics(
    scope: str,
    tallies: Iterable[Tally],
    inspections: Iterable[Inspections],
    planned_rounds: int,
) -> Statistics:
    """The figures of the rounds handed in, of which the plan has `planned_rounds`.

    An inspection given up stays in 应检查 and never counts as carried out.
    """
    tallies, inspections = list(tallies), list(inspections)
    should = sum(one.total for one in inspections)
    ended = sum(one.ended for one in inspections)
    complete = sum(one.complete for one in inspections)
    publish = _sum(tallies, "publish")
    refer = _sum(tallies, "refer")
    follow_up = _sum(tallies, "follow_up")
    rates = (
        Rate(PLAN_RATE, "检查已全部结束的轮次 ÷ 计划的轮次", complete, planned_rounds),
        Rate("检查完成率", "已检查 ÷ 应检查（未实施的仍计入应检查）", ended, should),
        Rate("公示率", "已公示 ÷ 应公示", publish.on_time + publish.late, publish.whole),
        Rate("按时公示率", "按时公示 ÷ 应公示", publish.on_time, publish.whole),
        Rate("移送按时率", "按时移送 ÷ 应移送", refer.on_time, refer.whole),
        Rate(
            "后续处置完结率",
            "已完结 ÷ 需后续处置",
            follow_up.on_time + follow_up.late,
            follow_up.whole,
        ),
    )
    return Statistics(scope, rates, tuple(_rows(tallies)))


@dataclass(frozen=True)
class _Sum:
    on_time: int
    late: int
    whole: int


def _sum(tallies: list[Tally], duty: Duty) -> _Sum:
    own = [one for one in tallies if one.duty == duty]
    return _Sum(
        sum(one.on_time for one in own),
        sum(one.late for one in own),
        sum(one.total - one.closed for one in own),
    )


def _rows(tallies: list[Tally]) -> Iterable[Row]:
    keys = dict.fromkeys((one.department, one.duty) for one in tallies)
    for department, duty in keys:
        own = [one for one in tallies if (one.department, one.duty) == (department, duty)]
        yield Row(
            department,
            duty,
            sum(one.on_time for one in own),
            sum(one.late for one in own),
            sum(one.closed for one in own),
            sum(one.open for one in own),
            sum(one.overdue for one in own),
        )
