"""The watch over runs, and the automations that call for it."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

pytestmark = pytest.mark.server

SOON = timedelta(seconds=10)  # Prefect takes no less


@pytest.fixture(scope="module")
def deployed(server: Any) -> dict[str, str]:
    """The deployments' ids, by name."""
    from deployments.registry import deployments

    return {made.name: str(made.apply()) for made in deployments([])}


@pytest.fixture
def ended(prefect: Any, deployed: dict[str, str]) -> Any:
    """Make a run of a deployment of ours that started and came into that state."""
    from prefect.states import Running, State

    def make(deployment: str, kind: str, name: str) -> Any:
        fields = {"round_code": "2024-1"} if deployment == "轮次推进" else {}
        run = prefect.create_flow_run_from_deployment(deployed[deployment], parameters=fields)
        prefect.set_flow_run_state(run.id, Running(), force=True)
        if kind != "RUNNING":
            prefect.set_flow_run_state(
                run.id, State(type=kind, name=name, message="坏了"), force=True
            )
        return run

    return make


def told(office: Any) -> list[str]:
    return [row["text"] for row in office.rows()["mail"] if "trouble:run:" in row["key"]]


def test_failed_and_crashed_runs_are_told_once_and_entries_sent_back_are_not(
    office: Any, prefect: Any, ended: Any
) -> None:
    from flows.watch import watch

    refused = ended("轮次推进", "FAILED", "抽取受阻")
    crashed = ended("登记公示", "CRASHED", "Crashed")
    sent_back = ended("登记公示", "FAILED", "退回补正")
    fine = ended("轮次推进", "COMPLETED", "公示")
    assert watch(return_state=True).name == "发现问题"
    mails = told(office)
    assert len(mails) == 2
    for run, shown in ((refused, 1), (crashed, 1), (sent_back, 0), (fine, 0)):
        assert sum(f"/v2/runs/flow-run/{run.id}" in text for text in mails) == shown
    assert any("没有成功（抽取受阻：坏了）" in text for text in mails)
    watch()
    assert told(office) == mails


def test_a_run_that_hangs_is_told_after_half_an_hour(office: Any, prefect: Any, ended: Any) -> None:
    from flows.watch import runs_in_trouble

    stuck = ended("轮次推进", "RUNNING", "Running")
    now = datetime.now(UTC)
    assert runs_in_trouble(now + timedelta(minutes=29)) == []
    found = runs_in_trouble(now + timedelta(minutes=31))
    assert [one.key for one in found] == [f"stuck:{stuck.id}"]
    assert "开始 30 分钟后仍未结束" in found[0].text


def test_setting_the_automations_up_again_leaves_three_described_in_chinese(
    prefect: Any, deployed: dict[str, str]
) -> None:
    from deployments import automations

    for _ in range(2):
        automations.set_up(deployed)
    found = [one for one in prefect.read_automations() if one.name.startswith("双随机")]
    assert len(found) == 3
    for one in found:
        assert one.enabled
        assert "值守检查" in one.description
        (action,) = one.actions
        assert str(action.deployment_id) == deployed["值守检查"]
        assert "值守检查" not in str(one.trigger.match_related)
        prefect.delete_automation(one.id)


@pytest.fixture
def soon(prefect: Any, deployed: dict[str, str]) -> Any:
    """The automations as they are set up, but for how long they wait."""
    from deployments.automations import automations

    watched = [name for name in deployed if name != "值守检查"]
    made = [
        prefect.create_automation(one)
        for one in automations(watched, UUID(deployed["值守检查"]), SOON, SOON)
    ]
    yield
    for number in made:
        prefect.delete_automation(number)


def test_a_stuck_run_and_a_missed_sweep_make_the_watch_look_and_tell_by_mail(
    office: Any, prefect: Any, ended: Any, deployed: dict[str, str], soon: Any
) -> None:
    stuck = ended("轮次推进", "RUNNING", "Running")
    seen: dict[UUID, Any] = {}
    end = time.monotonic() + 60
    while len(seen) < 2:
        assert time.monotonic() < end, "the automations did not call for the watch"
        runs = [run for run in prefect.read_flow_runs() if run.created_by]
        looks = [run for run in runs if str(run.deployment_id) == deployed["值守检查"]]
        seen = {run.created_by.id: run for run in looks}
        time.sleep(0.2)
    names = {prefect.read_automation(number).name for number in seen}
    assert names == {"双随机：运行卡住即报告", "双随机：期限检查漏做即报告"}
    number = next(iter(seen.values())).id
    command = [sys.executable, "-m", "prefect", "flow-run", "execute", str(number)]
    subprocess.run(command, check=True, capture_output=True)  # as the service's runner would
    mails = {row["key"]: row["text"] for row in office.rows()["mail"] if "trouble" in row["key"]}
    told = mails[f"letter:trouble:stuck:{stuck.id}"]
    assert f"/v2/runs/flow-run/{stuck.id}" in told
    (missed,) = [text for key, text in mails.items() if "trouble:sweep:" in key]
    assert "的期限检查没有完成（从未做过），提醒可能没有发出" in missed


def test_a_delivery_with_nothing_to_send_leaves_one_line_at_most(
    office: Any, prefect: Any, deployed: dict[str, str], ended: Any
) -> None:
    from prefect.context import FlowRunContext

    from flows.obligation import IDLE
    from flows.stage import forget_runs

    idle = [ended("发信", "COMPLETED", IDLE) for _ in range(3)]
    sent = ended("发信", "COMPLETED", "已发信")
    other = ended("轮次推进", "COMPLETED", "公示")
    kept, gone = {sent.id, other.id}, {run.id for run in idle}
    forget_runs(IDLE)  # outside any run: nothing is deleted
    assert kept | gone <= {run.id for run in prefect.read_flow_runs()}
    current = prefect.read_flow_run(sent.id)
    with FlowRunContext.model_construct(flow_run=current):
        forget_runs(IDLE)
    left = {run.id for run in prefect.read_flow_runs()}
    assert kept <= left
    assert not gone & left
