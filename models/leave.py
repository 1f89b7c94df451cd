"""Leave: who is away when, who acts for them, and when they are back."""

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pydantic import Field
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Line
from models.entry import Entry, EntryRefused
from models.mail import one_line, usable
from models.plan import Plan

# A department's code, empty for the coordinator's office, and a name: as alerts name people.
Whose = tuple[str, str]
OFFICE = "联席会议办公室"
# No leave is longer, so that a mistyped year does not turn somebody's mail away for good.
LONGEST = timedelta(days=366)
_DAY = timedelta(days=1)


class Leave(Base):
    """A person's absence (请假), both days included, and who acts for them (代办), if anybody.

    An entry is never changed: of two for the same day the later one holds. One in which people
    act for themselves says that they are back on its days (销假).
    """

    __tablename__ = "leave"

    id: Mapped[Key]
    department: Mapped[Code]
    person: Mapped[Line]
    first_on: Mapped[date]
    last_on: Mapped[date]
    delegate: Mapped[Line] = mapped_column(default="")
    delegate_email: Mapped[Line] = mapped_column(default="")
    entered_by: Mapped[Line] = mapped_column(default="")
    entered_at: Mapped[datetime]

    @property
    def whose(self) -> Whose:
        """Department and name."""
        return self.department, self.person

    @property
    def back(self) -> bool:
        """Whether it ends an absence."""
        return self.delegate == self.person

    @property
    def days(self) -> str:
        """2024-07-01 至 2024-07-05."""
        return _days(self.first_on, self.last_on)

    @property
    def acting(self) -> str:
        """由李四代办."""
        return f"由{self.delegate}代办" if self.delegate else "无人代办"


def _days(first_on: date, last_on: date) -> str:
    return f"{first_on}" if first_on == last_on else f"{first_on} 至 {last_on}"


Absences = Mapping[Whose, Leave]


def absences(leaves: Iterable[Leave], as_of: date) -> Absences:
    """Who is away on `as_of`, by department and name; of two entries the later one holds."""
    standing = [leave for leave in leaves if leave.first_on <= as_of <= leave.last_on]
    newest = {leave.whose: leave for leave in sorted(standing, key=_entered)}
    return {whose: leave for whose, leave in newest.items() if not leave.back}


def _entered(leave: Leave) -> tuple[int, datetime]:
    # By their numbers first: a clock set back must not let an older entry hold.
    return leave.id or 0, leave.entered_at


def away_through(leaves: Iterable[Leave], whose: Whose, day: date) -> date | None:
    """The last day of the absence that `day` is in; None where they are not away on it."""
    own = [leave for leave in leaves if leave.whose == whose]
    last = None
    while whose in absences(own, day):
        last, day = day, day + _DAY
    return last


# ---- what is entered ---------------------------------------------------------------------------


class LeaveEntry(Entry):
    """A leave as it is entered (登记请假). Without a delegate it goes up, as to any who is away."""

    department: str = Field(min_length=1)
    person: str = Field(min_length=1)
    first_on: date
    last_on: date
    delegate: str = ""
    delegate_email: str = ""
    reason: str = Field(min_length=1)
    entered_by: str = Field(min_length=1)


class ReturnEntry(Entry):
    """Somebody's return (销假): `back_on` is their first day at work; that of a leave undoes it."""

    department: str = Field(min_length=1)
    person: str = Field(min_length=1)
    back_on: date
    reason: str = ""
    entered_by: str = Field(min_length=1)


def department_names(plans: Iterable[Plan]) -> dict[str, str]:
    """The plans' departments by code, and last, by the empty one, the coordinator's office."""
    return {one.code: one.name for plan in plans for one in plan.departments} | {"": OFFICE}


@dataclass(frozen=True)
class Staff:
    """Everybody who may be told of a duty; `departments`: see `department_names`."""

    departments: Mapping[str, str]
    people: AbstractSet[Whose]

    def whose(self, department: str, person: str) -> Whose:
        """The person of that department, by its code or name. EntryRefused where there is none."""
        named = self.departments.items()
        code = next((one for one, name in named if department in (one, name)), None)
        if code is None:
            known = "、".join(self.departments.values())
            raise EntryRefused(f"没有“{department}”这个部门，应为：{known}")
        if (code, person) not in self.people:
            elsewhere = "、".join(name for one, name in named if (one, person) in self.people)
            raise EntryRefused(
                f"{self.department(code)}没有“{person}”：执法检查人员名录库、负责人和未完成的期限里"
                f"都没有此人{f'（{elsewhere}有）' if elsewhere else ''}，请核对部门和姓名"
            )
        return code, person

    def department(self, code: str) -> str:
        """A department's name, or the office's."""
        return self.departments.get(code, code)

    def named(self, whose: Whose) -> str:
        """张三（区应急管理局）."""
        return f"{whose[1]}（{self.department(whose[0])}）"


def check_leave(
    leave: Leave,
    known: Collection[Leave],
    staff: Staff,
    refused: AbstractSet[str],
    today: date,
) -> None:
    """EntryRefused where the leave cannot stand, or where nobody would be the wiser for it.

    One that is over changes nothing: mails that are out stay as they are. `refused`: addresses
    that mail servers have lately refused for good, in lower case.
    """
    if leave.last_on < leave.first_on:
        raise EntryRefused(f"请假止日 {leave.last_on} 早于起日 {leave.first_on}，请核对")
    if leave.last_on < today:
        raise EntryRefused(
            f"请假到 {leave.last_on} 为止，已经过去；已发的提醒不因事后登记而改变，无须登记"
        )
    if leave.last_on - leave.first_on > LONGEST:
        raise EntryRefused(f"请假 {leave.days} 超过一年，请核对年份")
    if leave.delegate or leave.delegate_email:
        _check_delegate(leave, refused)
        _check_present(leave, known, staff, today)


def _check_delegate(leave: Leave, refused: AbstractSet[str]) -> None:
    if not leave.delegate:
        raise EntryRefused("填了代办人邮箱的，须填代办人")
    if leave.back:
        raise EntryRefused(f"代办人不能是请假人本人（{leave.person}）；没有代办人的留空")
    try:
        one_line(leave.delegate)
    except ValueError:
        raise EntryRefused("代办人须写在一行之内") from None
    if not leave.delegate_email:
        raise EntryRefused(f"须填代办人{leave.delegate}的邮箱；没有代办人的，两项都留空")
    if not usable(leave.delegate_email):
        raise EntryRefused(f"代办人邮箱“{leave.delegate_email}”无效，请核对")
    if leave.delegate_email.lower() in refused:
        raise EntryRefused(f"代办人邮箱 {leave.delegate_email} 近日无法送达，请换一个")


def _check_present(leave: Leave, known: Collection[Leave], staff: Staff, today: date) -> None:
    """Whether the delegate is there: the one of the same department or, of none there, any."""
    theirs = (leave.department, leave.delegate)
    same = [one for one in known if one.person == leave.delegate]
    if theirs in staff.people:
        same = [one for one in same if one.whose == theirs]
    day = max(leave.first_on, today)
    while day <= leave.last_on:
        for whose, other in absences(same, day).items():
            through = away_through(same, whose, day) or day
            raise EntryRefused(
                f"代办人{staff.named(whose)} {_days(day, through)} 也请假（{other.acting}），"
                "请另定代办人"
            )
        day += _DAY


def repeats(leave: Leave, known: Iterable[Leave]) -> bool:
    """Whether the person's newest entry for any of these days is the same: a form sent twice."""
    own = [
        one
        for one in known
        if one.whose == leave.whose
        and one.first_on <= leave.last_on
        and leave.first_on <= one.last_on
    ]
    if not own:
        return False
    newest = max(own, key=_entered)
    fields = ("first_on", "last_on", "delegate", "delegate_email")
    return all(getattr(newest, name) == getattr(leave, name) for name in fields)


def returning(
    whose: Whose, back_on: date, own: Collection[Leave], staff: Staff, today: date
) -> Leave | None:
    """What ends the absence that `back_on` is in: the person themself, for the rest of its days.

    None where just that is entered already; EntryRefused where there is nothing to end.
    """
    through = away_through(own, whose, back_on)
    if through is None:
        covering = [one for one in own if one.first_on <= back_on <= one.last_on]
        if covering and max(covering, key=_entered).first_on == back_on:
            return None
        raise EntryRefused(
            f"{staff.named(whose)} {back_on} 没有请假；销假日期填回来上班的第一天，请核对"
        )
    if through < today:
        raise EntryRefused(f"{staff.named(whose)}的请假到 {through} 为止，已经结束，无须销假")
    department, person = whose
    return Leave(
        department=department,
        person=person,
        first_on=back_on,
        last_on=through,
        delegate=person,
    )
