"""Passes that are killed at every point where something becomes lasting, and then run again.

Each is compared with a twin that started from the same database, secrets included, and was left
in peace: the same draws, no row lost or doubled, no paper missing, every mail gone out.
"""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from calendars import WorkingCalendar
from deployments.people import People
from models import fiction
from models.base import SHANGHAI
from models.plan import Plan
from tasks.inspection import record_inspections
from tasks.ledger import verify
from tasks.notice import confirm_service, withhold_notice
from tasks.publication import confirm_publications
from tasks.referral import close_follow_ups, confirm_referrals

pytestmark = pytest.mark.server

# Small, but with a referral, an order, a closed subject and one that is not to be told.
SUBJECTS = fiction.subjects(2024, {"A": 5, "B": 5, "C": 15, "D": 10}, as_of=date(2024, 6, 20))
AT_ONCE = 4
# What is lasting before a commit is, but for files, what was lasting after the one before it: so
# between them the two die at every commit. Of the files, every few will do.
STEPS = {"before": 2, "after": 2, "rename": 6}
# What may differ: when a process did something, and how often it had to begin.
VOLATILE = {
    "mail": {"claimed_by", "claimed_until", "frozen_at", "sent_at"},
    "delivery": {"id", "at", "worker"},
    "ledger": {"id", "previous", "digest"},
    "round": {"pass_number"},
}


def at(month: int, day: int) -> datetime:
    return datetime(2024, month, day, 9, tzinfo=SHANGHAI)


@dataclass
class Stage:
    """A moment of the round at which a pass, or a sweep, has something to do."""

    before: Any
    undisturbed: Any
    at: datetime
    kind: str
    points: dict[str, int]


def outcome(office: Any) -> dict[str, Counter[str]]:
    """What an office has come to: every row of every table, and every file."""
    found = {
        table: Counter(
            str({name: row[name] for name in sorted(row) if name not in VOLATILE.get(table, ())})
            for row in rows
        )
        for table, rows in office.rows().items()
        if table not in ("pass", "sweep")  # one row for each that was made
    }
    mails = (path.name for path in (office.home / "mail").rglob("*.eml"))
    papers = (f"{name} {hash(content)}" for name, content in office.files().items())
    return found | {"files": Counter([*papers, *mails])}


def differences(office: Any, twin: Any) -> list[str]:
    """What the twin has and the office lacks (-), and the other way round (+)."""
    mine, other = outcome(office), outcome(twin)
    return [
        f"{sign}{table}: {row}"
        for table in other
        for sign, rows in (("-", other[table] - mine[table]), ("+", mine[table] - other[table]))
        for row in rows.elements()
    ]


@pytest.fixture(scope="module")
def stages(
    registered: Any, drill: Plan, passes: Any, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Stage]:
    """The course of a round, with a copy of the office before and after each stage."""
    folder = tmp_path_factory.mktemp("stages")
    people = People(drill, WorkingCalendar.china(), seed=2024)
    home = folder / "registered"
    office = type(registered)(home, f"sqlite:///{home / 'shuangsuiji.db'}")
    office.register(drill, SUBJECTS)
    found = {}

    def stage(name: str, at: datetime, kind: str = "pass") -> None:
        nonlocal office
        before, undisturbed = office, office.copy(folder / name)
        assert passes.run(passes.job(undisturbed, at, kind)) == [0]
        points = json.loads((undisturbed.home / "counted.json").read_text())
        found[name] = Stage(before, undisturbed, at, kind, points)
        office = undisturbed.copy(folder / f"{name}, and then")

    stage("抽取", at(6, 25))
    with office.here():
        withhold_notice("2024-1-D02", "线索核查", "负责人", at(6, 25))
    stage("通知", at(6, 26))
    with office.here():
        confirm_service(people.services(people.acts(), date(2024, 7, 3)), "演练", at(7, 3))
    stage("催办", at(7, 12), "sweep")
    with office.here():
        record_inspections(people.records(people.acts(), date(2024, 7, 12)), at(7, 12))
    stage("记录", at(7, 12))
    with office.here():
        acts, day = people.acts(), date(2024, 8, 12)
        confirm_referrals(people.referrals(acts, day), at(8, 12))
        confirm_publications(people.publications(acts, day), at(8, 12))
        close_follow_ups(people.follow_ups(acts, day), at(8, 12))
    stage("办结", at(8, 12))
    return found


def later(at: datetime) -> datetime:
    """When what a killed sender had claimed is free again."""
    return at + timedelta(minutes=5)


@pytest.mark.parametrize("point", ["before", "after", "rename"])
@pytest.mark.parametrize("name", ["抽取", "通知", "催办", "记录", "办结"])
def test_a_killed_pass_that_is_run_again_ends_like_one_left_in_peace(
    stages: dict[str, Stage], passes: Any, tmp_path: Any, name: str, point: str
) -> None:
    stage = stages[name]
    # Before the 1st, 3rd, …, after the 2nd, 4th, …
    first_one = 2 if point == "after" else 1
    numbers = range(first_one, stage.points[point] + 1, STEPS[point])
    wrong = {}
    for first in range(0, len(numbers), AT_ONCE):
        chosen = numbers[first : first + AT_ONCE]
        offices = [stage.before.copy(tmp_path / str(n)) for n in chosen]

        def run(kind: str, at: datetime, offices: list[Any], kills: Any) -> list[int]:
            pairs = zip(offices, kills, strict=True)
            return passes.run(*(passes.job(office, at, kind, kill) for office, kill in pairs))

        kills = [[point, n] for n in chosen]
        assert run(stage.kind, stage.at, offices, kills) == [-9] * len(offices)
        # A draw waits for the digest of its freeze to go out, and so for a killed sender's claim.
        claimed = [office for office in offices if waiting(office)]
        run("deliver", later(stage.at), claimed, [None] * len(claimed))
        assert run(stage.kind, stage.at, offices, [None] * len(offices)) == [0] * len(offices)
        for n, office in zip(chosen, offices, strict=True):
            with office.here():
                assert verify()[1] is None
            if found := differences(office, stage.undisturbed):
                wrong[n] = found
    assert wrong == {}


def waiting(office: Any) -> bool:
    """Whether mails are still claimed by a sender that was killed."""
    return any(row["state"] == "claimed" for row in office.rows()["mail"])
