"""The remarks in brackets behind a notice's dates: weekdays, lunar days, names of festivals."""

import re
from collections.abc import Iterator
from datetime import date

from calendars.day import weekday_of
from calendars.statutory import lunar_new_year, statutory_days

_DIGITS = "一二三四五六七八九十"
_WEEKDAY = re.compile(r"(?:周|星期)([一二三四五六日])")
_FIRST_MONTH = re.compile(rf"(?:正月|大年)?初([{_DIGITS}])")
_LAST_MONTH = re.compile(r"腊月(二十[一二三四五六七八九]|三十)")
_FESTIVALS = {
    "元旦": ("元旦", "新年"),
    "清明节": ("清明节", "清明当日", "清明"),
    "劳动节": ("劳动节", "“五一”国际劳动节"),
    "端午节": ("端午节", "端午当日", "端午", "五月初五"),
    "中秋节": ("中秋节", "中秋当日", "中秋", "八月十五"),
    "国庆节": ("国庆节",),
}
_FESTIVAL_OF = {word: name for name, words in _FESTIVALS.items() for word in words}


def remark_problems(remark: str | None, day: date, start: date | None) -> Iterator[str]:
    """What a remark says wrongly of `day`; one with 至 in it speaks of `start` to `day`."""
    if not remark:
        return
    for part in re.split("[、,]", remark.removeprefix("即")):
        ends = part.removeprefix("农历").split("至")
        for word, of in zip(ends, (start, day) if len(ends) == 2 else (day,), strict=False):
            if problem := _problem(word.removeprefix("农历"), of):
                yield problem


def _problem(word: str, day: date | None) -> str | None:
    if day is None:
        return f"“{word}”没有对应的日期"
    if weekday := _WEEKDAY.fullmatch(word):
        right = weekday_of(day)
        return None if right[1] == weekday[1] else f"{day} 是{right}，不是“{word}”"
    if word in _FESTIVAL_OF:
        right_day = _FESTIVAL_OF[word] in statutory_days(day.year).get(day, "")
    elif (lunar := _lunar(word)) is not None:
        right_day = (day - lunar_new_year(day.year)).days in lunar
    else:
        return f"读不懂“{word}”"
    return None if right_day else f"{day} 不是“{word}”"


def _lunar(word: str) -> set[int] | None:
    """How many days after 正月初一 the word names; both lengths of 腊月 are allowed for."""
    if word == "除夕":
        return {-1}
    if word == "春节":
        return {0}
    if first := _FIRST_MONTH.fullmatch(word):
        return {_DIGITS.index(first[1])}
    if last := _LAST_MONTH.fullmatch(word):
        of_month = 30 if last[1] == "三十" else 21 + _DIGITS.index(last[1][2])
        return {of_month - 31, of_month - 30} - {0}
    return None
