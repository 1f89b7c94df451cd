"""Forms about notices: their service, and the order not to announce an inspection."""

from datetime import date
from typing import Any

from prefect.client.schemas.objects import State

from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from models.notice import ServiceEntry
from tasks import notice

save_service = stage("登记送达", notice.confirm_service)
# Names, addresses and telephone numbers of people outside, who must not be read in the UI.
PRIVATE = [
    name
    for field in ("received_by", "place", "note")
    for name in (field, str(ServiceEntry.model_fields[field].alias))
]

save_withholding = stage("登记不宜告知", notice.withhold_notice)


@form("登记送达", private=PRIVATE)
def confirm_service(
    entries: list[ServiceEntry], entered_by: str, as_of: date | None = None
) -> State[Any]:
    """登记告知书怎样送达：书面、电话、传真或电子，何时，谁送给谁。

    Args:
        entries: 各份告知书的送达情况
        entered_by: 录入人
        as_of: 登记日期，空为今天
    """
    return entered(save_service(entries, entered_by, moment(as_of)))


@form("登记不宜告知")
def withhold_notice(
    inspection_code: str, reason: str, approved_by: str, as_of: date | None = None
) -> State[Any]:
    """定为不宜告知：不发告知书，不向检查对象透露情况。须在告知书制作之前。

    Args:
        inspection_code: 检查编号，如 2024-1-D03
        reason: 不宜告知的理由
        approved_by: 批准人
        as_of: 登记日期，空为今天
    """
    return entered([save_withholding(inspection_code, reason, approved_by, moment(as_of))])
