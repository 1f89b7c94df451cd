"""The form by which two people enter a draw's public value."""

from datetime import date
from typing import Any, Literal

from prefect import flow
from prefect.client.schemas.objects import State

from flows.clock import moment
from flows.entry import entered
from flows.stage import stage
from tasks import draw

save_public_value = stage("录入公共值", draw.enter_public_value)


@flow(name="录入公共值", flow_run_name="录入公共值 {round_code}-{grade}", persist_result=False)
def enter_public_value(
    round_code: str,
    grade: Literal["A", "B", "C", "D"],
    value: str,
    entered_by: list[str],
    as_of: date | None = None,
) -> State[Any]:
    """冻结之后、抽取之前，由两人按公布的规则录入公共值；只能录入一次。

    Args:
        round_code: 轮次代码，如 2024-1
        grade: 风险等级
        value: 公共值，照规则所定的写法
        entered_by: 录入的两个人
        as_of: 录入日期，空为今天
    """

    def enter() -> list[str]:
        save_public_value(round_code, grade, value, entered_by, moment(as_of))
        return [round_code]

    return entered(enter)
