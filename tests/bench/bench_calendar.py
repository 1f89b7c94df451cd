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
        "WorkingCalendar.add_working_days": lambda events: [
            CALENDAR.add_working_days(day, N) for day in events
        ],
        "裸 bisect（序数到序数）": bare_ordinals,
        "裸 bisect（日期到日期）": bare,
        "numpy.busday_offset（逐日）": busday,
        "chinesecalendar.find_workday": lambda events: [
            chinese_calendar.find_workday(N, day) for day in events
        ],
        "holidays.get_nth_working_day": lambda events: [
            china.get_nth_working_day(day, N) for day in events
        ],
    }


def one_by_one(console: Console) -> None:
    ways = peers()
    answers = {name: way(EVENTS) for name, way in ways.items()}
    expected = answers["WorkingCalendar.add_working_days"]
    ordinals = [day.toordinal() for day in expected]
    if differing := [name for name in answers if answers[name] not in (expected, ordinals)]:
        sys.exit(f"结果不同：{'、'.join(differing)}")
    table = Table(
        "做法", "每次 (ns)", "与本日历之比", title=f"{len(EVENTS)} 个起始日各加 {N} 个工作日"
    )
    each = {name: seconds(lambda way=way: way(EVENTS)) / len(EVENTS) for name, way in ways.items()}
    ours = each["WorkingCalendar.add_working_days"]
    for name, took in each.items():
        table.add_row(name, f"{took * 1e9:,.0f}", f"{took / ours:.2f} 倍")
    console.print(table)
    nth, bare = each["holidays.get_nth_working_day"], each["裸 bisect（序数到序数）"]
    console.print(
        f"比 holidays 快 {nth / ours:,.0f} 倍（目标 100 倍以上）；"
        f"为裸 bisect 的 {ours / bare:.2f} 倍（目标 6 倍以内）\n"
    )


def all_at_once(console: Console) -> None:
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
        "deadline（含逐日说明）": lambda: [
            CALENDAR.deadline(day, working_days=N) for day in EVENTS
        ],
    }
    # Another n each time, so that each builds its table.
    ns = count(31)
    first = seconds(lambda: CALENDAR.add_working_days_to_all(EVENTS[:1], next(ns)))
    table = Table("做法", "每个 (ns)", "每秒 (百万)", title=f"批量：{len(MANY):,} 个起始日")
    for name, way in ways.items():
        each = seconds(way) / (len(EVENTS) if "deadline" in name else len(MANY))
        table.add_row(name, f"{each * 1e9:,.0f}", f"{1e-6 / each:,.2f}")
    console.print(table)
    console.print(f"批量表首次建立 {first * 1e3:.1f} ms，每个工作日数一次\n")


def first_use(console: Console) -> None:
    runs = [
        [float(part) for part in done.stdout.split()]
        for _ in range(7)
        if (
            done := subprocess.run(
                [sys.executable, "-c", FIRST_USE], capture_output=True, text=True, check=True
            )
        )
    ]
    imports, uses = zip(*runs, strict=True)
    table = Table("新进程", "中位 (s)", "最慢 (s)", title="首次使用（目标：导入之外 0.3 s 以内）")
    for name, took in (("导入 calendars", imports), ("首次 deadline", uses)):
        table.add_row(name, f"{statistics.median(took):.3f}", f"{max(took):.3f}")
    console.print(table)


if __name__ == "__main__":
    out = Console()
    one_by_one(out)
    all_at_once(out)
    first_use(out)
