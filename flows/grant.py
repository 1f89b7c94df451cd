"""Forms by which an approver suspends a term or extends it."""

from datetime import date
from typing import Any, Literal

from prefect.client.schemas.objects import State

from calendars import Extension, Grant, Suspension
from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from models.entry import EntryRefused
from models.plan import DUTY_NAMES, Duty
from tasks import grant

DutyName = Literal["记录", "拒签报告", "研判移送", "移送", "公示", "更正公示", "后续监管"]
_DUTIES: dict[str, Duty] = {name: duty for duty, name in DUTY_NAMES.items()}

save_grant = stage("登记中止或延期", grant.grant_time)


@form("中止期限", "中止期限 {object}")
def suspend_term(
    duty: DutyName,
    object: str,
    from_on: date,
    through_on: date,
    article: str,
    document: str,
    approver: str,
    approved_on: date,
    entered_by: str,
    as_of: date | None = None,
) -> State[Any]:
    """中止一项期限：中止的日子不计入，从批准之日起生效，不追溯，也不消除已经发生的逾期。

    Args:
        duty: 职责
        object: 对象编号，如 2024-1-D03/yjglj
        from_on: 中止起日
        through_on: 中止止日
        article: 依据的法条
        document: 批准文件
        approver: 批准人，不能是责任人本人
        approved_on: 批准日期
        entered_by: 录入人
        as_of: 登记日期，空为今天
    """
    one = _made(lambda: Suspension(from_on, through_on, document, article, approver, approved_on))
    return entered([save_grant(_DUTIES[duty], object, one, entered_by, moment(as_of))])


@form("延长期限", "延长期限 {object}")
def extend_term(
    duty: DutyName,
    object: str,
    working_days: int,
    article: str,
    document: str,
    approver: str,
    approved_on: date,
    entered_by: str,
    as_of: date | None = None,
) -> State[Any]:
    """延长一项期限若干个工作日，从批准之日起生效；已经逾期的不因此消除。

    Args:
        duty: 职责
        object: 对象编号，如 2024-1-D03/yjglj
        working_days: 延长几个工作日
        article: 依据的法条
        document: 批准文件
        approver: 批准人，不能是责任人本人
        approved_on: 批准日期
        entered_by: 录入人
        as_of: 登记日期，空为今天
    """
    one = _made(lambda: Extension(working_days, document, article, approver, approved_on))
    return entered([save_grant(_DUTIES[duty], object, one, entered_by, moment(as_of))])


def _made(make: Any) -> Grant:
    try:
        one: Grant = make()
    except ValueError as error:
        raise EntryRefused(str(error)) from error
    return one
