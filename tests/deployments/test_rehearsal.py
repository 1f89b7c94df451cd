"""Rehearsals: a home made afresh, and nothing of the office's ever touched."""

import os
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deployments import rehearsal
from deployments.server import HOST, ServerRefused
from models.settings import SHIPPED_PLAN, Settings

pytestmark = pytest.mark.server

# Seven inspections of the one round, three of them of grade D.
RATIOS = {"A": "1", "B": "1", "C": "1", "D": "10"}
INSPECTIONS, DEPARTMENTS = 7, 2


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
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped plan with its first round alone, and few subjects to be drawn."""
    text = SHIPPED_PLAN.read_text(encoding="utf-8")
    for grade, ratio in RATIOS.items():
        text, changed = re.subn(
            rf'(grade = "{grade}"\nfloor = )"\d+"\nratio = "\d+"',
            rf'\1"{ratio}"\nratio = "{ratio}"',
            text,
        )
        assert changed == 1
    text, changed = re.subn(r"\[\[rounds\]\]\nnumber = 2\n.*?\n\n", "", text, flags=re.DOTALL)
    assert changed == 1
    path = tmp_path_factory.mktemp("plan") / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def office_of(server: Settings, folder: Path) -> Iterator[Settings]:
    """An office with settings of its own, and what is left over of its last rehearsal."""
    (folder / "demo").mkdir(parents=True)
    (folder / "demo" / "left over").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearsal, "running", lambda _: nullcontext())
        patch.setattr(rehearsal, "refuse_taken_port", lambda _: None)
        patch.setattr("deployments.registry.deployments", lambda _: [])  # others serve theirs
        patch.setattr("deployments.registry.write_pages", lambda *_: None)
        for name, value in {
            "SHUANGSUIJI_HOME": str(folder),
            "SHUANGSUIJI_DATABASE_URL": f"sqlite:///{folder / 'office.db'}",
            "SHUANGSUIJI_SMTP_URL": "smtp://127.0.0.1:9",
            "PREFECT_LOGGING_LEVEL": "INFO",
        }.items():
            patch.setenv(name, value)
        yield Settings(port=server.port)


@pytest.fixture(scope="module")
def played(server: Settings, small: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A whole rehearsal on the shared server: the office's folder, and the summary."""
    folder = tmp_path_factory.mktemp("office")
    with office_of(server, folder) as settings:
        yield folder, rehearsal.rehearse(settings, small, quiet=True)


def rows(office: Path, question: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(office / "demo" / "shuangsuiji.db")) as database:
        return database.execute(question).fetchall()


def test_a_rehearsal_never_touches_the_database_of_the_office(played: Any) -> None:
    office, _ = played
    assert sorted(path.name for path in office.iterdir()) == ["demo"]
    assert (office / "demo" / "shuangsuiji.db").exists()


def test_its_mails_are_files_whatever_server_the_office_has(played: Any) -> None:
    office, summary = played
    assert len(list((office / "demo" / "mail").glob("*.eml"))) == summary["mails"] > 20


def test_it_begins_in_an_empty_home(played: Any) -> None:
    office, _ = played
    assert not (office / "demo" / "left over").exists()


def test_it_plays_the_round_from_its_own_registers(played: Any) -> None:
    office, _ = played
    assert {path.name for path in (office / "demo" / "registers").iterdir()} == {
        "检查对象.xlsx",
        "执法检查人员.xlsx",
    }
    assert len(list((office / "demo" / "papers" / "2024-1").rglob("*.docx"))) > INSPECTIONS


def test_one_result_is_corrected_once_it_is_public_and_made_public_anew(played: Any) -> None:
    office, _ = played
    owed = "SELECT object, started_on, due_on, met_on FROM obligation WHERE duty = 'republish'"
    [(object, noticed_on, due_on, public_on)] = rows(office, owed)
    assert object == "2024-1-D03/yjglj/2"
    assert noticed_on < public_on <= due_on
    versions = rows(
        office,
        "SELECT publication_id, number, published_on, "
        "json_extract(content, '$.details[0].raninsCheckResName') FROM publication_version "
        "WHERE publication_id IN (SELECT publication_id FROM publication_version WHERE number > 1)"
        " ORDER BY number",
    )
    (first, second) = versions
    assert (first[:2], second[:2]) == ((first[0], 1), (first[0], 2))
    assert first[2] < noticed_on
    assert second[2] == public_on
    assert (first[3], second[3]) == ("未发现问题", "合格")


def test_the_round_is_closed_all_the_same_and_counts_every_publication_once(played: Any) -> None:
    office, summary = played
    (round,) = summary["rounds"]
    [(closed_on,)] = rows(office, "SELECT closed_on FROM round")
    assert (round["inspections"], round["closed_on"]) == (INSPECTIONS, closed_on)
    assert round["publications"] == DEPARTMENTS * INSPECTIONS
    assert (
        rows(office, "SELECT object FROM obligation WHERE met_on IS NULL AND closed_on IS NULL")
        == []
    )


def test_a_rehearsal_that_does_not_end_says_so(
    server: Settings, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "LONGEST", timedelta(days=3))
    with (
        office_of(server, tmp_path / "office") as settings,
        pytest.raises(rehearsal.RehearsalStuck, match=r"^到 2024-06-25 仍有轮次没有办结$"),
    ):
        rehearsal.rehearse(settings, small, quiet=True)
