"""Who reaches the server, and with what; and that its pages ask nobody else for anything."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deployments import server
from deployments.server import ServerRefused, environment, is_local, refuse_open_door
from models.settings import Settings


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.1.2.3", False),
        ("inspection.weidong.example", False),
    ],
)
def test_only_the_machine_itself_counts_as_local(host: str, local: bool) -> None:
    assert is_local(host) is local


def settings(tmp_path: Path, host: str = "127.0.0.1") -> Settings:
    return Settings(home=tmp_path, host=host, port=4321)


@pytest.mark.parametrize(
    "password", ["", "coordinator", "coordinator:", "coordinator:short", ":long-enough-password"]
)
def test_nobody_else_reaches_a_server_without_a_good_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv(server.PASSWORD, password)
    refuse_open_door(settings(tmp_path))
    with pytest.raises(ServerRefused) as refused:
        refuse_open_door(settings(tmp_path, "10.1.2.3"))
    assert str(refused.value).startswith(
        "SHUANGSUIJI_HOST=10.1.2.3 会让其他机器访问本服务，须先设口令"
    )
    assert "\n" not in str(refused.value)


def test_the_door_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(server.PASSWORD, raising=False)
    with pytest.raises(ServerRefused), server.running(settings(tmp_path, "0.0.0.0")):
        pass
    assert list(tmp_path.iterdir()) == []


def test_with_a_password_others_reach_it_and_csrf_protection_is_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(server.PASSWORD, "coordinator:long-enough-password")
    monkeypatch.setenv("PREFECT_SERVER_CSRF_PROTECTION_ENABLED", "false")
    refuse_open_door(settings(tmp_path, "10.1.2.3"))
    found = environment(settings(tmp_path, "10.1.2.3"))
    assert found["PREFECT_SERVER_API_HOST"] == "10.1.2.3"
    assert found["PREFECT_API_URL"] == "http://10.1.2.3:4321/api"
    assert found["PREFECT_API_AUTH_STRING"] == "coordinator:long-enough-password"
    assert found["PREFECT_SERVER_CSRF_PROTECTION_ENABLED"] == "true"


def test_a_server_that_listens_everywhere_is_addressed_by_the_machine_s_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getfqdn", lambda: "office.example")
    assert server.ui_url(settings(tmp_path, "0.0.0.0")) == "http://office.example:4321/v2"


def test_a_machine_without_a_name_for_others_is_addressed_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getfqdn", lambda: "localhost")
    host = urlsplit(server.ui_url(settings(tmp_path, "0.0.0.0"))).hostname
    assert host == "localhost" or not is_local(host)
    assert server.environment(settings(tmp_path, "0.0.0.0"))["PREFECT_UI_API_URL"] == "/api"


def test_pages_may_ask_their_own_server_alone(tmp_path: Path) -> None:
    pages = [tmp_path / "prefect" / "ui" / ui / "index.html" for ui in ("v1", "v2")]
    for page in pages:
        page.parent.mkdir(parents=True)
        page.write_text("<html><head><title>Prefect</title></head></html>", encoding="utf-8")
    for _ in range(2):
        server.keep_requests_inside(settings(tmp_path))
    for page in pages:
        content = page.read_text(encoding="utf-8")
        assert content.count("Content-Security-Policy") == 1
        assert "connect-src 'self'\"" in content


def test_no_telephone_home_is_left_on(tmp_path: Path) -> None:
    found = environment(settings(tmp_path))
    assert found["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert found["PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT"] == "false"
    assert found["DO_NOT_TRACK"] == "1"
    assert "PREFECT_API_AUTH_STRING" not in found
    assert os.environ.get("PREFECT_API_URL", "").startswith("http://127.0.0.1:")
