"""One office as it is served, `shuangsuiji serve`, and a browser: shared by all who look at it."""

import csv
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from calendars import WorkingCalendar
from deployments.server import HOST
from models import fiction
from models.base import SHANGHAI
from models.database import reading, writing
from models.draw import Draw
from models.inspection import Inspection
from models.leave import LeaveEntry
from models.obligation import Obligation
from models.plan import Plan, PlannedRound, Window
from models.record import RecordEntry
from models.subject import Inspector, Subject
from tasks import draw, duty, freeze, inspection, leave, notice, plan, publication, replacement
from tasks.mail import deliver
from tasks.sheet import write_subjects

PATIENCE_SECONDS = 180.0  # for a machine that has other things to do
DEPARTMENTS = ("yjglj", "scjgj")
TODAY = datetime.now(SHANGHAI).date()


class Service:
    """The service as seen from outside: its pages, the API of its server, the office's rows."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path, client: Any) -> None:
        self.process = process
        self.home = home
        self.client = client

    @property
    def pages(self) -> dict[str, str]:
        """The addresses that the service printed, by name."""
        return dict(re.findall(r"^(\S+)：(http\S+)", self._said(), re.M))

    def _said(self) -> str:
        return (self.home / "serve.log").read_text(encoding="utf-8")

    def serving(self) -> bool:
        """Whether it is up; fails where it has ended."""
        assert self.process.poll() is None, self._said()
        return "Ctrl-C" in self._said()

    def deployment(self, name: str) -> Any:
        return self.client.read_deployment_by_name(f"{name}/{name}")

    def send(self, form: str, parameters: dict[str, Any]) -> Any:
        """Send a form, as the UI does, and wait for its run to end."""
        made = self.client.create_flow_run_from_deployment(
            self.deployment(form).id, parameters=parameters
        )
        return self.ended(made.id)

    def ended(self, number: Any) -> Any:
        """The run of that number, once it has ended."""

        def ended() -> Any:
            run = self.client.read_flow_run(number)
            return run if run.state.is_final() else None

        return self.until(ended)

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """What the office's database answers."""
        with closing(sqlite3.connect(self.home / "shuangsuiji.db")) as database:
            return database.execute(question).fetchall()

    @staticmethod
    def until(found: Callable[[], Any]) -> Any:
        """What `found` finds, as soon as it does; fails where that takes too long."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not (thing := found()):
            assert time.monotonic() < end, "nothing happened in time"
            time.sleep(0.2)
        return thing


def at(day: date) -> datetime:
    return datetime.combine(day, clock(9), tzinfo=SHANGHAI)


def this_year(drill: Plan) -> Plan:
    """A plan under way today: B waits for its public value, D for the platform's list."""
    days = WorkingCalendar.china().provisional
    begins, opened, visits, soon, ends = (
        days.first_working_day(TODAY + timedelta(days=count)) for count in (-30, -20, 45, 60, 200)
    )
    rounds = tuple(
        PlannedRound(number=number, opens_on=opens, visits_from=max(opens, visits), ends_on=ends)
        for number, opens in enumerate((opened, soon, opened), start=1)
    )
    a, b, c, d = drill.grades
    return drill.model_copy(
        update={
            "number": "平卫双随机办〔2025〕1号",
            "code": "2025",
            "window": Window(begins_on=begins, ends_on=ends),
            "rounds": rounds,
            "notices_after": 20,
            "replace_closed_subjects": True,
            "grades": (
                a,
                b.model_copy(update={"public_value_rule": "当日收盘指数，两位小数"}),
                c,
                d.model_copy(update={"source": "外部抽取"}),
            ),
            # Not while somebody looks.
            "sweep_at": (datetime.now(SHANGHAI) + timedelta(hours=12)).time().replace(second=0),
        }
    )


@pytest.fixture(scope="session")
def served_home(registered: Any, drill: Plan, sheet: Any, tmp_path_factory: Any) -> Path:
    """An office with three rounds of 2024, two drawn, and a plan of this year under way.

    Results are in, 500 of one department unpublished; of each kind of duty one waits for its form.
    """
    folder = tmp_path_factory.mktemp("served")
    office = type(registered)(folder, f"sqlite:///{folder / 'shuangsuiji.db'}")
    first, second = drill.rounds
    rounds = (first, second, second.model_copy(update={"number": 3}))
    subjects = fiction.subjects(2024, as_of=date(2024, 6, 20))
    office.register(drill.model_copy(update={"rounds": rounds}), subjects, people_as_of=TODAY)
    with office.here():
        for code, day in (("2024-1", first.opens_on), ("2024-2", second.opens_on)):
            draw_all(code, day)
        late(sheet, at(date(2024, 7, 9)))
        waiting(sheet, at(date(2024, 6, 28)))
        under_way(folder, drill)
    return folder


def draw_all(code: str, day: date) -> None:
    draw.freeze_draws(code, at(day))
    deliver(at(day))
    draw.seal_draws(code, at(day))
    duty.update_duties(code, at(day))


def late(sheet: Callable[..., RecordEntry], day: datetime) -> None:
    """500 publications of one department, and the one draw of which people may read."""
    found = [sheet("2024-1-A01", department) for department in ("yjglj", "scjgj")]
    inspection.record_inspections(found, day)
    publication.prepare_publications("2024-1", day)
    with writing() as session:
        session.execute(update(Draw).where(Draw.grade == "A").values(revealed_at=day))
        table = Obligation.__table__
        row = session.execute(
            select(table).where(table.c.duty == "publish", table.c.department == "scjgj")
        )
        one = row.mappings().one()
        session.execute(
            insert(Obligation),
            [{**one, "id": None, "object": f"{one['object']}#{n}"} for n in range(500)],
        )


def waiting(sheet: Callable[..., RecordEntry], day: datetime) -> None:
    """What the forms about an inspection deal with, older than what is late on the board."""
    notice.prepare_notices("2024-1", day)
    on = {"ended_on": day.date()}
    found = [
        sheet("2024-1-D01", **on),
        sheet("2024-1-D02", **on),
        sheet("2024-1-D02", "scjgj", **on),
        sheet("2024-1-D03", result=10, **on),
        sheet("2024-1-D04", result=8, **on),
        sheet("2024-1-D05", attestation="拒签", attestation_note="负责人拒绝签字", **on),
    ]
    inspection.record_inspections(found, day)
    publication.prepare_publications("2024-1", day)


def under_way(folder: Path, drill: Plan) -> None:
    """The plan of this year: its third round drawn, as far as this office draws it."""
    made = this_year(drill)
    files(folder, made)
    plan.load_plan(made, at(made.window.begins_on))
    opened = made.rounds[2].opens_on
    draw_all("2025-3", opened)
    replacement.request_recusal(
        "2025-3-C05", "yjglj", 1, "亲属在该单位任职", "被检查单位负责人", opened, at(opened)
    )
    with writing() as session:
        closed = select(Inspection.subject_code).where(Inspection.code == "2025-3-C06")
        session.execute(update(Subject).where(Subject.code.in_(closed)).values(status="注销"))
    away = LeaveEntry(
        department="scjgj",
        person="市场监管局负责人",
        first_on=TODAY,
        last_on=TODAY + timedelta(days=4),
        reason="年休假",
        entered_by="李四",
    )
    leave.enter_leave(away, at(TODAY))
    freeze.freeze_draw("2025-1", "B", at(TODAY))
    duty.update_duties("2025-1", at(TODAY))


def files(folder: Path, made: Plan) -> None:
    """What the coordinator has got to import: the platform's list, and a register."""
    with reading() as session:
        last = made.rounds[0].ends_on
        people = [one for one in session.scalars(select(Inspector)) if one.may_serve(last)]
        barred = {code for one in people for code in one.recusals}
        drawn = select(Subject.code).where(Subject.grade == "D", Subject.status == "在营")
        codes = [code for code in session.scalars(drawn) if code not in barred][:6]
    teams = {one: [p.certificate for p in people if p.department == one] for one in DEPARTMENTS}
    rows = [(code, one, seat) for code in codes for one, able in teams.items() for seat in able[:2]]
    with (folder / "平台名单.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("统一社会信用代码", "部门", "执法证号"), *rows])
    write_subjects(folder / "检查对象.xlsx", fiction.subjects(7, {"A": 1}))


@pytest.fixture(scope="session")
def service(served_home: Path, free_port: Callable[[], int]) -> Iterator[Service]:
    """`shuangsuiji serve` of that office, with its log in the office's folder."""
    from prefect.client.orchestration import SyncPrefectClient

    port = str(free_port())
    inherited = {key: value for key, value in os.environ.items() if "PREFECT" not in key}
    with (served_home / "serve.log").open("wb") as output:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("shuangsuiji"), "serve"],
            cwd=served_home,  # not the checkout's folder
            env=inherited
            | {
                "SHUANGSUIJI_HOME": str(served_home),
                "SHUANGSUIJI_DATABASE_URL": "",
                "SHUANGSUIJI_PORT": port,
                "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            },
            stdout=output,
            stderr=output,
        )
    with SyncPrefectClient(f"http://{HOST}:{port}/api") as client, process:
        made = Service(process, served_home, client)
        try:
            made.until(made.serving)
            yield made
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def asked() -> list[str]:
    """Every request that the pages made."""
    return []


@pytest.fixture(scope="module")
def browser(service: Service, asked: list[str]) -> Iterator[Any]:
    """A browser at the coordinator's desk.

    Closed before other tests: while it is open an event loop runs in this process, in which
    Prefect's functions would return coroutines.
    """
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        context = started.new_context(viewport={"width": 1500, "height": 1200})
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        context.on("request", lambda request: asked.append(request.url))
        yield context
        started.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of its own."""
    opened = browser.new_page()
    yield opened
    opened.close()
