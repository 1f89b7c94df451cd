"""The watch: failed, crashed and stuck runs and whatever else is amiss, told once each by mail.

It looks at what stands, not at what happened: an event that was lost loses nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.settings import PREFECT_UI_URL
from prefect.states import Completed

from flows.clock import moment
from flows.entry import SENT_BACK
from flows.links import Links
from flows.outbox import deliver
from flows.stage import stage
from tasks import health
from tasks.health import Problem

WATCH = "值守检查"
# A pass takes seconds; an import of a large register a minute or two.
STUCK_AFTER_MINUTES = 30.0
# How far back it looks for runs that failed; longer than any row of days off.
LOOKS_BACK = timedelta(days=14)
FAILED = [StateType.FAILED, StateType.CRASHED]
UNDER_WAY = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]

find_problems = stage("值守 · 检查", health.problems)
tell = stage("值守 · 报告", health.tell)
deliver_mails = stage("发信", deliver)


@flow(name=WATCH, flow_run_name=WATCH, persist_result=False)
def watch(stuck_after: float = STUCK_AFTER_MINUTES) -> State[Any]:
    """检查有没有失败、中断、卡住的运行和漏做的期限检查，每个问题给联席会议办公室发一次邮件。

    Args:
        stuck_after: 卡住，开始几分钟后仍未结束的运行算卡住
    """
    at = moment()
    found = [*runs_in_trouble(at, stuck_after), *find_problems(at)]
    new = tell(found, at)
    if new:
        deliver_mails(at)
    if not found:
        return Completed(name="一切正常", message="没有发现问题")
    return Completed(name="发现问题", message=f"问题 {len(found)} 个，新报告 {new} 个")


def runs_in_trouble(at: datetime, stuck_after: float = STUCK_AFTER_MINUTES) -> list[Problem]:
    """Runs of ours that failed or crashed, entries sent back aside, and those that hang.

    `stuck_after`: so many minutes a run may take.
    """
    links = Links(str(PREFECT_UI_URL.value()).rstrip("/"))
    found = []
    for run in _runs(FAILED, after=at - LOOKS_BACK):
        if run.state and run.state.name != SENT_BACK:
            found.append(Problem(f"run:{run.id}", _said(run, "没有成功", links)))
    for run in _runs(UNDER_WAY, before=at - timedelta(minutes=stuck_after)):
        late = f"开始 {stuck_after:g} 分钟后仍未结束"
        found.append(Problem(f"stuck:{run.id}", _said(run, late, links)))
    return found


def _said(run: FlowRun, what: str, links: Links) -> str:
    state = f"{run.state.name}：{run.state.message or ''}" if run.state else ""
    return f"运行“{run.name}”{what}（{state[:400]}）。\n查看：{links.run(str(run.id))}"


def _runs(
    kinds: list[StateType], after: datetime | None = None, before: datetime | None = None
) -> list[FlowRun]:
    wanted = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=kinds)),
        start_time=FlowRunFilterStartTime(after_=after, before_=before),
        deployment_id=FlowRunFilterDeploymentId(is_null_=False),
    )
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(flow_run_filter=wanted)
