"""`shuangsuiji serve`: server, deployments and runner, as an office runs it."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from deployments.server import HOST

pytestmark = pytest.mark.server

STOPS_WITHIN_SECONDS = 20


def until(found: Callable[[], Any], seconds: float = 90) -> Any:
    """What `found` finds within so many seconds; fails otherwise."""
    end = time.monotonic() + seconds
    while not (thing := found()):
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.2)
    return thing


class Service:
    """The service as seen from outside, through the API of its server."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path, client: Any) -> None:
        self.process = process
        self.home = home
        self.client = client

    def deployment(self, name: str) -> Any:
        return self.client.read_deployment_by_name(f"{name}/{name}")

    def send(self, form: str, parameters: dict[str, Any]) -> Any:
        """Send a form, as the UI does, and wait for its run to end."""
        sent = self.client.create_flow_run_from_deployment(
            self.deployment(form).id, parameters=parameters
        )
        return until(lambda: self.ended(lambda run: run.id == sent.id))[0]

    def ended(self, which: Callable[[Any], bool]) -> list[Any]:
        runs = [run for run in self.client.read_flow_runs() if which(run)]
        return [run for run in runs if run.state and run.state.is_final()]

    def serving(self) -> bool:
        assert self.process.poll() is None, (self.home / "serve.log").read_text()
        return "Ctrl-C" in (self.home / "serve.log").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def service(
    opened: Any, free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """`shuangsuiji serve` of an office whose first round is drawn."""
    home = opened.copy(tmp_path_factory.mktemp("service") / "home").home
    port = str(free_port())
    inherited = {key: value for key, value in os.environ.items() if "PREFECT" not in key}
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("shuangsuiji"), "serve"],
            cwd=home,  # not the checkout's folder
            env=inherited
            | {
                "SHUANGSUIJI_HOME": str(home),
                "SHUANGSUIJI_PORT": port,
                "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            },
            stdout=log,
            stderr=log,
        )
    from prefect.client.orchestration import SyncPrefectClient

    client = SyncPrefectClient(f"http://{HOST}:{port}/api")
    with client, process:
        made = Service(process, home, client)
        until(made.serving)
        until(lambda: len(client.read_deployments()) > 10)
        yield made
        process.kill()


def test_a_wrong_entry_is_sent_back_with_a_reason_in_chinese(
    service: Service, sheet: Callable[..., Any]
) -> None:
    entry = sheet("2024-1-X99").model_dump(mode="json", by_alias=True)
    run = service.send("登记检查结果", {"entries": [entry], "as_of": "2024-07-09"})
    assert (run.state.type.value, run.state.name) == ("FAILED", "退回补正")
    assert run.state.message.startswith("没有检查编号“2024-1-X99”，应如 2024-1-D03")


def test_a_right_entry_stands_and_is_followed_by_a_pass_of_its_own(
    service: Service, sheet: Callable[..., Any]
) -> None:
    entry = sheet("2024-1-D01").model_dump(mode="json", by_alias=True)
    assert entry["检查编号"] == "2024-1-D01"
    run = service.send("登记检查结果", {"entries": [entry], "as_of": "2024-07-09"})
    assert (run.state.type.value, run.state.name) == ("COMPLETED", "已登记"), run.state.message
    number = service.deployment("轮次推进").id
    (made,) = until(lambda: service.ended(lambda run: run.deployment_id == number))
    assert made.name.startswith("2024-1 · ")
    assert {"2024-1", "当前"} <= set(made.tags)
    assert made.state.is_completed()
    assert (service.home / "publications" / "2024-1" / "yjglj.json").exists()


def test_a_stop_leaves_no_process_and_no_paused_deployment(service: Service) -> None:
    family = [psutil.Process(service.process.pid)]
    family += family[0].children(recursive=True)
    assert len(family) > 1
    service.process.terminate()
    gone, alive = psutil.wait_procs(family, timeout=STOPS_WITHIN_SECONDS)
    assert alive == []
    assert [one.returncode for one in gone if one == family[0]] == [0]
    with closing(sqlite3.connect(service.home / "prefect" / "prefect.db")) as database:
        paused = database.execute("SELECT name FROM deployment WHERE paused").fetchall()
        inactive = database.execute(
            "SELECT id FROM deployment_schedule WHERE NOT active"
        ).fetchall()
    assert (paused, inactive) == ([], [])
