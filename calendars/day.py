"""Days as the engine names them: plain dates in Asia/Shanghai, with their weekday in Chinese."""

from dataclasses import dataclass
from datetime import date, datetime

import pendulum

SHANGHAI = pendulum.timezone("Asia/Shanghai")
WEEKDAYS = "一二三四五六日"


def shanghai_day(moment: date | datetime) -> date:
    """The Asia/Shanghai date of `moment`, always a plain `datetime.date`.

    2026-10-07T17:00Z is 8 October there. ValueError on a naive datetime: its day cannot be known.
    """
    if isinstance(moment, datetime):
        if moment.utcoffset() is None:
            raise ValueError(f"时间缺少时区：{moment.isoformat()}")
        moment = moment.astimezone(SHANGHAI)
    return date(moment.year, moment.month, moment.day)


def weekday_of(day: date) -> str:
    """周一 to 周日."""
    return f"周{WEEKDAYS[day.weekday()]}"


def is_weekend(day: date) -> bool:
    """Saturday or Sunday, whatever any notice made of it."""
    return day.weekday() >= 5


@dataclass(frozen=True, slots=True)
class DayNote:
    """One day of an explained deadline (逐日说明).

    `number` is which day of the term it is, None where the day is skipped; `reason` says in
    Chinese why it is counted or not.
    """

    date: date
    weekday: str
    number: int | None
    reason: str
