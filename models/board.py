"""The deadline board: what is late, who has it, and what happens next, as plain values."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from models.plan import DUTY_NAMES, Duty
from models.statistics import Statistics
from models.wording import span

# Open duties due within so many calendar days, today included, count as due soon (临期).
SOON_DAYS = 7
# So long a mail that nobody got stays on the board, in calendar days.
UNDELIVERABLE_DAYS = 30

CellState = Literal["none", "done", "open", "soon", "overdue"]
_ADDRESS = re.compile(r"[^\s<>'\"“”]+@[^\s<>'\"“”]+")


@dataclass(frozen=True)
class OpenDuty:
    """One open duty on the board (未办事项). `subject` is the inspection's code until the reveal.

    `days`: working days over the due day, or, negative, left until it. `next`: the next alert,
    what it is called and when. One that runs by the clock has `due_at`, and `over`, the minutes
    over it (negative: left).
    """

    duty: Duty
    object: str
    round: str
    inspection: str
    subject: str
    department: str
    person: str
    due_on: date
    days: int
    provisional: bool
    suspended: bool
    last_alert: str
    last_alert_on: date | None
    next: str
    next_on: date | None
    due_at: datetime | None = None
    over: int | None = None

    def overdue(self, as_of: date) -> bool:
        """Past its due day or, by the clock, its due minute."""
        return self.due_on < as_of if self.over is None else self.over > 0

    @property
    def due(self) -> str:
        """The due day or the minute, for people."""
        if self.due_at is not None:
            return f"{self.due_at:%Y-%m-%d %H:%M}"
        return f"{self.due_on}{'（暂定）' if self.provisional else ''}"

    @property
    def distance(self) -> str:
        """How far over or ahead: working days as a number, by the clock hours and minutes."""
        if self.over is not None:
            return span(timedelta(minutes=abs(self.over)))
        return str(abs(self.days))

    @property
    def name(self) -> str:
        """The duty in Chinese."""
        return DUTY_NAMES[self.duty]


@dataclass(frozen=True)
class Cell:
    """One stage of one round: how many of its duties there are, ended, overdue and due soon.

    `left`: working days until the first open one is due; negative: over.
    """

    duty: Duty
    total: int = 0
    done: int = 0
    overdue: int = 0
    soon: int = 0
    first_due_on: date | None = None
    left: int | None = None

    @property
    def state(self) -> CellState:
        """What the stage looks like; the worst of its duties decides."""
        if not self.total:
            return "none"
        if self.done == self.total:
            return "done"
        return "overdue" if self.overdue else "soon" if self.soon else "open"

    @property
    def note(self) -> str:
        """The same in a few words of Chinese, days being working days."""
        if self.state == "none":
            return "未到"
        if self.state == "done":
            return "已完成"
        if self.state == "overdue":
            return f"逾期 {self.overdue} 项"
        return "今天到期" if self.left == 0 else f"剩 {self.left} 日"


@dataclass(frozen=True)
class RoundLine:
    """One round on the board."""

    code: str
    outcome: str
    closed_on: date | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class ProvisionalLine:
    """Duties of one round whose due day is provisional (暂定), taken together."""

    round: str
    duty: Duty
    due_on: date
    count: int


@dataclass(frozen=True)
class LostMail:
    """A mail that reached nobody: to whom, about what, and why; no address in it."""

    name: str
    subject: str
    day: date
    why: str


@dataclass(frozen=True)
class Away:
    """Somebody who is on leave (请假) that day, through when, and who acts for them."""

    department: str
    person: str
    through: date
    acting: str

    @property
    def told(self) -> str:
        """The same for people, but for the department."""
        return f"至 {self.through}，{self.acting}"


@dataclass(frozen=True)
class Coverage:
    """How far the calendar reaches: firm through that day, and known through that year's end."""

    firm_through: date
    through: date
    version: str


@dataclass(frozen=True)
class Lateness:
    """A department's overdue duties of one kind: how many, the oldest due day, days over.

    `minutes` over, where they run by the clock.
    """

    department: str
    duty: Duty
    count: int
    due_on: date
    days: int
    minutes: int | None = None

    @property
    def told(self) -> str:
        """How long over, for people."""
        if self.minutes is not None:
            return span(timedelta(minutes=self.minutes))
        return f"{self.days} 个工作日"


@dataclass(frozen=True)
class Board:
    """The deadline board (期限看板) on one day; `overdue` and `soon` by their due day."""

    as_of: date
    at: datetime
    rounds: tuple[RoundLine, ...] = ()
    overdue: tuple[OpenDuty, ...] = ()
    soon: tuple[OpenDuty, ...] = ()
    provisional: tuple[ProvisionalLine, ...] = ()
    mails: tuple[LostMail, ...] = ()
    lost_mails: int = 0
    swept_on: date | None = None
    swept_at: datetime | None = None
    coverage: Coverage | None = None
    away: tuple[Away, ...] = ()
    statistics: tuple[Statistics, ...] = field(default=())

    def lateness(self) -> list[Lateness]:
        """Who is late with what, longest first."""
        groups: dict[tuple[str, Duty], list[OpenDuty]] = {}
        for one in self.overdue:
            groups.setdefault((one.department, one.duty), []).append(one)
        found = [
            Lateness(
                department,
                duty,
                len(duties),
                min(one.due_on for one in duties),
                max(one.days for one in duties),
                max((one.over for one in duties if one.over is not None), default=None),
            )
            for (department, duty), duties in groups.items()
        ]
        return sorted(found, key=lambda one: (-one.days, -one.count, one.department, one.duty))

    def as_dict(self) -> dict[str, Any]:
        """For programs: plain JSON values, days in ISO form."""
        values = asdict(self)
        values["statistics"] = [one.as_dict() for one in self.statistics]
        values["lateness"] = [asdict(one) for one in self.lateness()]
        values["counts"] = {
            "overdue": len(self.overdue),
            "soon": len(self.soon),
            "provisional": sum(one.count for one in self.provisional),
            "lost_mails": self.lost_mails,
            "overdue_by_department": dict(Counter(one.department for one in self.overdue)),
        }
        plain: dict[str, Any] = _plain(values)
        return plain


def ranked(duties: Sequence[OpenDuty]) -> tuple[OpenDuty, ...]:
    """Those longest over, or due first, at the top."""
    return tuple(sorted(duties, key=lambda one: (one.due_on, one.duty, one.object)))


def without_addresses(text: str) -> str:
    """`text` with every mail address in it blotted out."""
    return _ADDRESS.sub("（邮箱略）", text)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value
