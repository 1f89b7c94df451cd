"""Imports of registers from files on this machine."""

from datetime import date
from pathlib import Path
from typing import Any, Literal

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.clock import moment
from flows.entry import REFUSALS
from flows.stage import stage
from models.registers import RegisterError
from tasks import registers

save_subjects = stage("导入检查对象", registers.import_subjects)
save_inspectors = stage("导入执法检查人员", registers.import_inspectors)


@flow(name="导入名录库", flow_run_name="导入名录库 {kind}", persist_result=False)
def import_registers(
    kind: Literal["检查对象", "执法检查人员"],
    file: str,
    entered_by: str,
    as_of: date | None = None,
) -> State[Any]:
    """从本机的 xlsx 或 csv 文件导入名录库；有一行不对就一行都不导。

    Args:
        kind: 哪个名录库
        file: 文件在本机的路径
        entered_by: 经办人
        as_of: 导入日期，空为今天
    """
    save = save_subjects if kind == "检查对象" else save_inspectors
    try:
        changes = save(Path(file), moment(as_of), entered_by)
    except (RegisterError, *REFUSALS) as refused:
        return Failed(name="退回补正", message=str(refused))
    return Completed(
        name="已导入",
        message=f"新增 {len(changes.added)}，变更 {len(changes.changed)}，"
        f"未变 {len(changes.unchanged)}",
    )
