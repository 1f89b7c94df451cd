"""Lives of offices, one a seed, with everything that can go wrong; each is repeatable.

    python tests/simulation/run.py [--seed N] [--years N] [--until DATE] [--trace]

`make simulate` lives 100 office-years; `make simulate SEED=123` one office again, `TRACE=1` with a
line for everything that happens, `UNTIL=2024-10-12` as far as that day. Ends 0 only if every
invariant held; the last line counts.
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
from datetime import date
from pathlib import Path

START = 20240655


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int)
    parser.add_argument("--years", type=int, default=100)
    parser.add_argument("--until", type=date.fromisoformat)
    parser.add_argument("--trace", action="store_true")
    given = parser.parse_args()
    seeds = [given.seed] if given.seed is not None else range(START, START + given.years)
    began, totals, violations = time.monotonic(), Counter[str](), 0
    with tempfile.TemporaryDirectory(prefix="shuangsuiji-simulation-") as folder:
        prepare(Path(folder))
        gc.freeze()  # what is imported stays
        for seed in seeds:
            lived = office(seed, Path(folder) / "office", given.until, given.trace)
            totals += lived
            violations += lived["violations"]
    say(
        f"{totals['days'] / 365:.1f} office-years, {totals['events']} events, "
        f"{totals['alerts']} alerts, {totals['mails']} mails, {totals['crashes']} crashes, "
        f"{violations} violations, {time.monotonic() - began:.0f} s"
    )
    return 1 if violations else 0


def prepare(home: Path) -> None:
    """The environment of a process that lives offices: nothing of the machine's own."""
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "SHUANGSUIJI_"))]:
        del os.environ[name]
    os.environ |= {"PREFECT_HOME": str(home / "prefect"), "PREFECT_LOGGING_LEVEL": "CRITICAL"}
    os.environ["PREFECT_LOGGING_TO_API_ENABLED"] = "false"
    sys.path.insert(0, str(Path(__file__).parent))
    import life  # noqa: F401


def office(seed: int, home: Path, until: date | None, trace: bool) -> Counter[str]:
    """Live one office, and say how it was in one line, or what did not hold."""
    from invariants import Violation
    from life import Life
    from world import LENGTH, World

    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    began = time.monotonic()
    world = World(seed, home)
    life = Life(world, say if trace else None)
    length = (until - world.first).days + 1 if until else LENGTH
    try:
        life.live(length)
    except Exception as error:
        statement = str(error) if isinstance(error, Violation) else traceback.format_exc()
        say(f"seed {seed}, {world.clock.day}, after “{life.log[-1] if life.log else ''}”:")
        say(f"    {statement}")
        say(f"    make simulate SEED={seed}")
        life.counts["violations"] = 1
    life.counts["days"] = length
    counts = life.counts
    say(
        f"seed {seed}: {length / 365:.2f} years, {counts['events']} events, "
        f"{counts['alerts']} alerts, {counts['mails']} mails, {counts['crashes']} crashes, "
        f"{life.digest[:12]}, {time.monotonic() - began:.1f} s"
    )
    return counts


if __name__ == "__main__":
    sys.exit(main())
