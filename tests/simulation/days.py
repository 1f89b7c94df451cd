"""Working days as anybody may read them off the notices, counted one by one.

Shares nothing with calendars/: the days are those of tests/data/cn_days.json, the statutory days of
years whose notice is not out yet are written down here.
"""

import json
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

DATA = Path(__file__).parents[1] / "data"
KNOWN = json.loads((DATA / "cn_days.json").read_text("utf-8"))
# 全国年节及纪念日放假办法, article 2: until 2024 eleven days, since 2025 thirteen.
STATUTORY = {
    2022: "01-01 02-01 02-02 02-03 04-05 05-01 06-03 09-10 10-01 10-02 10-03",
    2023: "01-01 01-22 01-23 01-24 04-05 05-01 06-22 09-29 10-01 10-02 10-03",
    2024: "01-01 02-10 02-11 02-12 04-04 05-01 06-10 09-17 10-01 10-02 10-03",
    2025: "01-01 01-28 01-29 01-30 01-31 04-04 05-01 05-02 05-31 10-01 10-02 10-03 10-06",
    2026: "01-01 02-16 02-17 02-18 02-19 04-05 05-01 05-02 06-19 09-25 10-01 10-02 10-03",
}
EXPECTED = {
    date.fromisoformat(f"{year}-{day}") for year, days in STATUTORY.items() for day in days.split()
}
ONE = timedelta(days=1)


class Days:
    """What is known of working days: through the notice of `year`, more as notices come in."""

    def __init__(self, year: int) -> None:
        self.year = year
        self.off: set[date] = set()
        self.work: set[date] = set()
        for known in range(2021, year + 1):
            self._read(known)

    def _read(self, year: int) -> None:
        self.off |= {date.fromisoformat(day) for day in KNOWN[str(year)]["off"]}
        self.work |= {date.fromisoformat(day) for day in KNOWN[str(year)]["work"]}

    def learn(self, year: int) -> None:
        """The notice of the next year is out."""
        assert year == self.year + 1
        self.year = year
        self._read(year)

    def amend(self, off: Iterable[date]) -> None:
        """More days off by an amendment; those that were to be worked are so no longer."""
        self.off |= set(off)
        self.work -= set(off)

    @property
    def firm_through(self) -> date:
        """Later days may still be changed by the next notice."""
        return date(self.year, 12, 28)

    def works(self, day: date, closed: Iterable[date] = ()) -> bool:
        """Whether `day` is worked, as far as is known, in a place that is `closed` on some days."""
        if day in closed or day in self.off or (day.year > self.year and day in EXPECTED):
            return False
        return day in self.work or day.weekday() < 5

    def count(self, start: date, number: int, closed: Iterable[date] = ()) -> date:
        """The `number`-th working day after `start`, or before it."""
        step, left, day = (ONE, number, start) if number > 0 else (-ONE, -number, start)
        while left:
            day += step
            left -= self.works(day, closed)
        return day

    def on_or_after(self, day: date, closed: Iterable[date] = ()) -> date:
        """`day`, or the first working day after it."""
        return self.count(day - ONE, 1, closed)
