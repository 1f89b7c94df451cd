"""Two passes at the same instant, and killed passes, on PostgreSQL and on SQLite."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from models import fiction
from models.base import SHANGHAI
from models.plan import Plan
from tasks.ledger import verify

pytestmark = pytest.mark.server

SUBJECTS = fiction.subjects(2024, {"A": 5, "B": 5, "C": 15, "D": 10}, as_of=date(2024, 6, 20))
OPENING = datetime(2024, 6, 25, 9, tzinfo=SHANGHAI)
NEXT_DAY = OPENING + timedelta(days=1)
# What no two rows may share, whatever went on at the same time.
UNIQUE = {
    "inspection": ("round_id", "subject_code"),
    "drawn_subject": ("draw_id", "code"),
    "team_member": ("inspection_id", "certificate"),
    "department_record": ("inspection_id", "department"),
    "obligation": ("duty", "object"),
    "notice": ("inspection_id",),
    "paper_file": ("kind", "object", "version"),
    "mail": ("key",),
    "delivery": ("mail_id",),
    "pass": ("round_id", "number"),
    "alert": ("obligation_id", "due_version", "level", "role"),
}
DECIDED = ("freeze_digest", "seed", "pool", "count")


@pytest.fixture(scope="module")
def eve(
    registered: Any, drill: Plan, postgresql: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """An office on the eve of its first round, on each kind of database."""
    found = {}
    home = tmp_path_factory.mktemp("eve")
    for kind, database in (
        ("sqlite", f"sqlite:///{home / 'sqlite' / 'shuangsuiji.db'}"),
        ("postgresql", postgresql),
    ):
        found[kind] = type(registered)(home / kind, database)
        found[kind].home.mkdir()
        found[kind].register(drill, SUBJECTS)
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, eve: dict[str, Any], tmp_path: Path) -> Iterator[Any]:
    copy = eve[request.param].copy(tmp_path / "home")
    with copy.here():
        yield copy


def draws(office: Any) -> list[tuple[Any, ...]]:
    """All that is decided in the round's draws, with what followed."""
    rows = office.rows()
    codes = {row["id"]: row["code"] for row in rows["inspection"]}
    found = [tuple(draw[name] for name in ("id", *DECIDED)) for draw in rows["draw"]]
    found += sorted((row["code"], row["subject_code"]) for row in rows["inspection"])
    return found + sorted(
        (codes[row["inspection_id"]], row["leader"], row["certificate"])
        for row in rows["team_member"]
    )


def doubles(office: Any) -> list[tuple[Any, ...]]:
    rows = office.rows()
    counted = Counter(
        (table, *(row[name] for name in names))
        for table, names in UNIQUE.items()
        for row in rows[table]
    )
    return [key for key, count in counted.items() if count > 1]


def test_passes_at_the_same_instant_draw_once_and_double_nothing(office: Any, passes: Any) -> None:
    many = 3
    assert passes.run(*[passes.job(office, OPENING)] * many) == [0] * many
    first = draws(office)
    assert len(office.rows()["inspection"]) == 6
    assert passes.run(*[passes.job(office, NEXT_DAY)] * many) == [0] * many
    rows = office.rows()
    assert draws(office) == first
    assert doubles(office) == []
    assert len(rows["notice"]) == 6
    assert Counter(row["action"] for row in rows["ledger"])["抽取封存"] == 4
    assert len(rows["pass"]) == 2 * many
    assert {row["state"] for row in rows["mail"] if row["day"] is not None} == {"sent"}
    assert verify() == (len(rows["ledger"]), None)


def test_a_sweep_and_a_pass_at_the_same_instant_double_nothing(office: Any, passes: Any) -> None:
    late = datetime(2024, 7, 12, 9, tzinfo=SHANGHAI)
    assert passes.run(passes.job(office, OPENING)) == [0]
    jobs = [passes.job(office, late, kind) for kind in ("pass", "sweep", "pass", "sweep")]
    assert passes.run(*jobs) == [0] * 4
    assert doubles(office) == []
    assert office.rows()["alert"]
    assert verify()[1] is None


@pytest.mark.parametrize("office", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("point", "n"), [("before", 3), ("after", 5), ("before", 6), ("after", 8)])
def test_a_pass_killed_at_a_commit_is_taken_up_by_the_next(
    office: Any, eve: dict[str, Any], passes: Any, tmp_path: Path, point: str, n: int
) -> None:
    twin = eve["postgresql"].copy(tmp_path / "twin")
    killed = passes.job(office, OPENING, kill=[point, n])
    assert passes.run(killed, passes.job(twin, OPENING)) == [-9, 0]
    assert passes.run(passes.job(office, OPENING)) == [0]
    assert draws(office) == draws(twin)
    assert doubles(office) == []
    for table in UNIQUE.keys() - {"pass", "delivery"}:
        assert len(office.rows()[table]) == len(twin.rows()[table]), table
    assert verify()[1] is None
