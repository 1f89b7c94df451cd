"""The form about a round's brief."""

from datetime import date
from typing import Any

from prefect.client.schemas.objects import State

from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from tasks import brief

save_brief = stage("登记专项简报", brief.send_brief)


@form("登记专项简报", "登记专项简报 {round_code}")
def send_brief(
    round_code: str,
    sent_on: date,
    receiving: str,
    document: str,
    entered_by: str,
    as_of: date | None = None,
) -> State[Any]:
    """登记一个轮次的专项简报已经上报；初稿由系统制作，在文书目录的“专项简报”下，意见和建议由人写。

    Args:
        round_code: 轮次代码，如 2024-1
        sent_on: 报送日期
        receiving: 报送对象
        document: 文号或标题
        entered_by: 录入人
        as_of: 登记日期，空为今天
    """
    return entered(
        [save_brief(round_code, sent_on, receiving, document, entered_by, moment(as_of))]
    )
