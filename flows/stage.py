"""What makes the plain functions of tasks/ into Prefect tasks, and asks for passes."""

from collections.abc import Callable
from functools import wraps
from time import monotonic
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
)
from prefect.context import FlowRunContext, TaskRunContext
from prefect.deployments import run_deployment
from prefect.tasks import Task

from tasks.steps import listening

P = ParamSpec("P")
R = TypeVar("R")

RUN_ROUND = "轮次推进"
# How long work takes before it shows progress; each further pause is twice as long, so that the
# calls of even an hour's work can be counted on two hands.
FIRST_PAUSE_SECONDS = 15.0


def stage(name: str, function: Callable[P, R]) -> Task[P, R]:
    """`function` as a Prefect task of that Chinese name, never answered from a cache.

    The database is the only truth: a cached answer would be a stale one. Work that takes long
    shows how far it is.
    """

    @wraps(function)
    def shown(*given: P.args, **named: P.kwargs) -> R:
        with listening(_Shown()):
            return function(*given, **named)

    return task(name=name, cache_policy=NO_CACHE, persist_result=False)(shown)


class _Shown:
    """Progress as an artifact of the run: none for quick work, so that most passes show none."""

    def __init__(self) -> None:
        self._told, self._pause = monotonic(), FIRST_PAUSE_SECONDS
        self._artifact: UUID | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        last = done == total and self._artifact is not None
        if TaskRunContext.get() is None or (monotonic() - self._told < self._pause and not last):
            return
        self._told, self._pause = monotonic(), 2 * self._pause
        percent, said = 100 * done / total, f"{what} {done}/{total}"
        if self._artifact is None:
            made = create_progress_artifact(percent, description=said)
            assert isinstance(made, UUID)  # a coroutine only where there is an event loop
            self._artifact = made
        else:
            update_progress_artifact(self._artifact, percent, description=said)


def ask_for_pass(round_code: str, key: str) -> None:
    """Ask the server for a pass over the round; the same `key` asks once.

    Only in service: where a flow was called in a process of its own, as in a rehearsal, the caller
    makes the pass. A request that is lost is made up for by the next morning's sweep.
    """
    context = FlowRunContext.get()
    if context and context.flow_run and context.flow_run.deployment_id:
        run_deployment(
            f"{RUN_ROUND}/{RUN_ROUND}",
            parameters={"round_code": round_code},
            idempotency_key=f"{round_code}:{key}",
            timeout=0,
            as_subflow=False,
        )


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
