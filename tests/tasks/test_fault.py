import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from models.base import SHANGHAI
from models.database import reading, writing
from models.obligation import Obligation
from models.round import Round
from tasks.duty import update_all_duties
from tasks.fault import Faults


def test_nothing_wrong_tells_nothing() -> None:
    faults = Faults()
    with faults.kept():
        pass
    faults.tell()


def test_each_fault_waits_until_all_is_done() -> None:
    faults, done = Faults(), []
    for number in range(4):
        with faults.kept():
            if number % 2:
                raise ValueError(f"{number}")
            done.append(number)
    assert done == [0, 2]
    with pytest.raises(ExceptionGroup) as told:
        faults.tell()
    assert [str(fault) for fault in told.value.exceptions] == ["1", "3"]


def end_by(last: BaseException) -> None:
    with Faults() as faults:
        with faults.kept():
            raise ValueError("kept")
        raise last


def test_what_ends_all_of_it_early_is_told_beside_what_was_kept() -> None:
    with pytest.raises(ExceptionGroup) as told:
        end_by(OSError("last"))
    assert [str(fault) for fault in told.value.exceptions] == ["kept", "last"]
    with pytest.raises(OSError, match="alone"), Faults():
        raise OSError("alone")
    with pytest.raises(KeyboardInterrupt):
        end_by(KeyboardInterrupt())


def test_a_process_that_is_to_stop_stops() -> None:
    with pytest.raises(KeyboardInterrupt), Faults().kept():
        raise KeyboardInterrupt


def test_a_broken_round_keeps_no_other_from_its_duties(
    drawn: Any, drawing: Callable[[str, date], None]
) -> None:
    drawing("2024-2", date(2024, 11, 11))
    second = select(Round.id).where(Round.code == "2024-2").scalar_subquery()
    owed = select(func.count()).where(Obligation.round_id == second)
    with writing() as session:
        before = session.scalar(owed)
        session.execute(delete(Obligation).where(Obligation.round_id == second))
    with closing(sqlite3.connect(drawn.home / "shuangsuiji.db")) as database, database:
        database.execute("UPDATE inspection SET planned_on = '无' WHERE code = '2024-1-D01'")
    with pytest.raises(ExceptionGroup, match="其余照常做完") as told:
        update_all_duties(datetime(2024, 11, 12, 9, tzinfo=SHANGHAI))
    assert len(told.value.exceptions) == 1
    with reading() as session:
        assert session.scalar(owed) == before != 0
