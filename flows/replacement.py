"""Forms about a team's places: given to the next, or asked to be given, and decided."""

from datetime import date
from typing import Any, Literal

from prefect.client.schemas.objects import State

from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from tasks import replacement

save_replacement = stage("更换检查人员", replacement.replace_inspector)
save_request = stage("登记回避申请", replacement.request_recusal)
save_decision = stage("决定回避申请", replacement.decide_recusal)


@form("更换检查人员", "更换检查人员 {inspection_code}")
def replace_inspector(
    inspection_code: str,
    department: str,
    seat: int,
    ground: Literal["回避", "不能到场"],
    reason: str,
    decided_by: str,
    appointed: str = "",
    as_of: date | None = None,
) -> State[Any]:
    """检查人员须回避或不能到场时，由签号最小的候选人递补，组长亦同；无人可补的由部门负责人直接委派。

    Args:
        inspection_code: 检查编号，如 2024-1-D03
        department: 部门
        seat: 席位，该部门在检查小组中的第几名，从 1 起；发起部门的 1 号为组长
        ground: 原因
        reason: 理由
        decided_by: 决定人，不能是本人
        appointed: 直接委派，写受委派人的执法证号；仅在已无人可递补时填写，此时决定人须为部门负责人
        as_of: 决定日期，空为今天
    """
    concerned = save_replacement(
        inspection_code, department, seat, ground, reason, decided_by, appointed, moment(as_of)
    )
    return entered([concerned])


@form("登记回避申请", "登记回避申请 {inspection_code}")
def request_recusal(
    inspection_code: str,
    department: str,
    seat: int,
    reason: str,
    asked_by: str,
    asked_on: date,
    as_of: date | None = None,
) -> State[Any]:
    """登记被检查单位提出的回避申请，请部门负责人决定；决定之前检查照常进行。

    Args:
        inspection_code: 检查编号，如 2024-1-D03
        department: 部门
        seat: 席位，该部门在检查小组中的第几名，从 1 起
        reason: 理由
        asked_by: 申请人，写职务即可，如 被检查单位负责人
        asked_on: 申请日期
        as_of: 登记日期，空为今天
    """
    return entered(
        [save_request(inspection_code, department, seat, reason, asked_by, asked_on, moment(as_of))]
    )


@form("决定回避申请", "决定回避申请 {inspection_code}")
def decide_recusal(
    inspection_code: str,
    department: str,
    seat: int,
    decision: Literal["准许", "驳回"],
    reason: str,
    decided_by: str,
    appointed: str = "",
    as_of: date | None = None,
) -> State[Any]:
    """由部门负责人决定回避申请：准许的随即递补，驳回的照常检查。

    Args:
        inspection_code: 检查编号，如 2024-1-D03
        department: 部门
        seat: 席位，被申请回避的人是该部门第几名，从 1 起
        decision: 决定
        reason: 理由
        decided_by: 决定人，须为该部门负责人
        appointed: 直接委派，写受委派人的执法证号；仅在准许而已无人可递补时填写
        as_of: 决定日期，空为今天
    """
    concerned = save_decision(
        inspection_code, department, seat, decision, reason, decided_by, appointed, moment(as_of)
    )
    return entered([concerned])
