"""The morning's sweep: what is due or overdue is told, once; what was lost is made up for."""

from datetime import date
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.board import show_board
from flows.clock import moment
from flows.outbox import deliver
from flows.stage import ask_for_pass, forget_runs, stage
from tasks import agenda, board, calendar, obligation, round, urgent
from tasks.fault import Faults
from tasks.morning import MORNING

is_working_day = stage("工作日", calendar.is_working_day)
look_after = [stage(name, function) for name, function in MORNING.items()]
sweep = stage("期限检查", obligation.sweep)
sweep_urgent = stage("加急催办", urgent.sweep_urgent)
deliver_mails = stage("发信", deliver)
collect_board = stage("看板", board.board)
# Ends of runs that did nothing worth a line in the list of runs.
IDLE = "无待发"


@flow(name="期限检查", flow_run_name="期限检查", persist_result=False)
def sweep_deadlines(as_of: date | None = None) -> State[Any]:
    """检查全部期限，该提醒、催办、督办的各发一次；每个工作日早晨运行，停机后会补上。

    Args:
        as_of: 按哪一天检查，空为今天
    """
    at = moment(as_of)
    with Faults() as faults:
        with faults.kept():
            sweep_urgent(at)
        if not is_working_day(at.date()):
            deliver_mails(at)
            return Completed(name="非工作日", message=f"{at.date()} 不是工作日，只发加急提醒")
        for code in round.rounds_to_pass(at.date()):
            with faults.kept():
                ask_for_pass(code, f"sweep:{at.date()}:{flow_run.id}")
        for each in look_after:
            with faults.kept():
                each(at)
        figures = sweep(at.date(), at)
        deliver_mails(at)
        show_board(collect_board(at.date(), at))
    return Completed(name="已过时" if figures.stale else "已检查", message=figures.told)


@flow(name="发信", flow_run_name="发信", persist_result=False)
def deliver_outbox() -> State[Any]:
    """发出待发的邮件和到时的加急提醒；每 10 分钟一次，没有待发的就立即结束，列表中只留最近一次。"""
    at = moment()
    with Faults() as faults:
        with faults.kept():
            sweep_urgent(at)
        figures = deliver_mails(at)
        for code in agenda.rounds_to_seal():
            with faults.kept():
                ask_for_pass(code, f"deliver:{flow_run.id}")
    if not (figures.sent or figures.retried or figures.undeliverable or figures.stopped):
        forget_runs(IDLE)
        return Completed(name=IDLE, message="没有待发的邮件")
    return Completed(
        name="已发信",
        message=f"发出 {figures.sent} 封，稍后重试 {figures.retried} 封，"
        f"无法送达 {figures.undeliverable} 封{figures.stopped and '；' + figures.stopped}",
    )
