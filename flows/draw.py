"""Forms about a draw: made on request, its public value, its reveal before the time."""

from datetime import date
from typing import Any, Literal

from prefect.client.schemas.objects import State

from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from tasks import draw, reveal

make_draw = stage("抽取", draw.draw_grade)
save_public_value = stage("录入公共值", draw.enter_public_value)
save_reveal = stage("提前公开抽取", reveal.order_reveal)


@form("抽取", "抽取 {round_code}-{grade}")
def draw_grade(
    round_code: str,
    grade: Literal["A", "B", "C", "D"],
    asked_by: str,
    as_of: date | None = None,
) -> State[Any]:
    """抽取日已到而受阻的等级，补正后由此抽取；已经封存的不能再抽，再抽的请求记入台账。

    Args:
        round_code: 轮次代码，如 2024-1
        grade: 风险等级
        asked_by: 申请人
        as_of: 抽取日期，空为今天
    """
    return entered([make_draw(round_code, grade, asked_by, moment(as_of))])


@form("录入公共值", "录入公共值 {round_code}-{grade}")
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
        entered_by: 录入人，须两个人
        as_of: 录入日期，空为今天
    """
    save_public_value(round_code, grade, value, entered_by, moment(as_of))
    return entered([round_code])


@form("提前公开抽取", "提前公开抽取 {round_code}-{grade}")
def reveal_draw(
    round_code: str,
    grade: Literal["A", "B", "C", "D"],
    reason: str,
    ordered_by: str,
    as_of: date | None = None,
) -> State[Any]:
    """不等全部检查有记录即公开一次抽取；有不宜告知的检查还没有记录的，不能公开。

    Args:
        round_code: 轮次代码，如 2024-1
        grade: 风险等级
        reason: 提前公开的理由
        ordered_by: 决定人
        as_of: 公开日期，空为今天
    """
    return entered([save_reveal(round_code, grade, reason, ordered_by, moment(as_of))])
