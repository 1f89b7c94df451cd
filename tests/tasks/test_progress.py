"""Progress: a round in figures that do not hide what is late, nor tell who was drawn."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from models.base import SHANGHAI
from models.database import reading
from models.draw import Draw
from models.inspection import Inspection
from tasks.inspection import drop_inspection, record_inspections
from tasks.progress import progress
from tasks.round import UnknownRound

ROUND, CODE = "2024-1", "2024-1-D01"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}T09:00").replace(tzinfo=SHANGHAI)


def day(text: str) -> date:
    return at(text).date()


@pytest.mark.usefixtures("office")
def test_a_round_that_is_not_open_waits_to_be_drawn() -> None:
    figures = progress(ROUND, day("06-24"))
    assert [(each.grade, each.state, each.digest) for each in figures.draws] == [
        (grade, "已承诺", "") for grade in "ABCD"
    ]
    assert figures.stage == ("抽取", 0, 4)
    assert (figures.opened_on, figures.inspections, figures.overdue) == (None, 0, 0)


@pytest.mark.usefixtures("drawn")
def test_a_drawn_round_stands_at_the_first_duty_that_is_open() -> None:
    figures = progress(ROUND, day("06-25"))
    assert figures.duties["draw"].met == 4
    assert figures.stage == ("告知", 0, figures.inspections)
    assert figures.inspections == sum(each.count for each in figures.draws)
    assert {each.state for each in figures.draws} == {"已封存"}


@pytest.mark.usefixtures("drawn")
def test_inspected_given_up_and_still_to_do_add_up(sheet: Callable[..., Any]) -> None:
    record_inspections([sheet(CODE), sheet(CODE, "scjgj")], at("07-10"))
    drop_inspection("2024-1-D02", "停产", "局长", "批1号", day("07-10"), at("07-10"))
    figures = progress(ROUND, day("07-10"))
    assert (figures.inspected, figures.dropped) == (1, 1)
    inspect = figures.duties["inspect"]
    assert (inspect.met, inspect.done) == (1, 2)
    assert inspect.open == inspect.total - 2 == figures.inspections - 2
    assert figures.duties["publish"].total == 2


@pytest.mark.usefixtures("drawn")
def test_overdue_begins_the_day_after_and_late_ones_stay_counted(
    sheet: Callable[..., Any],
) -> None:
    def record(on: str) -> tuple[int, int]:
        duties = progress(ROUND, day(on)).duties["record"]
        return duties.overdue, duties.late

    # The first visits are on 8 July, their records due on the 11th.
    first = [i for i in inspections() if i.planned_on == day("07-08")]
    assert first
    assert record("07-11") == (0, 0)
    assert record("07-12") == (2 * len(first), 0)
    entries = [
        sheet(first[0].code, department, ended_on=day("07-08"), recorded_on=day("07-12"))
        for department in ("yjglj", "scjgj")
    ]
    record_inspections(entries, at("07-12"))
    assert record("07-12") == (2 * len(first) - 2, 2)
    assert progress(ROUND, day("07-12")).ever_overdue >= 2


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(("on", "soon"), [("09-22", False), ("09-23", True), ("09-30", True)])
def test_what_falls_due_within_a_week_is_soon(on: str, soon: bool) -> None:
    assert bool(progress(ROUND, day(on)).duties["inspect"].soon) is soon


@pytest.mark.usefixtures("drawn")
def test_the_figures_name_no_subject_no_secret_and_no_seed() -> None:
    told = str(asdict(progress(ROUND, day("07-01"))))
    with reading() as session:
        draws = session.scalars(select(Draw)).all()
    for inspection in inspections():
        assert inspection.name not in told
        assert inspection.subject_code not in told
        assert not [m for m in inspection.team if m.name in told or m.certificate in told]
    hidden = [each.secret for each in draws] + [each.seed for each in draws if each.seed]
    assert len(hidden) == 12
    assert not [value for value in hidden if value in told]


@pytest.mark.usefixtures("office")
def test_an_unknown_round_has_no_progress() -> None:
    with pytest.raises(UnknownRound, match="没有轮次“2024-9”"):
        progress("2024-9", day("06-24"))


def inspections() -> list[Inspection]:
    with reading() as session:
        return list(session.scalars(select(Inspection).order_by(Inspection.id)))
