"""The form about reports of a refusal to sign."""

from datetime import date
from typing import Any

from prefect.client.schemas.objects import State

from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from models.refusal import RefusalEntry
from tasks import refusal

save_refusals = stage("登记拒签报告", refusal.report_refusals)


@form("登记拒签报告")
def report_refusal(entries: list[RefusalEntry], as_of: date | None = None) -> State[Any]:
    """登记被检查对象拒绝签字的情况已向负有安全生产监督管理职责的部门报告。

    Args:
        entries: 各次拒签
        as_of: 登记日期，空为今天
    """
    return entered(save_refusals(entries, moment(as_of)))
