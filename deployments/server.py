"""A Prefect server of our own: its settings, start and end. Imports no Prefect: it comes first."""

import ipaddress
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from models.settings import Settings

HOST = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")
PASSWORD = "PREFECT_SERVER_API_AUTH_STRING"
SHORTEST_PASSWORD = 12
START_SECONDS = 120


class ServerRefused(RuntimeError):
    """The server cannot be started; the message is one Chinese line that says what to do."""


def api_url(settings: Settings) -> str:
    """Where the server's API is."""
    return f"http://{_address(settings)}:{settings.port}/api"


def ui_url(settings: Settings) -> str:
    """Where people look; V2 is the UI whose deep links work."""
    return f"http://{_address(settings)}:{settings.port}/v2"


def _address(settings: Settings) -> str:
    """Where the server is reached; listening everywhere, by this machine's name."""
    host = _own_name() if settings.host in EVERYWHERE else settings.host
    return f"[{host}]" if ":" in host else host


def _own_name() -> str:
    """This machine's name, or where it has none for others, its address."""
    name = socket.getfqdn()
    if not name.startswith("localhost"):
        return name
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; only a route is looked up
        except OSError:
            return name
        return str(probe.getsockname()[0])


def is_local(host: str) -> bool:
    """Whether nobody but this machine reaches a server that listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
        "PREFECT_UI_API_URL": "/api",  # by whatever name people know this machine
        "PREFECT_SERVER_API_HOST": settings.host,
        "PREFECT_SERVER_API_PORT": str(settings.port),
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "ui"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "DO_NOT_TRACK": "1",
        **_protection(settings),
    }


def _protection(settings: Settings) -> dict[str, str]:
    """Password and CSRF protection, where others reach the server."""
    if is_local(settings.host):
        return {}
    return {
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_API_AUTH_STRING": os.environ.get(PASSWORD, ""),
    }


def refuse_open_door(settings: Settings) -> None:
    """Raise ServerRefused where others reach the server and no password is set."""
    user, _, password = os.environ.get(PASSWORD, "").partition(":")
    if is_local(settings.host) or (user and len(password) >= SHORTEST_PASSWORD):
        return
    raise ServerRefused(
        f"SHUANGSUIJI_HOST={settings.host} 会让其他机器访问本服务，须先设口令："
        f"环境变量 {PASSWORD}=用户名:口令，口令至少 {SHORTEST_PASSWORD} 位"
    )


def prepare(settings: Settings) -> None:
    """Set this process's environment; to be called before anything imports Prefect."""
    settings.prefect_home.mkdir(parents=True, exist_ok=True)
    os.environ.update(environment(settings))


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """A server on the port of the settings, from the first answer to the end of the block.

    See `starting` for what it raises, and for how it ends.
    """
    with starting(settings) as answering:
        answering()
        yield


@contextmanager
def starting(settings: Settings) -> Iterator[Callable[[], None]]:
    """The same from its start on, which takes seconds; yields what waits for the first answer.

    Raises ServerRefused where the port is taken (a foreign server is never attached to), or where
    it does not come up. Told to stop by a signal, the process ends and the server with it.
    """
    refuse_open_door(settings)
    refuse_taken_port(settings.port, settings.host)
    prepare(settings)
    log = settings.home / "server.log"
    with _stoppable() as from_now_on, log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

        def answering() -> None:
            _wait(process, settings, log)
            keep_requests_inside(settings)

        try:
            from_now_on()
            yield answering
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def keep_requests_inside(settings: Settings) -> None:
    """Forbid the UI's pages, in themselves, to ask any other host for anything.

    Prefect's UI looks up an analytics service when it loads, whatever the settings say.
    """
    policy = '<meta http-equiv="Content-Security-Policy" content="connect-src \'self\'">'
    for page in (settings.prefect_home / "ui").glob("*/index.html"):
        content = page.read_text(encoding="utf-8")
        if policy not in content:
            page.write_text(content.replace("<head>", f"<head>{policy}", 1), encoding="utf-8")


@contextmanager
def _stoppable() -> Iterator[Callable[[], None]]:
    # Left to itself, Python would die at once of either signal and leave the server behind; so it
    # would of one that comes while the server is being started, and waits for the yielded call.
    signals = (signal.SIGTERM, signal.SIGHUP)
    got: list[int] = []
    ready = False

    def stop(number: int, _: object) -> None:
        got.append(number)
        if ready:
            sys.exit(128 + number)

    def from_now_on() -> None:
        nonlocal ready
        ready = True
        if got:
            sys.exit(128 + got[0])

    before = [signal.signal(number, stop) for number in signals]
    try:
        yield from_now_on
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def refuse_taken_port(port: int, host: str = HOST) -> None:
    """Raise ServerRefused where something listens on the port already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
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
