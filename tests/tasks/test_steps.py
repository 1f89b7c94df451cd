"""Progress of long work."""

import pytest

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
