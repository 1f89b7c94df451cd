"""What makes the plain functions of tasks/ into Prefect tasks, and asks for passes."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from prefect.deployments import run_deployment
from prefect.tasks import Task

P = ParamSpec("P")
R = TypeVar("R")

RUN_ROUND = "轮次推进"


def stage(name: str, function: Callable[P, R]) -> Task[P, R]:
    """`function` as a Prefect task of that Chinese name, never answered from a cache.

    The database is the only truth: a cached answer would be a stale one.
    """
    return task(name=name, cache_policy=NO_CACHE, persist_result=False)(function)


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
