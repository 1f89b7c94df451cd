"""What a stage costs in calls to Prefect, counted on their way to a real server."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, update

from models import fiction
from models.database import writing
from models.inspection import Inspection
from models.paper import RecordSheet
from models.paper_file import PaperFile
from models.plan import Plan
from models.round import Round
from tasks.steps import tell

pytestmark = pytest.mark.server

OPENING, NEXT_DAY = date(2024, 6, 25), date(2024, 6, 26)

Calls = list[str]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Every call of Prefect's API from this process, but for logs, which go in batches."""
    made: Calls = []

    def listen(kind: type[httpx.Client] | type[httpx.AsyncClient]) -> None:
        send = kind.send

        def counted(client: Any, request: httpx.Request, **options: Any) -> Any:
            if not request.url.path.endswith(("/logs/", "/csrf-token")):
                made.append(f"{request.method} {re.sub('[0-9a-f-]{36}', 'id', request.url.path)}")
            return send(client, request, **options)

        monkeypatch.setattr(kind, "send", counted)

    listen(httpx.Client)
    listen(httpx.AsyncClient)
    return made


def drawn_round(registered: Any, home: Path, plan: Plan, inspections: int, draw: Any) -> Any:
    """An office with a round of so many inspections, all but 20 not to be told, papers filed."""
    office = type(registered)(home, f"sqlite:///{home / 'shuangsuiji.db'}")
    everyone = plan.grades[3].model_copy(update={"ratio": Decimal(100), "reason": "专项整治"})
    rounds = tuple(one.model_copy(update={"visits_per_day": 50}) for one in plan.rounds)
    grades = (*plan.grades[:3], everyone)
    subjects = fiction.subjects(2024, {"D": inspections}, as_of=date(2024, 6, 20))
    office.register(
        plan.model_copy(update={"grades": grades, "rounds": rounds}),
        [subject.model_copy(update={"status": "在营"}) for subject in subjects],
    )
    with office.here():
        draw("2024-1", OPENING)
        with writing() as session:
            rest = session.execute(select(Inspection.id, Inspection.code).offset(20)).all()
            session.execute(
                update(Inspection)
                .where(Inspection.id.in_([number for number, _ in rest]))
                .values(unannounced=True)
            )
            papers = [
                {
                    "round_id": session.scalars(select(Round.id)).first(),
                    "kind": RecordSheet.kind,
                    "object": code,
                    "version": 0,
                    "path": code,
                    "sha256": "",
                    "made_on": OPENING,
                }
                for _, code in rest
            ]
            if papers:
                session.execute(insert(PaperFile), papers)
    return office


def test_a_pass_over_2000_inspections_calls_prefect_no_more_than_one_over_20(
    registered: Any, drill: Plan, prefect: Any, calls: Calls, drawing: Any, tmp_path: Path
) -> None:
    from flows.round import run_round

    few = drawn_round(registered, tmp_path / "few", drill, 20, drawing)
    first = few.copy(tmp_path / "first")  # the first pass of all makes the pages
    many = drawn_round(registered, tmp_path / "many", drill, 2000, drawing)
    cost = []
    for office, inspections in ((first, 20), (few, 20), (many, 2000)):
        with office.here():
            calls.clear()
            run_round("2024-1", as_of=NEXT_DAY)
            cost.append(list(calls))
        rows = office.rows()
        assert (len(rows["inspection"]), len(rows["notice"])) == (inspections, 20)
    assert cost[2] == cost[1]
    assert 10 < len(cost[1]) < 40


@pytest.mark.parametrize(("things", "times"), [(19, 0), (20, 4), (21, 4), (2000, 4)])
def test_progress_is_shown_as_often_however_much_there_is_to_do(
    things: int, times: int, prefect: Any, calls: Calls
) -> None:
    from prefect import flow

    from flows.stage import stage

    def work() -> None:
        for done in range(1, things + 1):
            tell("逐件", done, things)

    one = stage("制作", work)
    flow(name="制作", persist_result=False)(lambda: one())()
    assert sum("/artifacts/" in call for call in calls) == times
    shown = prefect._client.post("/artifacts/filter", json={}).json()
    texts = [one["description"] for one in shown if one["type"] == "progress"]
    assert texts.count(f"逐件 {things}/{things}") == (times > 0)


def test_a_pass_that_was_asked_for_and_has_not_begun_is_not_asked_for_again(prefect: Any) -> None:
    from prefect import flow
    from prefect.context import FlowRunContext
    from prefect.states import Running

    from deployments.registry import deployments
    from flows.stage import RUN_ROUND, ask_for_pass

    (number,) = [made.apply() for made in deployments([]) if made.name == RUN_ROUND]

    @flow(name="登记", persist_result=False)
    def enter(code: str, key: str) -> None:
        context = FlowRunContext.get()
        assert context
        assert context.flow_run
        context.flow_run.deployment_id = number  # as where it is served
        ask_for_pass(code, key)

    def asked(code: str) -> list[Any]:
        return [run for run in prefect.read_flow_runs() if code in run.tags]

    for code, key in (("2024-1", "first"), ("2024-1", "second"), ("2024-2", "first")):
        enter(code, key)
    (waiting,) = asked("2024-1")
    assert len(asked("2024-2")) == 1
    prefect.set_flow_run_state(waiting.id, Running(), force=True)
    enter("2024-1", "third")
    assert len(asked("2024-1")) == 2
