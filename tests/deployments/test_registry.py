"""What is served: every flow as a deployment, its schedule, its form."""

import inspect
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from calendars import WorkingCalendar
from models.base import SHANGHAI
from models.plan import Plan, PlannedRound

pytestmark = pytest.mark.server

# What runs by itself, with a schedule that creates runs even where no round is due.
SCHEDULED = {"轮次推进", "期限检查", "发信", "值守检查"}


@pytest.fixture(scope="module")
def soon(drill: Plan) -> Plan:
    """The plan with rounds that open in a few days and in three weeks, and one of last week."""
    today = datetime.now(SHANGHAI).date()
    rounds = tuple(
        drill.rounds[0].model_copy(
            update={"number": number, "opens_on": today + timedelta(days=days)}
        )
        for number, days in enumerate((3, 21, -10), start=1)
    )
    return drill.model_copy(update={"rounds": rounds})


@pytest.fixture(scope="module")
def served(server: Any, soon: Plan) -> Any:
    """Every deployment as the server knows it, by name; taken back after these tests."""
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    from deployments.registry import deployments

    made = [deployment.apply() for deployment in deployments([soon])]
    with get_client(sync_client=True) as client:
        yield {one.name: one for one in map(client.read_deployment, made)}
        for number in made:
            with suppress(ObjectNotFound):  # where a slow answer made the client ask twice
                client.delete_deployment(number)


@pytest.fixture(scope="module")
def scheduled(served: Any) -> dict[str, list[Any]]:
    """The runs that the server's scheduler has made by itself, by deployment."""
    from prefect.client.orchestration import get_client

    until = time.monotonic() + 30
    with get_client(sync_client=True) as client:
        while True:
            runs = client.read_flow_runs()
            found = {
                name: [run for run in runs if run.deployment_id == served[name].id]
                for name in served
            }
            if all(found[name] for name in SCHEDULED) or time.monotonic() > until:
                return found
            time.sleep(0.5)


def test_every_deployment_is_there_under_its_chinese_name(served: Any) -> None:
    from deployments.registry import FORMS

    assert set(served) == SCHEDULED | {form.name for form in FORMS}
    assert all(chinese(one.name) and chinese(one.description) for one in served.values())


def test_entrypoints_are_modules_and_no_deployment_waits_for_a_work_pool(served: Any) -> None:
    for name, one in served.items():
        assert one.entrypoint.startswith("flows."), name
        assert ":" not in one.entrypoint, name
        assert not one.paused, name


def test_a_schedule_really_creates_runs_at_their_time_in_shanghai(
    scheduled: dict[str, list[Any]],
) -> None:
    mornings = [run.expected_start_time.astimezone(SHANGHAI) for run in scheduled["期限检查"]]
    assert len(mornings) >= 3
    assert {(at.hour, at.minute) for at in mornings} == {(8, 30)}
    assert all(at > datetime.now(UTC) for at in mornings)
    minutes = [run.expected_start_time.minute for run in scheduled["发信"]]
    assert minutes
    assert all(minute % 10 == 0 for minute in minutes)


def test_each_round_to_come_is_opened_once_by_itself_and_none_that_is_past(
    scheduled: dict[str, list[Any]], soon: Plan
) -> None:
    from deployments.registry import opening

    opened = {
        run.parameters["round_code"]: run.expected_start_time.astimezone(SHANGHAI)
        for run in scheduled["轮次推进"]
    }
    assert len(scheduled["轮次推进"]) == 2
    assert {code: at.replace(tzinfo=None) for code, at in opened.items()} == {
        soon.round_code(planned.number): opening(planned, WorkingCalendar.china())
        for planned in soon.rounds[:2]
    }
    assert all(run.state.is_scheduled() for run in scheduled["轮次推进"])


def test_forms_run_only_when_somebody_sends_them(scheduled: dict[str, list[Any]]) -> None:
    assert {name for name, runs in scheduled.items() if runs} == SCHEDULED


@pytest.mark.parametrize(
    ("opens_on", "expected"),
    [
        pytest.param(date(2024, 6, 25), date(2024, 6, 25), id="a working day"),
        pytest.param(date(2024, 6, 29), date(2024, 7, 1), id="a Saturday"),
        pytest.param(date(2024, 9, 14), date(2024, 9, 14), id="a make-up Saturday"),
        pytest.param(date(2024, 10, 1), date(2024, 10, 8), id="a holiday week"),
        pytest.param(date(2024, 10, 12), date(2024, 10, 12), id="its make-up Saturday"),
        pytest.param(date(2024, 10, 13), date(2024, 10, 14), id="the Sunday after it"),
    ],
)
def test_a_round_opens_at_nine_on_its_day_or_the_next_working_day(
    opens_on: date, expected: date
) -> None:
    from deployments.registry import opening

    planned = PlannedRound(number=1, opens_on=opens_on, visits_from=opens_on, ends_on=opens_on)
    at = opening(planned, WorkingCalendar.china())
    assert (at.date(), at.hour, at.minute) == (expected, 9, 0)


def test_every_form_opens_with_chinese_labels_and_help(served: Any, prefect: Any) -> None:
    from deployments.forms import HIDDEN
    from deployments.registry import FORMS

    for form in FORMS:
        answer = prefect._client.get(f"/deployments/name/{form.name}/{form.name}")
        schema = answer.raise_for_status().json()["parameter_openapi_schema"]
        fields = schema["properties"]
        assert list(fields) == [
            name for name in inspect.signature(form.fn).parameters if name != HIDDEN
        ], form.name
        assert [field for field in fields.values() if not chinese(field["title"])] == [], form.name
        for model in schema.get("definitions", {}).values():
            labels = list(model.get("properties", {}))
            assert [label for label in labels if not chinese(label)] == [], form.name


def chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)
