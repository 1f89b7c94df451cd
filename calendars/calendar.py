"""The working-day calendar of record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from hashlib import sha256
from operator import attrgetter, itemgetter

from calendars import deadline as deadlines
from calendars.day import is_weekend, shanghai_day
from calendars.deadline import Deadline, Grant
from calendars.notice import HolidayNotice, overlay
from calendars.published import (
    Ruling,
    covered_years,
    published_rulings,
    version_of_source,
)
from calendars.statutory import statutory_days
from calendars.term import Term, Unit

# How far ahead a provisional date may lie; further than any term of any plan.
PROVISIONAL_YEARS = 5
_NO_ZERO = "工作日数不能为零：起始日为第 0 日，第 1 日是其后首个工作日"


class NotCovered(LookupError):
    """A day beyond the years whose notice is known: neither working nor off, but unknown."""


@dataclass(frozen=True, slots=True)
class LocalClosure:
    """A local closure (停办公): days off in one place by a named order, both ends included."""

    from_: date
    through: date
    name: str
    order_number: str

    def __post_init__(self) -> None:
        if self.through < self.from_:
            raise ValueError(f"停办公的止日早于起日：{self.from_} 至 {self.through}")

    def covers(self, day: date) -> bool:
        """Whether `day` is one of its days."""
        return self.from_ <= day <= self.through


class WorkingCalendar:
    """Working days of mainland China (工作日历), as ruled by the State Council year by year.

    Days are plain dates, or aware datetimes taken as their Asia/Shanghai date. Make-up Saturdays
    and Sundays (调休上班) are working days. Every answer within the covered years is certain;
    beyond them `NotCovered` is raised, save by `deadline` and `due`, which go on provisionally.
    Immutable: a notice or a local order gives a new calendar with a new `version`.
    """

    def __init__(
        self,
        rulings: Mapping[date, Ruling],
        years: range,
        version: str,
        *,
        closures: tuple[LocalClosure, ...] = (),
        years_beyond: int = 0,
    ) -> None:
        self.version = version
        self.covered_from = date(years[0], 1, 1)
        self.covered_through = date(years[-1] + years_beyond, 12, 31)
        # Notices have reached back to 29 December, so those days may still change.
        self.firm_through = date(years[-1], 12, 28)
        self._rulings = rulings
        self._years = years
        self._closures = closures
        self._first = self.covered_from.toordinal()
        self._shifted: dict[int, dict[date, date]] = {}
        self._working: list[date] = []
        # How many working days lie before the i-th covered day; one entry more than days.
        self._before = [0]
        for ordinal in range(self._first, self.covered_through.toordinal() + 1):
            day = date.fromordinal(ordinal)
            if self._ruled(day)[0]:
                self._working.append(day)
            self._before.append(len(self._working))

    @classmethod
    def china(cls) -> "WorkingCalendar":
        """The published years; built once in a process, then shared."""
        return _china()

    def with_notices(self, notices: Iterable[HolidayNotice]) -> "WorkingCalendar":
        """This calendar with imported notices laid over it, in order of issue.

        ValueError where a notice would leave a year out, or amends one not covered.
        """
        rulings, last, version = self._rulings, self._years[-1], self.version
        for notice in sorted(notices, key=attrgetter("issued_on")):
            if not self._years[0] <= notice.year <= last + (not notice.amends):
                raise ValueError(f"尚无 {last + 1} 年的全年通知，不能导入 {notice.number}")
            rulings = overlay(rulings, notice)
            last = max(last, notice.year)
            version += f"+{notice.number}#{_digest(notice.text)}"
        years = range(self._years[0], last + 1)
        return WorkingCalendar(rulings, years, version, closures=self._closures)

    def with_closures(self, closures: Iterable[LocalClosure]) -> "WorkingCalendar":
        """This calendar with a place's own closures as a further layer."""
        added = tuple(closures)
        version = self.version + "".join(
            f"+{each.order_number}#{_digest(repr(each))}" for each in added
        )
        return WorkingCalendar(
            self._rulings, self._years, version, closures=(*self._closures, *added)
        )

    def is_working_day(self, day: date) -> bool:
        """Whether `day` is worked. NotCovered where no notice is known."""
        at = self._index(day)
        return self._before[at + 1] > self._before[at]

    def add_working_days(self, event_day: date, n: int) -> date:
        """The n-th working day strictly after `event_day` (day 0, working or not); n < 0 before it.

        ValueError for n = 0; NotCovered where the event or the result lies beyond known years.
        """
        if type(event_day) is not date:
            event_day = shanghai_day(event_day)
        at = event_day.toordinal() - self._first
        try:
            if n > 0 <= at:
                return self._working[self._before[at + 1] + n - 1]
            if n < 0 <= at < len(self._before) - 1 and (before := self._before[at] + n) >= 0:
                return self._working[before]
        except IndexError:
            pass
        if n == 0:
            raise ValueError(_NO_ZERO)
        raise self._not_covered(f"自 {event_day} 起第 {n} 个工作日")

    def first_working_day(self, day: date) -> date:
        """`day`, or the first working day after it; beyond the covered years provisionally."""
        return self.provisional.add_working_days(day - timedelta(days=1), 1)

    def add_working_days_to_all(self, event_days: Iterable[date], n: int) -> list[date]:
        """`add_working_days` of many event days at once, by a table kept for each n."""
        event_days = list(event_days)
        if n not in self._shifted:
            self._shifted[n] = self._shift(n)
        try:
            return list(map(self._shifted[n].__getitem__, event_days))
        except KeyError:  # times, or a day not covered
            return [self.add_working_days(day, n) for day in event_days]

    def count_working_days(self, after: date, through: date) -> int:
        """How many working days d have after < d <= through; 0 where there is no such day.

        NotCovered unless both lie within known years (`after` may be the eve of the first).
        """
        after, through = shanghai_day(after), shanghai_day(through)
        start = after.toordinal() - self._first + 1
        end = through.toordinal() - self._first + 1
        for at, day in ((start, after), (end, through)):
            if not 0 <= at < len(self._before):
                raise self._not_covered(f"{day}")
        return max(0, self._before[end] - self._before[start])

    def ruling(self, day: date) -> tuple[bool, str]:
        """Whether `day` is worked, and why, in Chinese; 暂定 after `firm_through`."""
        self._index(day)
        working, reason = self._ruled(day)
        return working, reason if day <= self.firm_through else f"{reason}（暂定）"

    def deadline(
        self,
        event: date | datetime,
        *,
        working_days: int | None = None,
        calendar_days: int | None = None,
        natural_days: int | None = None,
        hours: int | None = None,
        closes_at: time | None = None,
        grants: Iterable[Grant] = (),
    ) -> Deadline:
        """The deadline of exactly one of the four amounts; see `due`."""
        given = {
            Unit.WORKING_DAYS: working_days,
            Unit.CALENDAR_DAYS: calendar_days,
            Unit.NATURAL_DAYS: natural_days,
            Unit.HOURS: hours,
        }
        terms = [Term(amount, unit) for unit, amount in given.items() if amount is not None]
        if len(terms) != 1:
            raise ValueError("期限须按工作日、日、自然日、小时中的一种给出")
        return self.due(event, terms[0], closes_at=closes_at, grants=grants)

    def due(
        self,
        event: date | datetime,
        term: Term,
        *,
        closes_at: time | None = None,
        grants: Iterable[Grant] = (),
    ) -> Deadline:
        """When `term`, running from `event`, ends.

        Working days: the n-th strictly after the event's day. Calendar days: the same, a last day
        off moving to the next working day (民法典 203); natural days stay on it. Hours: from the
        event's minute, needing an aware datetime. Fixed date: that date, never moved. Due at 24:00
        in Asia/Shanghai, or, save for hours, at `closes_at` where an office with hours receives it.
        `grants` are suspensions and extensions; one approved after the due day as it then stood
        changes nothing. Beyond the covered years the count goes on provisionally; NotCovered only
        beyond `provisional`.
        """
        return deadlines.due(self.provisional, event, term, closes_at=closes_at, grants=grants)

    @cached_property
    def provisional(self) -> "WorkingCalendar":
        """This calendar carried on by the statutory days alone (暂定), a few years further.

        Weekends are off, nothing is made up. Its `firm_through` and `version` stay the same.
        """
        expected = {
            day: Ruling(True, f"{name}（法定节假日）")
            for beyond in range(1, PROVISIONAL_YEARS + 1)
            for day, name in statutory_days(self._years[-1] + beyond).items()
        }
        carried_on = WorkingCalendar(
            {**expected, **self._rulings},
            self._years,
            self.version,
            closures=self._closures,
            years_beyond=PROVISIONAL_YEARS,
        )
        carried_on.__dict__["provisional"] = carried_on
        return carried_on

    def _shift(self, n: int) -> dict[date, date]:
        """The n-th working day from each covered day that has one."""
        if n == 0:
            raise ValueError(_NO_ZERO)
        places = (
            [at + n - 1 for at in self._before[1:]]
            if n > 0
            else [at + n for at in self._before[:-1]]
        )
        return {
            date.fromordinal(ordinal): self._working[place]
            for ordinal, place in enumerate(places, self._first)
            if 0 <= place < len(self._working)
        }

    def _ruled(self, day: date) -> tuple[bool, str]:
        ruling = self._rulings.get(day)
        working = not ruling.off if ruling else not is_weekend(day)
        if working and self._closures:
            for closure in self._closures:
                if closure.covers(day):
                    return False, f"{closure.name}（{closure.order_number}）"
        return working, ruling.reason if ruling else "工作日" if working else "周末"

    def _index(self, day: date) -> int:
        at = shanghai_day(day).toordinal() - self._first
        if not 0 <= at < len(self._before) - 1:
            raise self._not_covered(f"{day}")
        return at

    def _not_covered(self, what: str) -> NotCovered:
        return NotCovered(
            f"{what}不在已公布的工作日历内（{self.covered_from} 至 {self.covered_through}）"
        )


@lru_cache(maxsize=1)
def _china() -> WorkingCalendar:
    rulings = published_rulings()
    source = repr(sorted(rulings.items(), key=itemgetter(0)))
    return WorkingCalendar(rulings, covered_years(), f"{version_of_source()}/{_digest(source)}")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]
