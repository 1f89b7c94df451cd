"""`shuangsuiji serve`: server, deployments and runner, as an office runs it.

It is stopped here: this is the last file by name of those that share it.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.server, pytest.mark.service]

STOPS_WITHIN_SECONDS = 20


def test_a_wrong_entry_is_sent_back_with_a_reason_in_chinese(
    service: Any, sheet: Callable[..., Any]
) -> None:
    entry = sheet("2024-1-X99").model_dump(mode="json", by_alias=True)
    run = service.send("登记检查结果", {"entries": [entry], "as_of": "2024-07-09"})
    assert (run.state.type.value, run.state.name) == ("FAILED", "退回补正")
    assert run.state.message.startswith("没有检查编号“2024-1-X99”，应如 2024-1-D03")


def test_a_right_entry_stands_and_is_followed_by_a_pass(
    service: Any, sheet: Callable[..., Any]
) -> None:
    entry = sheet("2024-2-D01", ended_on=date(2024, 12, 2)).model_dump(mode="json", by_alias=True)
    assert entry["检查编号"] == "2024-2-D01"
    run = service.send("登记检查结果", {"entries": [entry]})
    assert (run.state.type.value, run.state.name) == ("COMPLETED", "已登记"), run.state.message
    number = service.deployment("轮次推进").id

    def passed() -> list[Any]:
        runs = [one for one in service.client.read_flow_runs() if one.deployment_id == number]
        return [one for one in runs if one.state.is_final() and one.name.startswith("2024-2 · ")]

    made = service.until(passed)[0]
    assert made.start_time > run.start_time
    assert {"2024-2", "当前"} <= set(made.tags)
    assert made.state.is_completed()
    published = service.home / "publications" / "2024-2" / "yjglj.json"
    assert len(json.loads(published.read_text(encoding="utf-8"))) == 1


def test_a_stop_leaves_no_process_and_no_paused_deployment(service: Any) -> None:
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
