"""How long a duty may take."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Unit(StrEnum):
    """What a term is counted in.

    日 and 自然日 count every day alike; a last day off moves 日 to the next working day (民法典
    203), and leaves 自然日 where it is.
    """

    WORKING_DAYS = "工作日"
    CALENDAR_DAYS = "日"
    NATURAL_DAYS = "自然日"
    HOURS = "小时"
    FIXED_DATE = "固定日期"


@dataclass(frozen=True, slots=True)
class Term:
    """A statutory term (法定时限): an amount of a unit; the statute's text stays with the plan.

    `amount` is a whole number, for 固定日期 the date itself. Only 工作日 may be negative (counted
    backwards); 0 is refused for every unit. ValueError in Chinese otherwise.
    """

    amount: int | date
    unit: Unit = Unit.WORKING_DAYS

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "unit", Unit(self.unit))
        except ValueError:
            raise ValueError(f"没有“{self.unit}”这种期限单位") from None
        fixed = self.unit is Unit.FIXED_DATE
        if type(self.amount) is not (date if fixed else int):
            raise ValueError(f"期限的数值与单位不符：{self.amount!r} {self.unit}")
        if isinstance(self.amount, int):
            if self.amount == 0:
                raise ValueError("期限不能为零：第 1 日是起始日的次日")
            if self.amount < 0 and self.unit is not Unit.WORKING_DAYS:
                raise ValueError(f"只有工作日可以倒数：{self.amount} {self.unit}")

    @property
    def count(self) -> int:
        """The amount as a number; ValueError for a fixed date."""
        if not isinstance(self.amount, int):
            raise ValueError("固定日期没有天数")
        return self.amount

    def __str__(self) -> str:
        if isinstance(self.amount, date):
            return f"{self.unit} {self.amount}"
        return f"{self.amount}{'个' if self.unit is Unit.WORKING_DAYS else ''}{self.unit}"


@dataclass(frozen=True, slots=True)
class Suspension:
    """A suspension (中止): the days `from_` to `through`, both included, do not run.

    It works from its approval on: days of it before `approved_on` stay counted. `approver` must
    not be the person responsible for the duty: see `refusal`.
    """

    from_: date
    through: date
    document: str
    article: str
    approver: str
    approved_on: date

    def __post_init__(self) -> None:
        if self.through < self.from_:
            raise ValueError(f"中止的止日早于起日：{self.from_} 至 {self.through}")
        _require_grounds(self)

    def covers(self, day: date) -> bool:
        """Whether `day` is excluded."""
        return max(self.from_, self.approved_on) <= day <= self.through

    @property
    def reason(self) -> str:
        """As it stands beside an excluded day."""
        return f"中止（{self.article}，{self.document}，{self.approver}批准）"


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension (延期): `amount` more of the term's own unit, working or calendar days."""

    amount: int
    document: str
    article: str
    approver: str
    approved_on: date

    def __post_init__(self) -> None:
        if self.amount < 1:
            raise ValueError(f"延期至少为 1 日：{self.amount}")
        _require_grounds(self)

    @property
    def reason(self) -> str:
        """As it stands beside a day that only the extension gave."""
        return f"延期（{self.article}，{self.document}，{self.approver}批准）"


def refusal(grant: Suspension | Extension, *, responsible: str) -> str | None:
    """Why `grant` may not be entered for a duty of `responsible`, or None."""
    if grant.approver.strip() == responsible.strip():
        return f"批准人不能是责任人本人：{responsible}"
    return None


def _require_grounds(grant: Suspension | Extension) -> None:
    for field, value in (
        ("文书", grant.document),
        ("法条", grant.article),
        ("批准人", grant.approver),
    ):
        if not value.strip():
            raise ValueError(f"中止或延期缺少{field}")
