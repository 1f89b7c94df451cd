"""Forms about an inspection: its record, its being given up."""

from datetime import date
from typing import Any

from prefect.client.schemas.objects import State

from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from models.record import RecordEntry
from tasks import inspection

save_records = stage("登记检查记录", inspection.record_inspections)
save_drop = stage("登记未实施", inspection.drop_inspection)


@form("登记检查结果")
def record_inspection(entries: list[RecordEntry], as_of: date | None = None) -> State[Any]:
    """登记一份或多份《部门联合监督检查情况记录表》，每个部门各记本部门的事项。

    Args:
        entries: 各部门的记录
        as_of: 登记日期，空为今天
    """
    return entered(save_records(entries, moment(as_of)))


@form("登记未实施", "登记未实施 {inspection_code}")
def drop_inspection(
    inspection_code: str,
    reason: str,
    approved_by: str,
    document: str,
    approved_on: date,
    as_of: date | None = None,
) -> State[Any]:
    """登记一次检查未实施；它仍计入应检查户数。

    Args:
        inspection_code: 检查编号，如 2024-1-D03
        reason: 未实施的原因
        approved_by: 批准人
        document: 批准文件
        approved_on: 批准日期
        as_of: 登记日期，空为今天
    """
    return entered(
        [save_drop(inspection_code, reason, approved_by, document, approved_on, moment(as_of))]
    )
