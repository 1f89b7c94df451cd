"""The State Council's yearly holiday notice: reading it, and everything that must hold of it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from calendars.day import is_weekend, weekday_of
from calendars.published import Ruling, day_off, make_up_day, notice_year
from calendars.reading import Reading, documents, plain, read_document
from calendars.statutory import HOLIDAYS, statutory_count, statutory_days
from calendars.wording import ALIASES

_NUMBER = re.compile(r"国(?:办)?发明电〔(\d{4})〕\d+号")
_PRINTED_NUMBER = re.compile(r"国(?:办)?发明电.{0,8}号")
_PRINTED_YEAR = re.compile(r"(?:关于|现将|调整|延长)(\d{4})年")
_LISTED = re.compile(r"现将\d{4}年(.+?)放假调休日期")
# No weekend day was ever worked further than this from a day off, and from one of the holiday
# that it paid for (11 days: 20 September 2026).
_REACH = timedelta(days=6)
_OWN_REACH = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class HolidayNotice:
    """A holiday notice (节假日安排通知), or an amendment of one (`amends`).

    `off` and `work` give the holiday for which each day is off or, a weekend day, worked; both may
    reach into the last days of December before `year`. `text` is what was read, unchanged.
    """

    year: int
    number: str
    issued_on: date
    text: str
    off: Mapping[date, str]
    work: Mapping[date, str]
    amends: bool = False


def parse_notice(text: str, *, number: str, issued_on: date) -> HolidayNotice:
    """Read a notice's text, in any wording used since 2007, whole document or its list alone.

    Notices for a year come out from September before it on; an amendment in the year itself.
    ValueError where no day could be read. Call `check_notice` on the result before using it.
    """
    readings = _readings(text, issued_on)
    off: dict[date, str] = {}
    work: dict[date, str] = {}
    for reading in readings:
        off = {day: name for day, name in off.items() if day not in reading.work} | reading.off
        work = {day: name for day, name in work.items() if day not in reading.off} | reading.work
    if not off:
        raise ValueError("通知中没有读到任何放假日期")
    return HolidayNotice(
        _year_of(issued_on),
        plain(number),
        issued_on,
        text,
        dict(sorted(off.items())),
        dict(sorted(work.items())),
        all(reading.amends for reading in readings),
    )


def check_notice(notice: HolidayNotice) -> list[str]:
    """Every reason, in Chinese, not to trust the notice; empty where all its checksums hold."""
    readings = _readings(notice.text, notice.issued_on)
    reasons = [problem for reading in readings for problem in reading.problems]
    reasons += _heading_reasons(notice, readings)
    reasons += _day_reasons(notice)
    if not notice.amends:
        reasons += _year_reasons(readings[0])
    return list(dict.fromkeys(reasons))


def may_import(reasons: Sequence[str], confirmed_by: Iterable[str] = ()) -> bool:
    """Whether a notice goes in: nothing against it, or two people by different names confirm."""
    names = {plain(name).casefold() for name in confirmed_by} - {""}
    return not reasons or len(names) >= 2


def overlay(rulings: Mapping[date, Ruling], notice: HolidayNotice) -> dict[date, Ruling]:
    """`rulings` as the notice leaves them: a whole year's replaces that year's, and an amendment
    speaks only where it turns a day's working into off or back."""
    said = {day: day_off(name) for day, name in notice.off.items()}
    said |= dict.fromkeys(notice.work, make_up_day(notice.number))
    if notice.amends:
        now = {day: rulings[day].off if day in rulings else is_weekend(day) for day in said}
        return {**rulings, **{day: each for day, each in said.items() if each.off != now[day]}}
    kept = {day: each for day, each in rulings.items() if notice_year(day) != notice.year}
    return {**kept, **said}


def _year_of(issued_on: date) -> int:
    return issued_on.year + (issued_on.month >= 9)


def _due(year: int) -> set[str]:
    """The holidays a notice for `year` must arrange: seven, in 2007 still four."""
    return {name for names in statutory_days(year).values() for name in names.split("、")}


@lru_cache(maxsize=1)
def _readings(text: str, issued_on: date) -> list[Reading]:
    """Kept for the check that follows the reading."""
    return [read_document(document, _year_of(issued_on)) for document in documents(text)]


def _heading_reasons(notice: HolidayNotice, readings: list[Reading]) -> Iterator[str]:
    """Number, dates of issue and years, wherever they are printed, against what was given."""
    number = _NUMBER.fullmatch(notice.number)
    if not number:
        yield f"文号不合格式：{notice.number}"
    elif int(number[1]) != notice.issued_on.year:
        yield f"文号 {notice.number} 与印发日期 {notice.issued_on} 不在同一年"
    main = readings[0]
    for printed in _PRINTED_NUMBER.findall(main.preamble):
        if printed != notice.number:
            yield f"正文文号“{printed}”与给出的文号 {notice.number} 不符"
    if main.signed_on and main.signed_on != notice.issued_on:
        yield f"落款日期 {main.signed_on} 与给出的印发日期 {notice.issued_on} 不符"
    for printed in _PRINTED_YEAR.findall(main.preamble):
        if int(printed) != notice.year:
            yield f"正文写的是 {printed} 年，应为 {notice.year} 年"
    if listed := _LISTED.search(main.preamble):
        names = [ALIASES.get(name, name) for name in re.split("[、和]", listed[1])]
        if sorted(names) != sorted(_due(notice.year)):
            yield f"前言所列节日不全或有误：{listed[1]}"


def _day_reasons(notice: HolidayNotice) -> Iterator[str]:
    """What holds of single days and of each holiday's days together."""
    for day in notice.off.keys() & notice.work.keys():
        yield f"{day} 既放假又上班"
    for day in [*notice.off, *notice.work]:
        # Notices have reached back to 29 December; further, `firm_through` would be wrong.
        if not date(notice.year - 1, 12, 29) <= day <= date(notice.year, 12, 31):
            yield f"{day} 不在 {notice.year} 年及其前三日内"
    for day in notice.work:
        if not is_weekend(day):
            yield f"{day} 是{weekday_of(day)}，本就上班"
        if not any(abs(day - off) <= _REACH for off in notice.off):
            yield f"{day} 上班，前后 {_REACH.days} 日内没有放假"
        if not any(
            abs(day - off) <= _OWN_REACH and name == notice.work[day]
            for off, name in notice.off.items()
        ):
            yield f"{day} 上班，前后 {_OWN_REACH.days} 日内没有{notice.work[day]}放假"
    for name in dict.fromkeys(notice.off.values()):
        days = [day for day in notice.off if notice.off[day] == name]
        for day, following in pairwise(days):
            gap = [day + timedelta(days=each) for each in range(1, (following - day).days)]
            if any(not is_weekend(each) or each in notice.work for each in gap):
                yield f"{name}放假不相连：{day} 与 {following}"


def _year_reasons(main: Reading) -> Iterator[str]:
    """What holds of a whole year's notice, before any amendment."""
    year = main.year
    numerals = "".join(numeral for numeral, _ in main.headings)
    if not "一二三四五六七八九十".startswith(numerals):
        yield f"序号不连续：{'、'.join(numerals)}"
    due = _due(year)
    found = [name for _, names in main.headings for name in names.split("、")]
    for name in HOLIDAYS:
        if (name in due) != (found.count(name) == 1):
            yield f"{name}应出现 {int(name in due)} 次，实为 {found.count(name)} 次"
    for day, names in statutory_days(year).items():
        for name in names.split("、"):
            if name not in main.off.get(day, "").split("、"):
                yield f"{day} 是{name}，通知没有在该节放假"
    balance = sum(not is_weekend(day) for day in main.off) - len(main.work)
    if balance != statutory_count(year):
        yield f"放假占用的工作日减去上班的周末应为 {statutory_count(year)} 天，实为 {balance} 天"
