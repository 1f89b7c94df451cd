"""The plan: everything a notice decides, read from one TOML file and checked before use."""

import hashlib
import json
import tomllib
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Json, Key

Grade = Literal["A", "B", "C", "D"]
GRADES: tuple[Grade, ...] = ("A", "B", "C", "D")
GRADE_NAMES = {"A": "低风险", "B": "中风险", "C": "中高风险", "D": "高风险"}


class PlanRefused(ValueError):
    """A plan that does not hold; the message is one Chinese line naming file, place and fault."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Person(_Part):
    """A named person with an address for mail."""

    name: str = Field(min_length=1)
    email: str = Field(pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$")
    phone: str = ""


class Department(_Part):
    """A department (部门) of the joint inspection; the one that initiates it leads every team."""

    code: str = Field(pattern=r"^[a-z][a-z0-9]*$")
    name: str
    initiating: bool = False
    inspectors: int = Field(ge=2)
    head: Person


class Item(_Part):
    """One thing that one department checks (抽查事项)."""

    code: str = Field(pattern=r"^[a-z0-9-]+$")
    department: str
    name: str
    basis: str
    materials: tuple[str, ...] = ()
    qualification: str = ""


class GradeRatio(_Part):
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


class PlannedRound(_Part):
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


class Closure(_Part):
    """Days off in one place by a named order (停办公), both ends included."""

    from_on: date
    through_on: date
    name: str = Field(min_length=1)
    order: str = Field(min_length=1)


class Window(_Part):
    """The time within which the plan's rounds take place, both days included."""

    begins_on: date
    ends_on: date


Duty = Literal[
    "draw",
    "public_value",
    "notify",
    "inspect",
    "record",
    "decide_referral",
    "refer",
    "publish",
    "follow_up",
]
DUTY_NAMES: dict[Duty, str] = {
    "draw": "抽取",
    "public_value": "录入公共值",
    "notify": "告知",
    "inspect": "检查",
    "record": "记录",
    "decide_referral": "研判移送",
    "refer": "移送",
    "publish": "公示",
    "follow_up": "后续监管",
}
# These last days are fixed by the round itself, not counted from an event.
FIXED_DUTIES: frozenset[Duty] = frozenset({"draw", "inspect"})


class Term(_Part):
    """A term (法定时限) of a duty in working days; `internal` where no text but the office sets it.

    Negative: working days before the event. Duties of fixed date have none.
    """

    duty: Duty
    working_days: int | None = None
    section: str = ""
    statute: str = ""
    internal: bool = False
    consequence: str = ""
    action: str

    @model_validator(mode="after")
    def _counted_and_founded(self) -> Self:
        if (self.working_days is None) != (self.duty in FIXED_DUTIES):
            raise ValueError("固定日期的期限不写 working_days，其余期限必须写")
        if self.working_days == 0:
            raise ValueError("期限不能是 0 个工作日")
        if not self.internal and not (self.section or self.statute):
            raise ValueError(
                "法定期限须写明条款 section 或依据 statute；办公室自定的写 internal = true"
            )
        return self

    @property
    def source(self) -> str:
        """Where the term stands, for people."""
        if self.internal:
            return "内部时限"
        return "，".join(filter(None, (self.section and f"方案第{self.section}条", self.statute)))


Role = Literal["responsible", "head", "coordinator"]


class AlertLevel(_Part):
    """One alert level: `offset` working days from the due day (negative: before), to whom.

    With `every`, it repeats each so many working days, for good.
    """

    level: str = Field(pattern=r"^[a-z0-9-]+$")
    name: str
    offset: int
    every: int = Field(default=0, ge=0)
    to: tuple[Role, ...] = Field(min_length=1)


class Result(_Part):
    """One of the ten results (检查结果) with its meaning for what follows."""

    code: int = Field(ge=1, le=10)
    text: str
    national: str
    clean: bool = False
    adverse: bool = False
    needs_order: bool = False
    needs_follow_up: bool = False


class Plan(_Part):
    """A plan (抽查工作计划): the notice as data. Immutable; `digest` names its exact content.

    `notices_after`: working days from the draw to the making of its notices, in which it can be
    ordered that a subject or an item is not to be told (不宜告知). `refusal`: what refusing an
    inspection leads to, as the notice to the subject says it, each sentence with its statute.
    `exclude_inspected_within_months`: subjects inspected so lately are not drawn; 0 for none.
    """

    number: str
    code: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    title: str
    issued_on: date
    issuer: str
    region: str
    subjects: str
    type_name: Literal["定向", "不定向"] = "定向"
    drill: bool = False
    basis: tuple[str, ...] = Field(min_length=1)
    refusal: tuple[str, ...] = Field(min_length=1)
    window: Window
    sweep_at: time
    notices_after: int = Field(default=1, ge=1)
    exclude_inspected_within_months: int = Field(default=0, ge=0, le=120)
    coordinator: Person
    departments: tuple[Department, ...]
    items: tuple[Item, ...]
    grades: tuple[GradeRatio, ...]
    rounds: tuple[PlannedRound, ...]
    terms: tuple[Term, ...]
    alerts: tuple[AlertLevel, ...]
    results: tuple[Result, ...]
    closures: tuple[Closure, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = list(self._problems())
        if problems:
            raise ValueError("；".join(problems))
        return self

    def _problems(self) -> list[str]:
        found = []
        codes = [department.code for department in self.departments]
        if len(set(codes)) != len(codes):
            found.append("部门代码重复")
        if sum(department.initiating for department in self.departments) != 1:
            found.append("应有且只有一个发起部门 (initiating = true)")
        for department in self.departments:
            if not any(item.department == department.code for item in self.items):
                found.append(f"部门“{department.name}”没有抽查事项")
        for item in self.items:
            if item.department not in codes:
                found.append(f"抽查事项“{item.name}”的部门“{item.department}”不在部门名单中")
        if len({item.code for item in self.items}) != len(self.items):
            found.append("抽查事项代码重复")
        if [grade.grade for grade in self.grades] != list(GRADES):
            found.append("grades 应依次为 A、B、C、D 四个等级")
        for planned in self.rounds:
            inside = self.window.begins_on <= planned.opens_on
            if not (inside and planned.ends_on <= self.window.ends_on):
                found.append(
                    f"第 {planned.number} 轮 ({planned.opens_on}—{planned.ends_on}) 不在检查时间 "
                    f"{self.window.begins_on}—{self.window.ends_on} 之内"
                )
        if [planned.number for planned in self.rounds] != list(range(1, len(self.rounds) + 1)):
            found.append("轮次应从 1 起连续编号")
        duties = [term.duty for term in self.terms]
        missing = [name for duty, name in DUTY_NAMES.items() if duty not in duties]
        if missing:
            found.append("缺少期限：" + "、".join(missing))
        if len(set(duties)) != len(duties):
            found.append("同一职责写了两个期限")
        if [result.code for result in self.results] != list(range(1, 11)):
            found.append("检查结果应为 1 至 10 共十种")
        if any(closure.through_on < closure.from_on for closure in self.closures):
            found.append("停办公的止日 through_on 早于起日 from_on")
        offsets = [level.offset for level in self.alerts]
        if not offsets or sorted(set(offsets)) != offsets:
            found.append("提醒级别 alerts 应按 offset 从小到大、互不相同")
        if any(level.every for level in self.alerts[:-1]):
            found.append("只有最后一个提醒级别可以重复 (every)")
        return found

    def term(self, duty: Duty) -> Term:
        """The term of a duty."""
        return next(term for term in self.terms if term.duty == duty)

    def department(self, code: str) -> Department:
        """The department of that code; KeyError otherwise."""
        return next((d for d in self.departments if d.code == code), None) or _absent(code)

    def full_name(self, code: str) -> str:
        """A department's name as the public knows it: 区应急管理局 → 平顶山市卫东区应急管理局."""
        return f"{self.region}{self.department(code).name.removeprefix('区')}"

    @property
    def initiating(self) -> Department:
        """The department that initiates the inspection and leads every team."""
        return next(department for department in self.departments if department.initiating)

    def items_of(self, department: str) -> tuple[Item, ...]:
        """The items of one department, in the plan's order."""
        return tuple(item for item in self.items if item.department == department)

    def qualifications(self, department: str) -> frozenset[str]:
        """What each inspector of a department must be qualified in, for its items."""
        asked = (item.qualification for item in self.items_of(department))
        return frozenset(filter(None, asked))

    def result(self, code: int) -> Result:
        """The result of that code, 1 to 10."""
        return self.results[code - 1]

    def round_code(self, number: int) -> str:
        """The short code of a round, such as `2024-1`."""
        return f"{self.code}-{number}"

    def task_number(self, number: int) -> str:
        """The number under which a round is published (抽查任务编号)."""
        return f"{self.number}-{number}"

    @property  # not a cached one: a changed copy of the plan would keep the old digest
    def digest(self) -> str:
        """SHA-256 of the plan's content."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()


def _absent(code: str) -> Department:
    raise KeyError(code)


def _chinese(problem: Any) -> str:
    """One fault of pydantic's in Chinese."""
    place = ".".join(str(step) for step in problem["loc"]) or "全文"
    context = problem.get("ctx", {})
    fixed = {
        "extra_forbidden": "不认识的项，请检查拼写",
        "missing": "缺少这一项",
        "value_error": str(context.get("error", "")),
        "string_pattern_mismatch": "格式不对",
        "literal_error": f"只能是 {context.get('expected', '').replace(' or ', ' 或 ')}",
        "greater_than_equal": f"不能小于 {context.get('ge')}",
        "less_than_equal": f"不能大于 {context.get('le')}",
        "greater_than": f"须大于 {context.get('gt')}",
    }
    return f"{place}：{fixed.get(problem['type'], '类型或格式不对')}"


def read_plan(path: Path) -> Plan:
    """Read and check a plan file.

    Raises PlanRefused with one Chinese line that names the file, the place and the fault.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanRefused(f"{path.name}：读不到计划文件（{error.strerror}）") from error
    except UnicodeDecodeError as error:
        raise PlanRefused(f"{path.name}：计划文件须为 UTF-8 编码") from error
    except tomllib.TOMLDecodeError as error:
        raise PlanRefused(f"{path.name}：不是有效的 TOML（{error}）") from error
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        faults = "；".join(_chinese(problem) for problem in error.errors())
        raise PlanRefused(f"{path.name}：{faults}") from error


class PlanVersion(Base):
    """A plan as it was loaded. A changed file is a new version; rounds follow the newest."""

    __tablename__ = "plan"

    id: Mapped[Key]
    number: Mapped[Code] = mapped_column(unique=True)
    version: Mapped[int]
    digest: Mapped[Code]
    content: Mapped[Json]
    loaded_at: Mapped[datetime]

    @cached_property
    def plan(self) -> Plan:
        """The plan itself."""
        return Plan.model_validate(self.content)
