"""The agenda: on which days something is due, so that the days between can be skipped."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from models.base import SHANGHAI
from models.database import writing
from models.inspection import Inspection
from models.obligation import Obligation
from models.plan import Plan
from models.round import Round
from tasks import agenda, draw
from tasks.inspection import record_inspections
from tasks.mail import deliver
from tasks.plan import load_plan
from tasks.round import begin_pass


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}T09:00").replace(tzinfo=SHANGHAI)


def day(text: str) -> date:
    return at(text).date()


def change(table: type[Any], **values: Any) -> None:
    with writing() as session:
        session.execute(update(table).values(**values))


def test_without_a_plan_nothing_is_due(database: Path) -> None:
    assert (agenda.round_codes(), agenda.any_open()) == ([], False)
    assert agenda.rounds_with_work(day("06-25")) == []
    assert agenda.next_days(day("06-25")) == []
    assert not agenda.alerts_due(day("06-25"))
    assert agenda.mails_sent() == 0


@pytest.mark.usefixtures("office")
def test_a_round_has_work_from_the_day_it_opens() -> None:
    assert agenda.round_codes() == ["2024-1", "2024-2"]
    assert agenda.any_open()
    assert agenda.rounds_with_work(day("06-24")) == []
    assert agenda.rounds_with_work(day("06-25")) == ["2024-1"]
    assert day("06-25") in agenda.next_days(day("06-20"))
    assert day("11-11") in agenda.next_days(day("06-25"))


def test_a_round_that_opens_on_a_day_off_has_work_on_the_next_working_day(
    database: Path, drill: Plan
) -> None:
    first = drill.rounds[0].model_copy(update={"opens_on": day("06-29")})  # a Saturday
    load_plan(drill.model_copy(update={"rounds": (first, drill.rounds[1])}), at("06-20"))
    assert agenda.rounds_with_work(day("06-30")) == []
    assert agenda.rounds_with_work(day("07-01")) == ["2024-1"]


@pytest.mark.usefixtures("drawn")
def test_notices_are_due_a_working_day_after_the_draw() -> None:
    begin_pass("2024-1", at("06-25"), "一")
    assert agenda.rounds_with_work(day("06-25")) == []
    assert agenda.rounds_with_work(day("06-26")) == ["2024-1"]
    assert day("06-26") in agenda.next_days(day("06-25"))
    change(Inspection, unannounced=True)
    assert agenda.rounds_with_work(day("06-26")) == []


@pytest.mark.usefixtures("drawn")
def test_what_people_entered_calls_for_a_pass_until_there_was_one(
    sheet: Callable[..., Any],
) -> None:
    change(Inspection, unannounced=True)
    begin_pass("2024-1", at("06-25"), "一")
    record_inspections([sheet("2024-1-D01")], at("07-10"))
    assert agenda.rounds_with_work(day("07-10")) == ["2024-1"]
    begin_pass("2024-1", at("07-10"), "二")
    assert agenda.rounds_with_work(day("07-10")) == []


@pytest.mark.usefixtures("drawn")
def test_the_next_alert_is_a_day_on_the_agenda() -> None:
    change(Obligation, next_alert_on=day("08-01"))
    assert day("08-01") in agenda.next_days(day("07-31"))
    assert not agenda.alerts_due(day("07-31"))
    assert agenda.alerts_due(day("08-01"))
    change(Obligation, met_on=day("07-01"))
    assert not agenda.alerts_due(day("08-01"))


@pytest.mark.usefixtures("drawn")
def test_closed_rounds_are_off_the_agenda() -> None:
    change(Round, closed_on=day("09-01"))
    assert not agenda.any_open()
    assert agenda.rounds_with_work(day("12-31")) == []


def test_a_draw_whose_digest_is_still_in_the_outbox_waits_to_be_sealed(office: Any) -> None:
    assert agenda.rounds_to_seal() == []
    draw.freeze_draws("2024-1", at("06-25"))
    assert agenda.rounds_to_seal() == ["2024-1"]
    deliver(at("06-25"))
    draw.seal_draws("2024-1", at("06-25"))
    assert agenda.rounds_to_seal() == []


@pytest.mark.usefixtures("drawn")
def test_on_a_day_off_only_what_runs_by_the_clock_is_due() -> None:
    saturday = day("07-13")
    assert agenda.alerts_due(day("07-12"))
    assert not agenda.alerts_due(saturday)
    change(Obligation, next_alert_at=datetime(2024, 7, 13, 23, 59, tzinfo=SHANGHAI))
    assert agenda.alerts_due(saturday)
    assert agenda.next_urgent_days(day("07-12")) == [saturday]
    assert agenda.next_urgent_days(saturday) == []
