"""Suspected crime through the flows: entered, alerted and mailed on a Saturday."""

from datetime import date, datetime
from typing import Any

import pytest

from models.base import SHANGHAI
from models.crime import CrimeEntry
from tasks.crime import enter_crimes

pytestmark = pytest.mark.server
SATURDAY = date(2024, 7, 13)
REPORT = {
    "检查编号": "2024-1-D01",
    "部门": "区应急管理局",
    "报告送达时间": "2024-07-12 16:30",
    "承办人": ["张三", "李四"],
    "录入人": "张三",
}


def urgent_mails(office: Any) -> list[tuple[str, str]]:
    return [
        (row["key"].split(":")[3], row["state"])
        for row in office.rows()["mail"]
        if row["kind"] == "urgent"
    ]


def test_on_a_saturday_a_report_is_alerted_at_once_and_mailed_by_the_next_run(
    recorded: Any, prefect: Any
) -> None:
    from flows.crime import enter_crime
    from flows.obligation import sweep_deadlines

    waiting = {row["id"]: row["state"] for row in recorded.rows()["mail"]}
    state = enter_crime([REPORT], as_of=SATURDAY, return_state=True)
    assert (state.name, state.message) == ("已登记", "2024-1")
    assert urgent_mails(recorded) == [("start", "pending")]
    swept = sweep_deadlines(SATURDAY, return_state=True)
    assert swept.name == "非工作日"
    assert urgent_mails(recorded) == [("start", "sent")]
    after = {row["id"]: row["state"] for row in recorded.rows()["mail"]}
    assert {number: after[number] for number in waiting} == waiting  # a day off for all others
    sweep_deadlines(SATURDAY, return_state=True)
    assert urgent_mails(recorded) == [("start", "sent")]
    assert [row for row in recorded.rows()["sweep"] if row["as_of"] == str(SATURDAY)] == []


def test_the_sender_makes_and_sends_what_has_fallen_due(recorded: Any, prefect: Any) -> None:
    from flows.obligation import deliver_outbox

    at = datetime(2024, 7, 12, 16, 40, tzinfo=SHANGHAI)
    enter_crimes([CrimeEntry.model_validate(REPORT)], at)
    assert urgent_mails(recorded) == []
    assert deliver_outbox(return_state=True).name == "已发信"
    (level, state), *others = urgent_mails(recorded)
    assert (level.split("-")[0], state) == ("daily", "sent")
    assert others == [(level, "sent")]  # the coordinator's
