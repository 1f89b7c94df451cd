"""Rehearsals: a home made afresh, and nothing of the office's ever touched."""

import os
import socket
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployments import rehearsal
from deployments.server import HOST, ServerRefused
from models.settings import SHIPPED_PLAN, Settings

pytestmark = pytest.mark.server

FIRST_DAYS = timedelta(days=7)


def test_a_refused_rehearsal_leaves_the_last_one_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = tmp_path / "demo" / "summary.json"
    last.parent.mkdir()
    last.write_text("{}")
    monkeypatch.setattr(os, "environ", os.environ.copy())
    with socket.create_server((HOST, 0)) as foreign:
        settings = Settings(home=tmp_path, port=foreign.getsockname()[1])
        with pytest.raises(ServerRefused, match=r"^端口 \d+ 已被占用"):
            rehearsal.rehearse(settings, SHIPPED_PLAN, quiet=True)
    assert last.exists()


@pytest.fixture(scope="module")
def begun(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The first days of a rehearsal, on the shared server, in an office with settings of its own.

    It ends as one that goes on for too long.
    """
    office = tmp_path_factory.mktemp("office")
    (office / "demo").mkdir()
    (office / "demo" / "left over").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearsal, "running", lambda _: nullcontext())
        patch.setattr(rehearsal, "refuse_taken_port", lambda _: None)
        patch.setattr(rehearsal, "LONGEST", FIRST_DAYS)
        patch.setattr("deployments.registry.deployments", lambda _: [])
        for name, value in {
            "SHUANGSUIJI_HOME": str(office),
            "SHUANGSUIJI_DATABASE_URL": f"sqlite:///{office / 'office.db'}",
            "SHUANGSUIJI_SMTP_URL": "smtp://127.0.0.1:9",
            "PREFECT_LOGGING_LEVEL": "INFO",
        }.items():
            patch.setenv(name, value)
        with pytest.raises(rehearsal.RehearsalStuck) as stuck:
            rehearsal.rehearse(Settings(port=server.port), SHIPPED_PLAN, quiet=True)
        yield office, str(stuck.value)


def test_a_rehearsal_never_touches_the_database_of_the_office(begun: Any) -> None:
    office, _ = begun
    assert sorted(path.name for path in office.iterdir()) == ["demo"]
    assert (office / "demo" / "shuangsuiji.db").exists()


def test_its_mails_are_files_whatever_server_the_office_has(begun: Any) -> None:
    office, _ = begun
    assert len(list((office / "demo" / "mail").glob("*.eml"))) > 20


def test_it_begins_in_an_empty_home(begun: Any) -> None:
    office, _ = begun
    assert not (office / "demo" / "left over").exists()


def test_it_plays_the_round_from_its_own_registers(begun: Any) -> None:
    office, _ = begun
    assert {path.name for path in (office / "demo" / "registers").iterdir()} == {
        "检查对象.xlsx",
        "执法检查人员.xlsx",
    }
    assert len(list((office / "demo" / "papers" / "2024-1").rglob("*.docx"))) > 17


def test_a_rehearsal_that_does_not_end_says_so(begun: Any) -> None:
    _, said = begun
    day = date.fromisoformat(said.split()[1])
    assert said == f"到 {day} 仍有轮次没有办结"
    assert day > date(2024, 6, 20) + FIRST_DAYS
