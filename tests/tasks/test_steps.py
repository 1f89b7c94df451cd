"""Progress of long work."""

from datetime import datetime
from typing import Any

import pytest

from models.base import SHANGHAI
from tasks.draw import freeze_draws, seal_draws
from tasks.mail import deliver
from tasks.steps import listening, steps


def test_each_step_is_told_once_it_is_done_with() -> None:
    told: list[object] = []
    with listening(lambda what, done, total: told.append(f"{what} {done}/{total}")):
        for item in steps("制作文书", ["甲", "乙"]):
            told.append(item)
    assert told == ["甲", "制作文书 1/2", "乙", "制作文书 2/2"]


def test_without_anybody_listening_the_work_is_done_all_the_same() -> None:
    assert list(steps("制作文书", [1, 2, 3])) == [1, 2, 3]


def test_work_that_fails_leaves_no_listener_behind() -> None:
    told: list[int] = []
    work = steps("制作文书", [1, 2])
    with pytest.raises(ZeroDivisionError), listening(lambda _, done, __: told.append(done)):
        1 / (next(work) - 1)
    assert list(steps("制作文书", [1])) == [1]
    assert told == []


def test_draws_are_told_by_subjects_and_mails_one_by_one(office: Any) -> None:
    at = datetime(2024, 6, 25, 9, tzinfo=SHANGHAI)
    assert freeze_draws("2024-1", at) == []
    told: list[tuple[str, int, int]] = []
    with listening(lambda what, done, total: told.append((what, done, total))):
        sent = deliver(at).sent
        seal_draws("2024-1", at)
    pool = sum(row["pool"] for row in office.rows()["draw"])
    assert told[:sent] == [("发信", number, sent) for number in range(1, sent + 1)]
    assert sent >= 12  # each department's head and the coordinator, of each of four freezes
    assert [what for what, _, _ in told[sent:]] == ["抽取"] * 4
    assert told[-1] == ("抽取", pool, pool)
