"""The deadline board as plain values."""

import json
from datetime import date, datetime
from typing import Any

import pytest

from models.base import SHANGHAI
from models.board import Board, Cell, OpenDuty, RoundLine, ranked, without_addresses

DAY = date(2024, 8, 12)


def duty(**changes: Any) -> OpenDuty:
    given: dict[str, Any] = {
        "duty": "publish",
        "object": "2024-1-D01/yjglj",
        "round": "2024-1",
        "inspection": "2024-1-D01",
        "subject": "甲公司",
        "department": "区应急管理局",
        "person": "张三",
        "due_on": date(2024, 8, 6),
        "days": 4,
        "provisional": False,
        "suspended": False,
        "last_alert": "督办",
        "last_alert_on": date(2024, 8, 9),
        "next": "督办",
        "next_on": date(2024, 8, 13),
    }
    return OpenDuty(**(given | changes))


@pytest.mark.parametrize(
    ("cell", "state", "note"),
    [
        (Cell("publish"), "none", "未到"),
        (Cell("publish", total=4, done=4), "done", "已完成"),
        (Cell("publish", total=4, done=3, left=9), "open", "剩 9 日"),
        (Cell("publish", total=4, done=3, soon=1, left=2), "soon", "剩 2 日"),
        (Cell("publish", total=4, done=3, soon=1, left=0), "soon", "今天到期"),
        (Cell("publish", total=4, soon=3, overdue=1, left=-1), "overdue", "逾期 1 项"),
    ],
)
def test_the_worst_of_a_stage_decides_how_it_looks(cell: Cell, state: str, note: str) -> None:
    assert (cell.state, cell.note) == (state, note)


def test_who_is_late_with_what_is_told_longest_first() -> None:
    late = Board(
        DAY,
        datetime(2024, 8, 12, 9, tzinfo=SHANGHAI),
        overdue=(
            duty(),
            duty(object="2", days=1, due_on=date(2024, 8, 9)),
            duty(object="3", department="区市场监督管理局", days=9, due_on=date(2024, 7, 30)),
            duty(object="4", duty="refer", days=2),
        ),
    ).lateness()
    assert [(one.department, one.duty, one.count, one.days) for one in late] == [
        ("区市场监督管理局", "publish", 1, 9),
        ("区应急管理局", "publish", 2, 4),
        ("区应急管理局", "refer", 1, 2),
    ]
    assert late[1].due_on == date(2024, 8, 6)


def test_duties_are_ranked_by_their_due_day() -> None:
    first, second = duty(due_on=date(2024, 8, 1)), duty(object="2024-1-D02/yjglj")
    assert ranked([second, duty(), first]) == (first, duty(), second)


def test_the_board_is_plain_json() -> None:
    at = datetime(2024, 8, 12, 9, tzinfo=SHANGHAI)
    line = RoundLine("2024-1", "", None, (Cell("draw", 4, 4),))
    board = Board(DAY, at, rounds=(line,), overdue=(duty(),), lost_mails=2)
    found = json.loads(json.dumps(board.as_dict()))
    assert found["as_of"] == "2024-08-12"
    assert found["overdue"][0]["due_on"] == "2024-08-06"
    assert found["counts"] == {
        "overdue": 1,
        "soon": 0,
        "provisional": 0,
        "lost_mails": 2,
        "overdue_by_department": {"区应急管理局": 1},
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("550 <a.b@c.example>: no such user", "550 <（邮箱略）>: no such user"),
        ("邮箱地址无效：'张三@局'", "邮箱地址无效：'（邮箱略）'"),
        ("没有邮箱地址", "没有邮箱地址"),
    ],
)
def test_no_mail_address_gets_onto_the_board(text: str, shown: str) -> None:
    assert without_addresses(text) == shown
