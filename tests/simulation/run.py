"""Lives of offices, one a seed, with everything that can go wrong; each can be repeated.

    python tests/simulation/run.py [--seed N | --years N] [--until DATE | --days N] [--trace]

`make simulate` lives 100 office-years, one a seed, `YEARS=20` as many; `make simulate SEED=123`
lives that office again, `TRACE=1` with a line for everything that happens, `UNTIL=2024-10-12` as
far as that day. A line an office, and its digest: the same seed gives the same. Ends 0 only if
every invariant held; the last line counts.
"""

import argparse
import gc
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path

START = 20240655


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int)
    parser.add_argument("--years", type=int, default=100)
    parser.add_argument("--until", type=date.fromisoformat)
    parser.add_argument("--days", type=int, default=0)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    given = parser.parse_args()
    began, totals = time.monotonic(), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="shuangsuiji-simulation-") as folder:
        live = partial(office, Path(folder), given.until, given.days, given.trace)
        if given.seed is not None:
            prepare(Path(folder))
            totals += report(live(given.seed))
        else:
            seeds = range(START, START + given.years)
            processes = get_context("spawn")
            with ProcessPoolExecutor(given.jobs, processes, prepare, (Path(folder),)) as pool:
                for lived in pool.map(live, seeds):
                    totals += report(lived)
    say(
        f"{totals['days'] / 365:.1f} office-years, {totals['events']} events, "
        f"{totals['alerts']} alerts, {totals['mails']} mails, {totals['crashes']} crashes, "
        f"{totals['violations']} violations, {time.monotonic() - began:.0f} s"
    )
    return 1 if totals["violations"] else 0


def report(lived: tuple[str, Counter[str]]) -> Counter[str]:
    say(lived[0])
    return lived[1]


def prepare(home: Path) -> None:
    """The environment of a process that lives offices: nothing of the machine's own."""
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "SHUANGSUIJI_"))]:
        del os.environ[name]
    os.environ |= {"PREFECT_HOME": str(home / "prefect"), "PREFECT_LOGGING_LEVEL": "CRITICAL"}
    os.environ["PREFECT_LOGGING_TO_API_ENABLED"] = "false"
    (home / "prefect").mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(Path(__file__).parent))
    import life  # noqa: F401

    gc.collect()
    gc.freeze()  # what is imported stays


def office(
    folder: Path, until: date | None, days: int, trace: bool, seed: int
) -> tuple[str, Counter[str]]:
    """Live one office; how it was in one line, or in four what did not hold, and in figures."""
    from invariants import Violation
    from life import Life
    from world import LENGTH, World

    home = folder / f"office-{os.getpid()}"  # one path a process, whose queries are compiled once
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    began, world = time.monotonic(), World(seed, home)
    life = Life(world, say if trace else None)
    length = (until - world.first).days + 1 if until else days or LENGTH
    counts = life.counts
    counts["days"] = length
    try:
        life.live(length)
    except Exception as error:
        counts["violations"] = 1
        statement = str(error) if isinstance(error, Violation) else traceback.format_exc()
        last = life.log[-1] if life.log else ""
        return (
            f"seed {seed}, {world.clock.day}: VIOLATION\n    {statement}\n    after “{last}”\n"
            f"    make simulate SEED={seed}"
        ), counts
    return (
        f"seed {seed}: {length / 365:.2f} years, {counts['events']} events, "
        f"{counts['alerts']} alerts, {counts['mails']} mails, {counts['crashes']} crashes, "
        f"digest {life.digest[:12]}, {time.monotonic() - began:.1f} s"
    ), counts


if __name__ == "__main__":
    sys.exit(main())
