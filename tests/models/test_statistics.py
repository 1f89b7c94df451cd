"""The figures that offices are judged by."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.statistics import Inspections, Rate, Statistics, Tally, statistics


def tally(**changes: Any) -> Tally:
    given: dict[str, Any] = {
        "round": "2024-1",
        "department": "区应急管理局",
        "duty": "publish",
        "total": 0,
        "on_time": 0,
        "late": 0,
    }
    return Tally(**(given | changes))


def rates(*tallies: Tally, inspections: tuple[Inspections, ...] = ()) -> dict[str, str]:
    found = statistics("2024-1", tallies, inspections, planned_rounds=2)
    return {rate.name: f"{rate.part}/{rate.whole}" for rate in found.rates}


def test_all_published_may_hide_that_half_was_late() -> None:
    found = rates(tally(total=4, on_time=2, late=2))
    assert (found["公示率"], found["按时公示率"]) == ("4/4", "2/4")


def test_what_needs_no_publication_any_more_is_not_counted_as_missing() -> None:
    found = rates(tally(total=4, on_time=3, closed=1))
    assert (found["公示率"], found["按时公示率"]) == ("3/3", "3/3")


def test_departments_are_added_up() -> None:
    other = tally(department="区市场监督管理局", duty="refer", total=3, on_time=1, late=1)
    found = rates(tally(duty="refer", total=1, on_time=1), other)
    assert found["移送按时率"] == "2/4"


def test_follow_ups_closed_late_are_closed_all_the_same() -> None:
    assert rates(tally(duty="follow_up", total=3, on_time=1, late=1))["后续处置完结率"] == "2/3"


def test_an_inspection_given_up_stays_to_be_carried_out() -> None:
    found = rates(inspections=(Inspections(10, 8, 2, drawn=True),))
    assert found["检查完成率"] == "8/10"


@pytest.mark.parametrize(
    ("rounds", "share"),
    [
        ((Inspections(10, 8, 2, True), Inspections(5, 4, 0, True)), "1/2"),
        ((Inspections(10, 8, 1, True),), "0/2"),
        ((Inspections(0, 0, 0, False),), "0/2"),  # not drawn yet is not done
        ((Inspections(0, 0, 0, True), Inspections(3, 3, 0, True)), "2/2"),  # nobody to inspect
    ],
)
def test_a_round_is_carried_out_once_every_inspection_of_it_is_over(
    rounds: tuple[Inspections, ...], share: str
) -> None:
    assert rates(inspections=rounds)["计划完成率"] == share


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, "—"), (0, 3, "0.0%"), (2, 3, "66.6%"), (1999, 2000, "99.9%"), (3, 3, "100.0%")],
)
def test_a_hundred_percent_is_shown_for_all_of_it_alone(part: int, whole: int, shown: str) -> None:
    assert Rate("", "", part, whole).percent == shown


def test_each_department_has_its_row_in_each_stage() -> None:
    found = statistics(
        "2024",
        [
            tally(total=5, on_time=2, late=1, closed=1, overdue=1),
            tally(round="2024-2", total=3, on_time=3),
            tally(duty="record", total=1),
        ],
        [],
        1,
    )
    assert [tuple(vars(row).values()) for row in found.rows] == [
        ("区应急管理局", "publish", 5, 1, 1, 1, 1),
        ("区应急管理局", "record", 0, 0, 0, 1, 0),
    ]


counts = st.integers(0, 50)


@given(counts, counts, counts, counts)
def test_every_obligation_is_in_exactly_one_column(
    on_time: int, late: int, closed: int, left: int
) -> None:
    total = on_time + late + closed + left
    one = tally(total=total, on_time=on_time, late=late, closed=closed)
    found: Statistics = statistics("", [one], [], 1)
    row = found.rows[0]
    assert row.on_time + row.late + row.closed + row.open == total
    published, on_day = found.rates[2], found.rates[3]
    assert 0 <= on_day.part <= published.part <= published.whole
