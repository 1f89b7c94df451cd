"""Forms about leave: who is away, who acts for them, and that they are back."""

from datetime import date
from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.clock import moment
from flows.entry import form
from flows.stage import stage
from models.leave import LeaveEntry, ReturnEntry
from tasks import leave

save_leave = stage("登记请假", leave.enter_leave)
save_return = stage("登记销假", leave.end_leave)


# Why somebody is away is nobody's business who may see the runs.
@form("登记请假", private=("reason", "delegate_email"))
def enter_leave(
    department: str,
    person: str,
    first_on: date,
    last_on: date,
    reason: str,
    entered_by: str,
    delegate: str = "",
    delegate_email: str = "",
    as_of: date | None = None,
) -> State[Any]:
    """登记谁请假、由谁代办：期间的提醒发给代办人；没有代办人的发给部门负责人，并告知联席会议办公室。

    Args:
        department: 所在部门
        person: 请假人，写姓名，须在名录库或方案中
        first_on: 请假起日
        last_on: 请假止日，含当日
        reason: 事由，只存入台账
        entered_by: 录入人
        delegate: 代办人，没有的留空
        delegate_email: 代办人邮箱，有代办人的必填
        as_of: 登记日期，空为今天
    """
    entry = LeaveEntry(
        department=department,
        person=person,
        first_on=first_on,
        last_on=last_on,
        delegate=delegate,
        delegate_email=delegate_email,
        reason=reason,
        entered_by=entered_by,
    )
    return Completed(name="已登记", message=save_leave(entry, moment(as_of)))


@form("登记销假", private=("reason",))
def end_leave(
    department: str,
    person: str,
    back_on: date,
    entered_by: str,
    reason: str = "",
    as_of: date | None = None,
) -> State[Any]:
    """登记提前回来上班，或撤销尚未开始的请假；从销假日期起，提醒重新发给本人。

    Args:
        department: 所在部门
        person: 请假人，写姓名
        back_on: 销假日期，回来上班的第一天；撤销整个请假的，填其起日
        entered_by: 录入人
        reason: 事由，只存入台账
        as_of: 登记日期，空为今天
    """
    entry = ReturnEntry(
        department=department,
        person=person,
        back_on=back_on,
        reason=reason,
        entered_by=entered_by,
    )
    return Completed(name="已登记", message=save_return(entry, moment(as_of)))
