"""The plan: everything a notice decides, read from one TOML file and checked before use."""

import hashlib
import json
from datetime import date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Json, Key
from models.plan_file import PlanRefused, in_chinese, read_toml
from models.plan_parts import (
    CLOCK_DUTIES,
    DUTY_NAMES,
    GRADE_NAMES,
    GRADES,
    AlertLevel,
    Closure,
    Department,
    Duty,
    Grade,
    GradeRatio,
    Item,
    Level,
    Part,
    Person,
    PlannedRound,
    Result,
    Role,
    Term,
    UrgentLevel,
    Window,
)

__all__ = [
    "CLOCK_DUTIES",
    "DUTY_NAMES",
    "GRADES",
    "GRADE_NAMES",
    "AlertLevel",
    "Closure",
    "Department",
    "Duty",
    "Grade",
    "GradeRatio",
    "Level",
    "Person",
    "Plan",
    "PlanRefused",
    "PlanVersion",
    "PlannedRound",
    "Role",
    "UrgentLevel",
    "Window",
    "read_plan",
]


class Plan(Part):
    """A plan (抽查工作计划): the notice as data. Immutable; `digest` names its exact content.

    `notices_after`: working days from the draw to the making of its notices, in which it can be
    ordered that a subject or an item is not to be told (不宜告知). `refusal`: what refusing an
    inspection leads to, as the notice to the subject says it, each sentence with its statute.
    `exclude_inspected_within_months`: subjects inspected so lately are not drawn; 0 for none.
    `replace_closed_subjects`: whether the next alternate may be inspected besides a closed one.
    `urgent_within_minutes`: an urgent alert not out so long after its time is told as trouble.
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
    replace_closed_subjects: bool = False
    urgent_within_minutes: int = Field(default=60, ge=20)
    coordinator: Person
    departments: tuple[Department, ...]
    items: tuple[Item, ...]
    grades: tuple[GradeRatio, ...]
    rounds: tuple[PlannedRound, ...]
    terms: tuple[Term, ...]
    alerts: tuple[AlertLevel, ...]
    urgent_alerts: tuple[UrgentLevel, ...]
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
        return [*found, *self._problems_of_alerts()]

    def _problems_of_alerts(self) -> list[str]:
        found = []
        offsets = [level.offset for level in self.alerts]
        if not offsets or sorted(set(offsets)) != offsets:
            found.append("提醒级别 alerts 应按 offset 从小到大、互不相同")
        if any(level.at_start for level in self.urgent_alerts[1:]):
            found.append("只有第一个加急提醒级别可以在起始时发出 (at_start)")
        hours = [level.hours for level in self.urgent_alerts if not level.at_start]
        if not hours or sorted(set(hours)) != hours:
            found.append("加急提醒级别 urgent_alerts 应按 hours 从小到大、互不相同")
        if any(level.every for level in (*self.alerts[:-1], *self.urgent_alerts[:-1])):
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


def read_plan(path: Path) -> Plan:
    """Read and check a plan file.

    Raises PlanRefused with one Chinese line that names the file, the place and the fault.
    """
    content = read_toml(path)
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        raise PlanRefused(f"{path.name}：{in_chinese(error)}") from error


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
