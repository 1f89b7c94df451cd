"""Imports of registers from files on this machine."""

from datetime import date
from pathlib import Path
from typing import Any, Literal

from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.clock import moment
from flows.entry import form
from flows.stage import stage
from tasks import registers

save_subjects = stage("导入检查对象", registers.import_subjects)
save_inspectors = stage("导入执法检查人员", registers.import_inspectors)


@form("导入名录库", "导入名录库 {kind}")
def import_registers(
    kind: Literal["检查对象", "执法检查人员"],
    file: str,
    entered_by: str,
    as_of: date | None = None,
) -> State[Any]:
    """从本机的 xlsx 或 csv 文件导入名录库；有一行不对就一行都不导。

    Args:
        kind: 名录库
        file: 文件，写它在本机的完整路径
        entered_by: 经办人
        as_of: 导入日期，空为今天
    """
    save = save_subjects if kind == "检查对象" else save_inspectors
    changes = save(Path(file), moment(as_of), entered_by)
    return Completed(
        name="已导入",
        message=f"新增 {len(changes.added)}，变更 {len(changes.changed)}，"
        f"未变 {len(changes.unchanged)}",
    )
