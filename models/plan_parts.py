"""The parts of a plan: people, items, ratios, rounds, terms, alert levels, results."""

from datetime import date
from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from calendars import Term as CalendarTerm
from calendars import Unit

Grade = Literal["A", "B", "C", "D"]
GRADES: tuple[Grade, ...] = ("A", "B", "C", "D")
GRADE_NAMES = {"A": "低风险", "B": "中风险", "C": "中高风险", "D": "高风险"}


class Part(BaseModel):
    """A part of a plan: immutable, and nothing in it that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Person(Part):
    """A named person with an address for mail."""

    name: str = Field(min_length=1)
    email: str = Field(pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$")
    phone: str = ""


class Department(Part):
    """A department (部门) of the joint inspection; the one that initiates it leads every team."""

    code: str = Field(pattern=r"^[a-z][a-z0-9]*$")
    name: str
    initiating: bool = False
    inspectors: int = Field(ge=2)
    head: Person


class Item(Part):
    """One thing that one department checks (抽查事项)."""

    code: str = Field(pattern=r"^[a-z0-9-]+$")
    department: str
    name: str
    basis: str
    materials: tuple[str, ...] = ()
    qualification: str = ""


class GradeRatio(Part):
    """The share of a grade's subjects that a draw takes (抽查比例), exact, in percent.

    `source` 外部抽取: another platform draws, and its list is imported (§五.1), without proof.
    """

    grade: Grade
    floor: Decimal = Field(ge=0, le=100)
    ratio: Decimal = Field(gt=0, le=100)
    minimum: int = Field(default=0, ge=0)
    reason: str = ""
    public_value_rule: str = ""
    source: Literal["draw-1", "外部抽取"] = "draw-1"

    @field_validator("floor", "ratio", mode="before")
    @classmethod
    def _exact(cls, value: object) -> object:
        if isinstance(value, float):
            raise ValueError('比例须写成带引号的十进制数，如 "0.5"，以免失真')
        return value

    @model_validator(mode="after")
    def _at_or_above_the_floor(self) -> Self:
        if self.ratio < self.floor:
            raise ValueError(f"抽查比例 {self.ratio}% 低于方案规定的下限 {self.floor}%")
        if self.ratio > self.floor and not self.reason:
            raise ValueError(f"抽查比例 {self.ratio}% 高于下限 {self.floor}%，须写明理由 reason")
        return self


class PlannedRound(Part):
    """One round (抽查轮次) of the plan: when it opens and by when its visits must be over."""

    number: int = Field(ge=1)
    opens_on: date
    visits_from: date
    ends_on: date
    visits_per_day: int = Field(default=4, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.opens_on <= self.visits_from <= self.ends_on:
            raise ValueError("应有 opens_on ≤ visits_from ≤ ends_on")
        return self


class Closure(Part):
    """Days off in one place by a named order (停办公), both ends included."""

    from_on: date
    through_on: date
    name: str = Field(min_length=1)
    order: str = Field(min_length=1)


class Window(Part):
    """The time within which the plan's rounds take place, both days included."""

    begins_on: date
    ends_on: date


Duty = Literal[
    "draw",
    "public_value",
    "notify",
    "inspect",
    "record",
    "report_refusal",
    "reveal",
    "crime_decide",
    "crime_transfer",
    "decide_referral",
    "refer",
    "publish",
    "republish",
    "follow_up",
    "brief",
]
DUTY_NAMES: dict[Duty, str] = {
    "draw": "抽取",
    "public_value": "录入公共值",
    "notify": "告知",
    "inspect": "检查",
    "record": "记录",
    "report_refusal": "拒签报告",
    "reveal": "公开抽取",
    "crime_decide": "涉罪决定",
    "crime_transfer": "涉罪移送",
    "decide_referral": "研判移送",
    "refer": "移送",
    "publish": "公示",
    "republish": "更正公示",
    "follow_up": "后续监管",
    "brief": "专项简报",
}
# These last days are fixed by the round itself, not counted from an event.
FIXED_DUTIES: frozenset[Duty] = frozenset({"draw", "inspect"})
# These run by the clock, days off included: due, late and alerted to the minute.
CLOCK_DUTIES: frozenset[Duty] = frozenset({"crime_decide", "crime_transfer"})


class Term(Part):
    """A term (法定时限) of a duty in working days; `internal` where no text but the office sets it.

    Negative: working days before the event. Duties of fixed date have none. Those that run by the
    clock have natural days, the last of which is never moved, or hours.
    """

    duty: Duty
    working_days: int | None = None
    natural_days: int | None = Field(default=None, ge=1)
    hours: int | None = Field(default=None, ge=1)
    section: str = ""
    statute: str = ""
    internal: bool = False
    consequence: str = ""
    action: str

    @model_validator(mode="after")
    def _counted_and_founded(self) -> Self:
        by_the_clock = (self.natural_days is not None) + (self.hours is not None)
        if by_the_clock != (self.duty in CLOCK_DUTIES):
            raise ValueError(
                "涉嫌犯罪案件的期限写 natural_days 或 hours 中的一个，其余期限都不写这两项"
            )
        given = self.working_days is not None
        if given and self.duty in CLOCK_DUTIES:
            raise ValueError("涉嫌犯罪案件的期限不按工作日计，不写 working_days")
        if given != (self.duty not in FIXED_DUTIES | CLOCK_DUTIES):
            raise ValueError("固定日期的期限不写 working_days，其余期限必须写")
        if self.working_days == 0:
            raise ValueError("期限不能是 0 个工作日")
        if not self.internal and not (self.section or self.statute):
            raise ValueError(
                "法定期限须写明条款 section 或依据 statute；办公室自定的写 internal = true"
            )
        return self

    @property
    def length(self) -> CalendarTerm | None:
        """The term as the calendar counts it; None for a fixed date."""
        for amount, unit in (
            (self.working_days, Unit.WORKING_DAYS),
            (self.natural_days, Unit.NATURAL_DAYS),
            (self.hours, Unit.HOURS),
        ):
            if amount is not None:
                return CalendarTerm(amount, unit)
        return None

    @property
    def source(self) -> str:
        """Where the term stands, for people."""
        texts = "，".join(filter(None, (self.section and f"方案第{self.section}条", self.statute)))
        if self.internal:  # the texts then set the duty, and no term for it
            return f"内部时限（{texts}）" if texts else "内部时限"
        return texts


Role = Literal["responsible", "head", "coordinator"]


class Level(Part):
    """What all alert levels have. With `every`, one repeats each so many of its units, for good."""

    level: str = Field(pattern=r"^[a-z0-9-]+$")
    name: str
    every: int = Field(default=0, ge=0)
    to: tuple[Role, ...] = Field(min_length=1)


class AlertLevel(Level):
    """One alert level: `offset` working days from the due day (negative: before), to whom."""

    offset: int


class UrgentLevel(Level):
    """One alert level of a term that runs by the clock (加急提醒), on days off as well.

    `hours` from the due minute (negative: before), or at the term's start; to whom.
    """

    hours: int = 0
    at_start: bool = False


class Result(Part):
    """One of the ten results (检查结果) with its meaning for what follows."""

    code: int = Field(ge=1, le=10)
    text: str
    national: str
    clean: bool = False
    adverse: bool = False
    needs_order: bool = False
    needs_follow_up: bool = False
