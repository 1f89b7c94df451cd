"""The form by which a coordinator opens a round before its planned day."""

from datetime import date
from typing import Annotated, Any

from prefect.client.schemas.objects import State
from pydantic import Field

from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from tasks import opening

save_opening = stage("提前开启", opening.open_early)


@form("提前开启轮次", "提前开启 {round_code}")
def open_round_early(
    round_code: str,
    reason: Annotated[str, Field(min_length=1)],
    decided_by: Annotated[str, Field(min_length=1)],
    as_of: date | None = None,
) -> State[Any]:
    """在计划的开始日之前开启一个轮次，随即冻结名录库并抽取；须在方案的检查时间之内。

    Args:
        round_code: 轮次代码，如 2024-2
        reason: 提前的理由
        decided_by: 决定人，记入台账
        as_of: 开启日期，空为今天
    """
    return entered([save_opening(round_code, reason, decided_by, moment(as_of))])
