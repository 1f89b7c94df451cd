"""The days the law itself gives off, before any notice moves anything around them."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from holidays.utils import country_holidays

HOLIDAYS = ("元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节")
# 除夕 has a name of its own in `holidays`; in the 办法 it is a day of 春节.
_EVE = "农历除夕"


@lru_cache
def statutory_days(year: int) -> Mapping[date, str]:
    """Statutory holidays (法定节假日) of `year` with their names, each on its own day.

    全国年节及纪念日放假办法, article 2, in the revision in force that year: 13 days since 2025
    (元旦 1, 春节 4 from 除夕, 清明节 1, 劳动节 2, 端午节 1, 中秋节 1, 国庆节 3). Days in lieu
    (article 6) are left to the yearly notice. Lunar dates are those of `holidays`. Two holidays on
    one day are joined: 中秋节、国庆节.
    """
    days = {}
    for day, names in _named_days(year).items():
        merged = {"春节" if name == _EVE else name for name in names}
        if known := [name for name in HOLIDAYS if name in merged]:
            days[day] = "、".join(known)
    return MappingProxyType(days)


def statutory_count(year: int) -> int:
    """How many days off `year` must give: a day on which two holidays fall counts twice."""
    return sum(len(name.split("、")) for name in statutory_days(year).values())


def lunar_new_year(year: int) -> date:
    """正月初一 of the lunar year that begins in `year`."""
    return min(day for day, names in _named_days(year).items() if "春节" in names)


@lru_cache
def _named_days(year: int) -> dict[date, list[str]]:
    china = country_holidays("CN", years=year, expand=False, observed=False, language="zh_CN")
    return {day: china.get_list(day) for day in sorted(china)}
