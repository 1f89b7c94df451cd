"""The dry run: which alerts a sweep would send, without sending any."""

from typing import Any

from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.clock import moment
from flows.entry import form
from flows.stage import stage
from models.entry import optional_day
from tasks import preview

collect = stage("试算", preview.preview)


@form("试算提醒", "试算提醒 {day}")
def preview_alerts(day: str = "") -> State[Any]:
    """试算某一天的期限检查会发出哪些提醒、发给谁；只看，不发信，不留任何记录。

    Args:
        day: 日期，如 2024-09-10，空为今天
    """
    on = optional_day(day, "日期") or moment().date()
    found = collect(on)
    rows = [
        {
            "提醒": one.level,
            "应告知": one.role,
            "发给": one.to,
            "原因": one.why,
            "职责": one.duty,
            "编号": one.object,
            "部门": one.department,
            "责任人": one.person,
            "到期日": one.due_on.isoformat(),
        }
        for one in found
    ]
    create_table_artifact(rows, description=f"{on} 的期限检查将发出的提醒（试算）")
    return Completed(
        name="已试算", message=f"{on} 将发出提醒 {len(found)} 条，见本次运行的 Artifacts 页"
    )
