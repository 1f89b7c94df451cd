"""Opening a round before its day, and trying a sweep out."""

from datetime import date, datetime, time
from typing import Any

import pytest

from models.base import SHANGHAI
from models.entry import EntryRefused
from tasks import draw
from tasks.opening import open_early
from tasks.round import UnknownRound


def at(day: date) -> datetime:
    return datetime.combine(day, time(9), tzinfo=SHANGHAI)


def test_a_round_opened_early_is_frozen_on_that_day(drawn: Any) -> None:
    day = date(2024, 10, 15)
    assert draw.freeze_draws("2024-2", at(day)) == []
    assert not [row for row in drawn.rows()["draw"] if row["round_id"] == 2 and row["frozen_at"]]
    assert open_early("2024-2", "统一部署", "王主任", at(day)) == "2024-2"
    assert draw.freeze_draws("2024-2", at(day)) == []
    frozen = [row for row in drawn.rows()["draw"] if row["round_id"] == 2 and row["frozen_at"]]
    assert len(frozen) == 4
    due = {
        str(row["due_on"])
        for row in drawn.rows()["obligation"]
        if row["duty"] == "draw" and row["object"].startswith("2024-2")
    }
    assert due == {"2024-10-15"}


@pytest.mark.parametrize(
    ("code", "day", "why"),
    [
        ("2024-1", date(2024, 7, 1), "轮次 2024-1 已于 2024-06-25 开启，无须提前"),
        ("2024-2", date(2024, 11, 11), "开始日 2024-11-11 已到，会自行开启"),
        ("2024-2", date(2024, 6, 24), "检查时间自 2024-06-25 起"),
    ],
)
def test_nothing_is_opened_early_that_needs_not_or_must_not_be(
    drawn: Any, code: str, day: date, why: str
) -> None:
    before = drawn.rows()
    with pytest.raises(EntryRefused, match=why):
        open_early(code, "统一部署", "王主任", at(day))
    assert drawn.rows() == before


def test_an_unknown_round_is_not_opened(drawn: Any) -> None:
    with pytest.raises(UnknownRound, match="没有轮次“2023-1”"):
        open_early("2023-1", "统一部署", "王主任", at(date(2024, 7, 1)))
