"""The form by which the coordinator imports a draw that another platform made."""

from datetime import date
from pathlib import Path
from typing import Any, Literal

from prefect.client.schemas.objects import State

from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from models.entry import EntryRefused
from models.registers import RegisterError
from tasks import external_draw

save_draw = stage("导入外部抽取", external_draw.import_draw)


@form("导入外部抽取", "导入外部抽取 {round_code}-{grade}")
def import_external_draw(
    round_code: str,
    grade: Literal["A", "B", "C", "D"],
    file: str,
    document: str,
    imported_by: str,
    as_of: date | None = None,
) -> State[Any]:
    """导入外部平台的抽取名单（xlsx 或 csv，列：统一社会信用代码、部门、执法证号）；标明无证明。

    Args:
        round_code: 轮次代码，如 2024-1
        grade: 风险等级
        file: 名单文件，写它在本机的完整路径，每行一户的一名检查人员，按抽取顺序
        document: 平台文书，写名称和编号
        imported_by: 经办人
        as_of: 导入日期，空为今天
    """
    try:
        return entered(
            [save_draw(round_code, grade, Path(file), document, imported_by, moment(as_of))]
        )
    except RegisterError as refused:
        raise EntryRefused(_unnamed(refused)) from refused


def _unnamed(refused: RegisterError) -> str:
    """Row and field alone: the subject that the message names would be public with the run."""
    first, more = refused.problems[0], len(refused.problems) - 1
    place = f"第 {first.row} 行“{first.field}”不符" if first.row else first.message
    return f"{first.file} {place}" + (f"（另有 {more} 处）" if more else "")
