"""The morning's sweep as a flow: what goes wrong with one thing keeps no alert from anybody."""

import sqlite3
from contextlib import closing
from datetime import date
from typing import Any

import pytest

pytestmark = pytest.mark.server


def test_a_broken_round_is_told_as_a_failed_run_after_everybody_got_their_mail(
    drawn: Any, prefect: Any
) -> None:
    from flows.obligation import sweep_deadlines

    with closing(sqlite3.connect(drawn.home / "shuangsuiji.db")) as database, database:
        database.execute("UPDATE inspection SET planned_on = '无' WHERE code = '2024-1-D01'")
    state = sweep_deadlines(date(2024, 7, 8), return_state=True)
    assert state.is_failed()
    assert "其余照常做完" in state.message
    rows = drawn.rows()
    assert [row["as_of"] for row in rows["sweep"]] == ["2024-07-08"]
    told = [row["mail_id"] for row in rows["alert"] if row["mail_id"]]
    assert told
    assert {row["state"] for row in rows["mail"] if row["id"] in told} == {"sent"}
