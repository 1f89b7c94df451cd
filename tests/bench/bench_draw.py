"""What a draw costs: by size, and beside two other ways to draw, in one run.

Run `python tests/bench/bench_draw.py [largest pool]`. Every figure comes from a process of its
own, so that peak memory (MB) is its own too. Seconds of wall time; the ratio to ours is what
compares, because all are measured on the same machine one after the other.
"""

import gc
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

SECRET = sha256(b"bench").digest()
INSPECTORS = 40  # in each of two departments, two drawn by each
RATIO = "3"
Laps = dict[str, float]


def codes(size: int) -> list[str]:
    """Codes in no order, as a register hands them in."""
    return sorted((f"91410403MA{i:08d}" for i in range(size)), key=lambda code: code[::-1])


def ours(size: int, path: str) -> Laps:
    from models import freeze as freezing
    from models import protocol

    pool = codes(size)
    laps, lap = stopwatch()
    frozen = freezing.freeze(
        round="bench",
        grade="B",
        commitment=protocol.commitment(SECRET),
        committed_at=datetime(2024, 6, 21, 1, tzinfo=UTC),
        frozen_at=datetime(2024, 6, 25, 1, tzinfo=UTC),
        ratio=RATIO,
        pool=pool,
        departments=[("yjglj", 2, True), ("scjgj", 2, False)],
        inspectors=[(d, f"{d}-{i:04d}") for d in ("yjglj", "scjgj") for i in range(INSPECTORS)],
        recusals=[(code, "yjglj-0001") for code in pool[::100]],
    )
    seed = protocol.seed(frozen, SECRET)
    lap("freeze")
    subjects, alternates = protocol.draw_subjects(frozen, seed)
    lap("subjects")
    teams = protocol.draw_teams(frozen, seed, subjects)
    lap("teams")
    bundle = protocol.bundle(frozen, SECRET, "", subjects, alternates, teams)
    Path(path).write_bytes(freezing.canonical(bundle))
    lap("bundle")
    return laps


def verify(size: int, path: str) -> Laps:
    from deployments.verify_draw import main

    laps, lap = stopwatch()
    gc.disable()  # as the file does when run by itself
    if main([path]):
        raise SystemExit("the bundle does not hold")
    lap("verify")
    return laps


def consistent_sampler(size: int, path: str) -> Laps:
    from consistent_sampler import sampler  # type: ignore[import-untyped]

    pool = codes(size)
    laps, lap = stopwatch()
    drawn = list(sampler(pool, seed=SECRET.hex(), take=size * int(RATIO) // 100, output="id"))
    lap("subjects")
    assert len(set(drawn)) == size * int(RATIO) // 100
    return laps


def order_by_random(size: int, path: str) -> Laps:
    with sqlite3.connect(":memory:") as database:
        database.execute("create table subject (code text primary key)")
        database.executemany("insert into subject values (?)", ((code,) for code in codes(size)))
        laps, lap = stopwatch()
        query = "select code from subject order by random() limit ?"
        drawn = database.execute(query, (size * int(RATIO) // 100,)).fetchall()
        lap("subjects")
    assert len(set(drawn)) == size * int(RATIO) // 100
    return laps


def stopwatch() -> tuple[Laps, Callable[[str], None]]:
    laps: Laps = {}
    last = perf_counter()

    def lap(name: str) -> None:
        nonlocal last
        now = perf_counter()
        laps[name], last = now - last, now

    return laps, lap


WAYS = {way.__name__: way for way in (ours, verify, consistent_sampler, order_by_random)}


def measure(way: str, size: int, path: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, way, str(size), str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def table(largest: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.json"
        stages = ["freeze", "subjects", "teams", "bundle"]
        say(f"draw-1, {RATIO} %, 2 departments with {INSPECTORS} inspectors each (seconds, MB)")
        header = [*stages, "draw", "µs each", "draw MB", "verify", "µs each", "verify MB"]
        say(f"{'pool':>10}" + "".join(f"{name:>11}" for name in header))
        for size in (largest // 100, largest // 10, largest):
            mine = measure("ours", size, path)
            check = measure("verify", size, path)
            draw = sum(mine[stage] for stage in stages)
            row = [mine[stage] for stage in stages]
            row += [draw, draw / size * 1e6, mine["MB"]]
            row += [check["verify"], check["verify"] / size * 1e6, check["MB"]]
            say(f"{size:>10,}" + "".join(f"{value:>11.2f}" for value in row))
        say(f"\nsubjects drawn from {largest:,}, without teams")
        say(f"{'way':<34}{'seconds':>9}{'to ours':>9}{'MB':>7}   anyone can recompute it")
        own = mine["subjects"]
        say(f"{'draw-1 (ours)':<34}{own:>9.2f}{1:>9.2f}{mine['MB']:>7.0f}   yes")
        for way, name, proof in (
            ("consistent_sampler", "consistent-sampler 1.0.10 (PyPI)", "yes"),
            ("order_by_random", "SQLite ORDER BY random()", "no"),
        ):
            peer = measure(way, largest, path)
            took = peer["subjects"]
            say(f"{name:<34}{took:>9.2f}{took / own:>9.2f}{peer['MB']:>7.0f}   {proof}")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        found = WAYS[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
        found["MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        table(int(sys.argv[1]) if len(sys.argv) == 2 else 1_000_000)
