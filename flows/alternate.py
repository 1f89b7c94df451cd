"""Form about alternates."""

from datetime import date
from typing import Any

from prefect.client.schemas.objects import State

from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from tasks import alternate

save_alternate = stage("递补检查对象", alternate.take_alternate)


@form("递补检查对象", "递补检查对象 {inspection_code}")
def take_alternate(
    inspection_code: str, reason: str, decided_by: str, as_of: date | None = None
) -> State[Any]:
    """被抽对象已注销、吊销、撤销或迁出，且方案规定可以递补的，由递补名单的下一户递补；原对象留在样本中。

    Args:
        inspection_code: 检查编号，已关闭对象的，如 2024-1-D03
        reason: 理由
        decided_by: 决定人
        as_of: 决定日期，空为今天
    """
    return entered([save_alternate(inspection_code, reason, decided_by, moment(as_of))])
