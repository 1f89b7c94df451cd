"""How fast the working-day calendar is beside its peers, all measured in this one run.

Run with `python tests/bench/bench_calendar.py`. Every peer must first give the same answers.
"""

import random
import statistics
import subprocess
import sys
import timeit
from bisect import bisect_right
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count

import chinese_calendar
import numpy as np
from holidays import country_holidays
from rich.console import Console
from rich.table import Table

from calendars import WorkingCalendar

N = 20
FIRST, LAST = date(2007, 1, 1), date(2026, 12, 31)
CALENDAR = WorkingCalendar.china()
DAYS = [FIRST + timedelta(days=each) for each in range((LAST - FIRST).days + 1)]
WORKING = [day for day in DAYS if CALENDAR.is_working_day(day)]
# From working days only: from a day off, chinesecalendar counts one further by its definition.
EVENTS = random.Random(55).sample([day for day in WORKING if 2020 <= day.year < 2026], 500)
MANY = random.Random(55).choices(EVENTS, k=100_000)
BUSDAYS = np.busdaycalendar(weekmask="1111111", holidays=sorted({*DAYS} - {*WORKING}))
OURS, BARE = "WorkingCalendar.add_working_days", "裸 bisect（序数到序数）"
FIRST_USE = """
import time
start = time.perf_counter()
from calendars import WorkingCalendar
from datetime import date
imported = time.perf_counter()
WorkingCalendar.china().deadline(date(2026, 9, 24), working_days=20)
print(imported - start, time.perf_counter() - imported)
"""


def seconds(action: Callable[[], object]) -> float:
    """The best of many runs: what else the machine did meanwhile is not the code's."""
    runs = [timeit.timeit(action, number=1)]
    while sum(runs) < 0.5 or len(runs) < 3:
        runs.append(timeit.timeit(action, number=1))
    return min(runs)


def peers() -> dict[str, Callable[[list[date]], list[date]]]:
    """Each way to add N working days to many days, one call a day."""
    working = [day.toordinal() for day in WORKING]
    china = country_holidays("CN", years=range(2007, 2027), language="zh_CN")

    def bare(events: list[date]) -> list[date]:
        return [
            date.fromordinal(working[bisect_right(working, day.toordinal()) + N - 1])
            for day in events
        ]

    def bare_ordinals(events: list[date]) -> list[int]:
        return [working[bisect_right(working, day.toordinal()) + N - 1] for day in events]

    def busday(events: list[date]) -> list[date]:
        return [
            np.busday_offset(day, N, roll="backward", busdaycal=BUSDAYS).astype(date)
            for day in events
        ]

    return {
        OURS: lambda events: [CALENDAR.add_working_days(day, N) for day in events],
        BARE: bare_ordinals,
        "裸 bisect（日期到日期）": bare,
        "numpy.busday_offset（逐日）": busday,
        "chinesecalendar.find_workday": lambda events: [
            chinese_calendar.find_workday(N, day) for day in events
        ],
        "holidays.get_nth_working_day": lambda events: [
            china.get_nth_working_day(day, N) for day in events
        ],
    }


def one_by_one() -> dict[str, float]:
    """Seconds a date of each way, one call a date; ends the run where answers differ."""
    ways = peers()
    answers = {name: way(EVENTS) for name, way in ways.items()}
    expected = answers[OURS]
    ordinals = [day.toordinal() for day in expected]
    if differing := [name for name in answers if answers[name] not in (expected, ordinals)]:
        sys.exit(f"结果不同：{'、'.join(differing)}")
    return {name: seconds(lambda way=way: way(EVENTS)) / len(EVENTS) for name, way in ways.items()}


def all_at_once() -> dict[str, float]:
    """Seconds a date of each way that takes many dates in one call, and of a whole explanation."""
    array = np.array(MANY, dtype="datetime64[D]")
    ways: dict[str, Callable[[], object]] = {
        "add_working_days_to_all（列表）": lambda: CALENDAR.add_working_days_to_all(MANY, N),
        "add_working_days（循环）": lambda: [CALENDAR.add_working_days(day, N) for day in MANY],
        "numpy.busday_offset（列表进出）": lambda: np.busday_offset(
            np.array(MANY, dtype="datetime64[D]"), N, roll="backward", busdaycal=BUSDAYS
        ).tolist(),
        "numpy.busday_offset（数组进出）": lambda: np.busday_offset(
            array, N, roll="backward", busdaycal=BUSDAYS
        ),
    }
    return {name: seconds(way) / len(MANY) for name, way in ways.items()}


def first_use() -> tuple[float, float]:
    """Median seconds of the imports and of the first deadline, each in a new process."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", FIRST_USE], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(7)
    ]
    imports, uses = zip(*runs, strict=True)
    return statistics.median(map(float, imports)), statistics.median(map(float, uses))


def main() -> None:
    console = Console(width=100)
    single, many = one_by_one(), all_at_once()
    ours = single[OURS]
    table = Table(
        "做法", title=f"自一个起始日加 {N} 个工作日（逐个 {len(EVENTS)} 日，批量 {len(MANY):,} 日）"
    )
    for heading in ("每个 (ns)", "与本日历之比"):
        table.add_column(heading, justify="right")
    for name, took in single.items():
        table.add_row(name, f"{took * 1e9:,.0f}", f"{took / ours:,.2f} 倍")
    table.add_section()
    for name, took in many.items():
        table.add_row(f"批量 {name}", f"{took * 1e9:,.0f}", f"{took / ours:,.2f} 倍")
    console.print(table)
    # Another n each time, so that each builds its table.
    ns = count(31)
    built = seconds(lambda: CALENDAR.add_working_days_to_all(EVENTS[:1], next(ns)))
    explained = seconds(lambda: [CALENDAR.deadline(day, working_days=N) for day in EVENTS])
    imports, use = first_use()
    fast, near = single["holidays.get_nth_working_day"] / ours, ours / single[BARE]
    batch = next(iter(many.values()))
    for line in (
        f"比 holidays 快 {fast:,.0f} 倍（目标 100 倍以上）；"
        f"为裸 bisect 的 {near:.2f} 倍（目标 6 倍以内）",
        f"批量每秒 {1e-6 / batch:.1f} 百万个，其表首次建立 {built * 1e3:.1f} ms；"
        f"含逐日说明的 deadline 每个 {explained / len(EVENTS) * 1e6:,.0f} µs",
        f"新进程：导入 calendars {imports:.2f} s，其后首次 deadline {use:.3f} s（目标 0.3 s 以内）",
    ):
        console.print(line, highlight=False)


if __name__ == "__main__":
    main()
