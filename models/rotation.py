"""Rotation: how lately and how often a subject was drawn and inspected before."""

from dataclasses import dataclass
from datetime import date

from pendulum import Date


@dataclass(frozen=True)
class Rotation:
    """One drawn subject's past (轮换情况) on the day of its draw; None: never, as far as known.

    `drawn_this_year` counts the draws of that calendar year through this one, itself included.
    """

    inspection: str
    code: str
    name: str
    last_drawn_on: date | None
    last_inspected_on: date | None
    drawn_this_year: int


def within_months(inspected_on: date, months: int, on: date) -> bool:
    """Whether `on` is still within so many months of that day.

    The last day is that of the same number, or where there is none the month's last (民法典 202).
    """
    return on <= plus_months(inspected_on, months)


def plus_months(day: date, months: int) -> date:
    """That day so many months later, or before; never past the month's end."""
    moved = Date(day.year, day.month, day.day).add(months=months)
    return date(moved.year, moved.month, moved.day)
