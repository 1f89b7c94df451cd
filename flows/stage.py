"""What makes the plain functions of tasks/ into Prefect tasks, and asks for passes."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import StateType
from prefect.context import FlowRunContext, TaskRunContext
from prefect.deployments import run_deployment
from prefect.tasks import Task

from tasks.steps import listening

P = ParamSpec("P")
R = TypeVar("R")

RUN_ROUND = "轮次推进"
# Work on fewer things shows no progress, so that most passes show none; work on more shows it so
# many times, however much it is: a pass over 2,000 inspections calls Prefect as often as one of 20.
SHOWN_FROM = 20
SHOWN_TIMES = 4


def stage(name: str, function: Callable[P, R]) -> Task[P, R]:
    """`function` as a Prefect task of that Chinese name, never answered from a cache.

    The database is the only truth: a cached answer would be a stale one. Work on many things
    shows how far it is.
    """

    @wraps(function)
    def shown(*given: P.args, **named: P.kwargs) -> R:
        with listening(_Shown()):
            return function(*given, **named)

    return task(name=name, cache_policy=NO_CACHE, persist_result=False)(shown)


class _Shown:
    """Progress as artifacts of the run, one for each piece of its work."""

    def __init__(self) -> None:
        self._artifacts: dict[str, UUID] = {}
        self._quarters: dict[str, int] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        if total < SHOWN_FROM or TaskRunContext.get() is None:
            return
        quarter = SHOWN_TIMES * done // total
        if quarter <= self._quarters.get(what, 0):
            return
        self._quarters[what] = quarter
        percent, said = 100 * done / total, f"{what} {done}/{total}"
        if what in self._artifacts:
            update_progress_artifact(self._artifacts[what], percent, description=said)
        else:
            made = create_progress_artifact(percent, description=said)
            assert isinstance(made, UUID)  # a coroutine only where there is an event loop
            self._artifacts[what] = made


def ask_for_pass(round_code: str, key: str) -> None:
    """Ask the server for a pass over the round; the same `key` asks once.

    Where one was asked for and has not begun, none is added: it will find what stands by now.
    Only in service: where a flow was called in a process of its own, as in a rehearsal, the caller
    makes the pass. A request that is lost is made up for by the next morning's sweep.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.deployment_id is None:
        return
    if not _pass_to_come(round_code):
        run_deployment(
            f"{RUN_ROUND}/{RUN_ROUND}",
            parameters={"round_code": round_code},
            idempotency_key=f"{round_code}:{key}",
            tags=[round_code],
            timeout=0,
            as_subflow=False,
        )


def _pass_to_come(round_code: str) -> bool:
    # Openings on the plan's days carry no tag, so those of weeks to come do not count.
    waiting = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[round_code]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
    )
    with get_client(sync_client=True) as client:
        return bool(client.read_flow_runs(flow_run_filter=waiting, limit=1))


def forget_runs(state: str) -> None:
    """Delete earlier runs of the current run's deployment that ended in that state: the idle ones.

    What they did is nothing; left alone, they would crowd out the runs that matter.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.deployment_id is None:
        return
    idle = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[context.flow_run.deployment_id]),
        state=FlowRunFilterState(name=FlowRunFilterStateName(any_=[state])),
    )
    with get_client(sync_client=True) as client:
        for run in client.read_flow_runs(flow_run_filter=idle):
            client.delete_flow_run(run.id)
