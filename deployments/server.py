"""A Prefect server of our own: its settings, start and end. Imports no Prefect: it comes first."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.settings import Settings

HOST = "127.0.0.1"
START_SECONDS = 120


class ServerRefused(RuntimeError):
    """The server cannot be started; the message is one Chinese line that says what to do."""


def api_url(settings: Settings) -> str:
    """Where the server's API is."""
    return f"http://{HOST}:{settings.port}/api"


def ui_url(settings: Settings) -> str:
    """Where people look; V2 is the UI whose deep links work."""
    return f"http://{HOST}:{settings.port}/v2"


def environment(settings: Settings) -> dict[str, str]:
    """What Prefect must find in the environment, so that `~/.prefect` is never touched.

    No request leaves the host: analytics and promotion are off.
    """
    home = settings.prefect_home
    return {
        "SHUANGSUIJI_HOME": str(settings.home),
        "SHUANGSUIJI_PLAN": str(settings.plan),
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_API_URL": api_url(settings),
        "PREFECT_UI_URL": ui_url(settings),
        "PREFECT_UI_API_URL": api_url(settings),
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(settings.port),
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "ui"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "DO_NOT_TRACK": "1",
    }


def prepare(settings: Settings) -> None:
    """Set this process's environment; to be called before anything imports Prefect."""
    settings.prefect_home.mkdir(parents=True, exist_ok=True)
    os.environ.update(environment(settings))


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """A server on the port of the settings, from the first answer to the end of the block.

    Raises ServerRefused where the port is taken (a foreign server is never attached to), or where
    it does not come up.
    """
    _refuse_taken_port(settings.port)
    prepare(settings)
    log = settings.home / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            _wait(process, settings, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise ServerRefused(
                f"端口 {port} 已被占用；请先停掉占用它的程序，或用 SHUANGSUIJI_PORT 另指定一个端口"
            ) from None


def _wait(process: "subprocess.Popen[bytes]", settings: Settings, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise ServerRefused(f"Prefect 服务没有启动成功，详见 {log}")
        try:
            with urllib.request.urlopen(f"{api_url(settings)}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise ServerRefused(f"Prefect 服务 {START_SECONDS} 秒内没有启动，详见 {log}")
