"""The morning's sweep: what is due or overdue is told, once; what was lost is made up for."""

from datetime import date
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.clock import moment
from flows.stage import ask_for_pass, stage
from tasks import calendar, obligation, round
from tasks.mail import deliver

is_working_day = stage("工作日", calendar.is_working_day)
sweep = stage("期限检查", obligation.sweep)
deliver_mails = stage("发信", deliver)


@flow(name="期限检查", flow_run_name="期限检查", persist_result=False)
def sweep_deadlines(as_of: date | None = None) -> State[Any]:
    """检查全部期限，该提醒、催办、督办的各发一次；每个工作日早晨运行，停机后会补上。

    Args:
        as_of: 按哪一天检查，空为今天
    """
    at = moment(as_of)
    if not is_working_day(at.date()):
        return Completed(name="非工作日", message=f"{at.date()} 不是工作日，不发信")
    for code in round.rounds_to_pass(at.date()):
        ask_for_pass(code, f"sweep:{at.date()}:{flow_run.id}")
    figures = sweep(at.date(), at)
    deliver_mails(at)
    return Completed(name="已检查", message=str(figures))


@flow(name="发信", flow_run_name="发信", persist_result=False)
def deliver_outbox() -> State[Any]:
    """发出待发的邮件；每 10 分钟一次，没有待发的就立即结束。"""
    return Completed(name="已发信", message=str(deliver_mails(moment())))
