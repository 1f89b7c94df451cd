"""What the State Council has ruled for past and present years, read once from `holidays`.

`holidays` answers for any year, and guesses where no notice is out. Only years that it lists among
its special days rest on a notice, so only those are taken; before 2007 nothing was checked.
Every day from 2007 on is tested against a second source.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType

from holidays.countries.china import ChinaStaticHolidays
from holidays.holiday_base import HolidayBase
from holidays.utils import country_holidays
from holidays.version import __version__ as holidays_version

from calendars.day import is_weekend

FIRST_YEAR = 2007

# The number of each year's notice: 国务院办公厅关于…年部分节假日安排的通知.
NOTICE_NUMBERS = {
    2007: "国办发明电〔2006〕49号",
    2008: "国办发明电〔2007〕52号",
    2009: "国办发明电〔2008〕42号",
    2010: "国办发明电〔2009〕27号",
    2011: "国办发明电〔2010〕40号",
    2012: "国办发明电〔2011〕45号",
    2013: "国办发明电〔2012〕33号",
    2014: "国办发明电〔2013〕28号",
    2015: "国办发明电〔2014〕28号",
    2016: "国办发明电〔2015〕18号",
    2017: "国办发明电〔2016〕17号",
    2018: "国办发明电〔2017〕12号",
    2019: "国办发明电〔2018〕15号",
    2020: "国办发明电〔2019〕16号",
    2021: "国办发明电〔2020〕27号",
    2022: "国办发明电〔2021〕11号",
    2023: "国办发明电〔2022〕16号",
    2024: "国办发明电〔2023〕7号",
    2025: "国办发明电〔2024〕12号",
    2026: "国办发明电〔2025〕7号",
}

# Three years were amended after their notice; the first and the last day each amendment touched.
AMENDMENTS = (
    (date(2015, 9, 3), date(2015, 9, 6), "国发明电〔2015〕1号"),
    (date(2019, 4, 28), date(2019, 4, 28), "国办发明电〔2019〕3号"),
    (date(2019, 5, 2), date(2019, 5, 5), "国办发明电〔2019〕3号"),
    (date(2020, 1, 31), date(2020, 2, 2), "国办发明电〔2020〕1号"),
)

_SPRING = ("农历除夕", "春节延长假期")


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a notice or an order says of one day: off or worked, and why, in Chinese."""

    off: bool
    reason: str


def day_off(name: str) -> Ruling:
    """国庆节放假."""
    return Ruling(True, f"{name}放假")


def make_up_day(number: str) -> Ruling:
    """调休上班, by the notice of that number."""
    return Ruling(False, f"调休上班（{number}）")


def notice_year(day: date) -> int:
    """The year whose notice rules on `day`: notices reach back to 29 December, not further."""
    return (day + timedelta(days=3)).year


def covered_years() -> range:
    """The unbroken run of years since 2007 for which `holidays` holds a notice."""
    last = FIRST_YEAR
    while last + 1 in ChinaStaticHolidays.special_public_holidays:
        last += 1
    return range(FIRST_YEAR, last + 1)


@lru_cache(maxsize=1)
def published_rulings() -> Mapping[date, Ruling]:
    """Every day off for a holiday and every weekend day worked in `covered_years`."""
    years = covered_years()
    china = country_holidays("CN", years=years, expand=False, language="zh_CN")
    worked = {day for day in china.weekend_workdays if day.year in years}
    rulings = {day: make_up_day(_number_of(day)) for day in worked}
    for span in _spans(china, worked):
        name = "、".join(dict.fromkeys(name for day in span for name in _names(china, day)))
        rulings |= dict.fromkeys(span, day_off(name))
    return MappingProxyType(dict(sorted(rulings.items())))


def version_of_source() -> str:
    """The source and its years, as a calendar's version names them."""
    years = covered_years()
    return f"holidays-{holidays_version}/{years[0]}-{years[-1]}"


def _spans(china: HolidayBase, worked: set[date]) -> Iterator[list[date]]:
    """Unbroken runs of days off from holiday to holiday, with the weekend days in between."""
    span: list[date] = []
    for day in sorted(day for day in china if day not in worked):
        between = [
            span[-1] + timedelta(days=step + 1)
            for step in range((day - span[-1]).days - 1 if span else 0)
        ]
        if any(not is_weekend(gap) or gap in worked for gap in between):
            yield span
            span = [day]
        else:
            span += [*between, day]
    yield span


def _names(china: HolidayBase, day: date) -> list[str]:
    """The holidays of `day`; none where it was only moved there from a weekend (休息日)."""
    names = (name.removesuffix("（补假）") for name in china.get_list(day))
    return ["春节" if name in _SPRING else name for name in names if not name.startswith("休息日")]


def _number_of(day: date) -> str:
    year = notice_year(day)
    for first, last, number in AMENDMENTS:
        if first <= day <= last:
            return number
    return NOTICE_NUMBERS.get(year, f"{year}年节假日安排通知")
