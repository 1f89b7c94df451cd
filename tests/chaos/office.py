"""The office of the chaos test: its people and duties, the processes that get killed, the truth."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import sleep
from time import time as clock

from sqlalchemy.exc import DBAPIError

import tasks.outbox
from calendars import WorkingCalendar
from models.alert import first_alert_on, steps
from models.base import SHANGHAI, Base
from models.bulk import insert_rows
from models.database import engine_for, writing
from models.ledger import APPEND_ONLY
from models.obligation import Obligation
from models.plan import PlanVersion, read_plan
from models.reconciliation import Due
from models.round import Round
from models.settings import SHIPPED_PLAN
from tasks.mail import deliver
from tasks.obligation import SweepIncomplete, sweep
from tasks.smtp import Server, account

PLAN = read_plan(SHIPPED_PLAN)
CALENDAR = WorkingCalendar.china()
DUE = date(2024, 7, 12)
# Short, so that a run takes minutes; what is shortened is patience alone.
LEASE = timedelta(seconds=3)
tasks.outbox.FIRST_PAUSE = timedelta(seconds=0.2)
tasks.outbox.MAX_TRIES = 20
BATCH = 100
REFUSED = "refused"
"""Local part of addresses that the server refuses for good."""


def alert_days(count: int) -> list[date]:
    """The first so many days on which levels of `DUE` fall due."""
    found: list[date] = []
    for step in steps(DUE, False, PLAN.alerts, CALENDAR):
        if step.on not in found:
            found.append(step.on)
        if len(found) == count:
            break
    return found


def levels(last: date) -> list[str]:
    """Every level through that day, in order."""
    found = []
    for step in steps(DUE, False, PLAN.alerts, CALENDAR):
        if step.on > last:
            return found
        found.append(step.level)
    raise AssertionError


def address(number: int) -> str:
    """Every hundredth person's address does not exist."""
    return f"{REFUSED if number % 100 == 99 else 'p'}{number}@yjglj.example"


def fill(url: str, people: int, each: int = 1) -> None:
    """A plan, a round, and for each of `people` so many duties, all due on `DUE`."""
    engine = engine_for(url)
    Base.metadata.create_all(engine)
    opened = datetime.combine(DUE, time(8), tzinfo=SHANGHAI)
    due = Due(DUE, opened, False, CALENDAR.version)
    with writing(url) as session:
        for statement in APPEND_ONLY[engine.dialect.name]:
            session.connection().exec_driver_sql(statement)
        session.add(
            PlanVersion(
                number=PLAN.number,
                version=1,
                digest=PLAN.digest,
                content=PLAN.model_dump(mode="json"),
                loaded_at=opened,
            )
        )
        session.flush()
        session.add(
            Round(
                plan_id=1,
                code="2024-1",
                number=1,
                task_number="1",
                opens_on=date(2024, 6, 25),
                visits_from=date(2024, 7, 8),
                ends_on=date(2024, 9, 30),
                registered_at=opened,
            )
        )
        session.flush()
        insert_rows(
            session,
            Obligation,
            [
                {
                    "id": number + 1,
                    "duty": "refer",
                    "object": f"2024-1/{number}/yjglj",
                    "inspection": f"2024-1/{number}",
                    "round_id": 1,
                    "about": f"某某化工有限公司{number}",
                    "department": "yjglj",
                    "person": f"检查员{number % people}",
                    "email": address(number % people),
                    "started_on": date(2024, 7, 3),
                    "working_days": 7,
                    "source": "方案第七.2条",
                    "due_on": DUE,
                    "due_at": "2024-07-12 16:00:00.000000",
                    "due_version": 1,
                    "provisional": False,
                    "calendar_version": CALENDAR.version,
                    "missed_on": [],
                    "closed_why": "",
                    "suspended": False,
                    "next_alert_on": first_alert_on(due, PLAN, CALENDAR),
                    "alerted_level": "",
                }
                for number in range(people * each)
            ],
        )
    engine.dispose()


@dataclass(frozen=True)
class Day:
    """A virtual day: the morning of `day` is now, and time passes as it does."""

    day: date
    began: float

    def now(self) -> datetime:
        start = datetime.combine(self.day, time(8, 30), tzinfo=SHANGHAI)
        return start + timedelta(seconds=clock() - self.began)


def quietly() -> None:
    """A killed or restarted database makes workers talk; what counts is the end result."""
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115


def sweeper(url: str, day: Day) -> None:
    """Sweeps again and again, until killed."""
    quietly()
    while True:
        try:
            sweep(day.day, day.now(), url=url, batch=BATCH)
        except (DBAPIError, SweepIncomplete):
            engine_for(url).dispose()
        sleep(0.05)


def one_sweep(url: str, day: Day) -> None:
    """Sweeps once, to its end."""
    sweep(day.day, day.now(), url=url, batch=1000)


def sender(url: str, day: Day, smtp_url: str) -> None:
    """Delivers again and again, until killed."""
    quietly()
    way = Server(account(smtp_url), timeout=2)
    while True:
        try:
            deliver(day.now(), way, url=url, lease=LEASE)
        except DBAPIError:
            engine_for(url).dispose()
        sleep(0.05)


def lines(path: Path) -> Iterator[list[str]]:
    """What the mail server wrote down of each mail it took: Message-ID, recipient, day."""
    for line in path.read_text().splitlines():
        yield line.split("\t")
