"""The Prefect server that we start: on our port or not at all, in our home alone."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from deployments.server import HOST, ServerRefused, running
from models.settings import Settings

pytestmark = pytest.mark.server


@pytest.fixture
def taken() -> Any:
    """A port that a foreign program listens on."""
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


def test_the_server_answers_and_is_the_pinned_prefect(prefect: Any) -> None:
    import prefect as library

    assert prefect.api_healthcheck() is None
    assert prefect.api_version() == library.__version__


def test_nothing_is_kept_outside_our_home(server: Settings) -> None:
    from prefect.settings import PREFECT_HOME, PREFECT_SERVER_DATABASE_CONNECTION_URL

    assert PREFECT_HOME.value() == server.prefect_home
    assert str(server.prefect_home) in str(PREFECT_SERVER_DATABASE_CONNECTION_URL.value())
    assert (server.prefect_home / "prefect.db").exists()


def test_the_server_tells_nobody_that_it_runs(prefect: Any) -> None:
    settings = prefect._client.get("/admin/settings").raise_for_status().json()
    assert settings["server"]["analytics_enabled"] is False
    assert settings["server"]["ui"]["show_promotional_content"] is False


def test_a_taken_port_is_refused_in_one_line(taken: int, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, port=taken)
    with (
        pytest.raises(
            ServerRefused, match=rf"^端口 {taken} 已被占用；.*SHUANGSUIJI_PORT"
        ) as refused,
        running(settings),
    ):
        pytest.fail("attached to a foreign server")
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_our_own_server_counts_as_foreign_too(server: Settings, tmp_path: Path) -> None:
    with pytest.raises(ServerRefused), running(Settings(home=tmp_path, port=server.port)):
        pytest.fail("attached to a running server")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_stopped_leaves_no_server_behind(
    number: signal.Signals, free_port: Callable[[], int], tmp_path: Path
) -> None:
    environment = {"SHUANGSUIJI_HOME": str(tmp_path), "SHUANGSUIJI_PORT": str(free_port())}
    command = psutil.Popen(
        [Path(sys.executable).with_name("shuangsuiji"), "rehearse"],
        cwd=tmp_path,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while not (children := command.children()):
        assert time.monotonic() < until
        time.sleep(0.05)
    command.send_signal(number)
    _, alive = psutil.wait_procs([command, *children], timeout=30)
    for process in alive:
        process.kill()
    assert alive == []
    assert command.returncode != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stop_in_the_moment_of_the_start_leaves_no_server_behind(
    number: signal.Signals,
    free_port: Callable[[], int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = []

    class Stopped(subprocess.Popen[bytes]):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            started.append(self)
            os.kill(os.getpid(), number)

    monkeypatch.setattr(subprocess, "Popen", Stopped)
    monkeypatch.setattr("deployments.server.prepare", lambda _: None)  # this process has one
    with (
        pytest.raises(SystemExit) as stopped,
        running(Settings(home=tmp_path, port=free_port())),
    ):
        pytest.fail("went on as if nothing had happened")
    assert stopped.value.code == 128 + number
    (process,) = started
    ended = process.poll() is not None
    process.kill()
    assert ended


@pytest.mark.parametrize("command", ["serve", "rehearse"])
def test_a_command_that_finds_its_port_taken_ends_2_with_one_chinese_line(
    command: str, taken: int, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [Path(sys.executable).with_name("shuangsuiji"), command],
        cwd=tmp_path,
        env=os.environ | {"SHUANGSUIJI_HOME": str(tmp_path), "SHUANGSUIJI_PORT": str(taken)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"端口 {taken} 已被占用")
    assert ended.stderr.count("\n") == 1
