"""The form by which a coordinator imports the State Council's holiday notice."""

from datetime import date
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.clock import moment
from flows.entry import form
from flows.stage import stage
from tasks import holiday

save_notice = stage("导入放假通知", holiday.import_notice)


@form("导入放假通知", "导入放假通知 {number}")
def import_holiday_notice(
    text: str,
    number: str,
    issued_on: date,
    entered_by: str,
    confirmed_by: list[str] = [],  # noqa: B006  (Prefect shows it in the form, nobody changes it)
    as_of: date | None = None,
) -> State[Any]:
    """粘贴国务院办公厅节假日安排通知全文；校验通过后，未完成的期限随之重新计算。

    Args:
        text: 通知全文
        number: 文号，如 国办发明电〔2025〕7号
        issued_on: 发文日期
        entered_by: 经办人
        confirmed_by: 确认人，校验不符仍要导入时由两个人确认
        as_of: 导入日期，空为今天
    """
    done = save_notice(text, number, issued_on, confirmed_by, moment(as_of), entered_by)
    return Completed(
        name="已导入",
        message=f"{done.number}：重新计算期限 {len(done.moved)} 项，通知 {done.mails} 人",
    )
