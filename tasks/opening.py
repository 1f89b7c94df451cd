"""Opening a round before its planned day, by the coordinator's decision."""

from datetime import datetime

from models import ledger
from models.database import writing
from models.entry import EntryRefused
from models.ledger import Event
from tasks.duty import settle
from tasks.round import lock


def open_early(code: str, reason: str, decided_by: str, at: datetime) -> str:
    """Let the round open today, within the plan's window; returns its code.

    The ledger keeps who decided it and why; visits stay as planned. EntryRefused where the round
    is open already, its day has come anyway, or the window has not begun; raises UnknownRound.
    """
    day = at.date()
    with writing() as session:
        round = lock(session, code)
        begins_on = round.plan_version.plan.window.begins_on
        if round.opened_on is not None:
            raise EntryRefused(f"轮次 {code} 已于 {round.opened_on} 开启，无须提前")
        if day >= round.opens_on:
            raise EntryRefused(f"轮次 {code} 的开始日 {round.opens_on} 已到，会自行开启，无须提前")
        if day < begins_on:
            raise EntryRefused(f"方案的检查时间自 {begins_on} 起，轮次 {code} 不能在此之前开启")
        detail = {"before": round.opens_on, "after": day, "reason": reason}
        round.opens_on = day
        round.version += 1
        ledger.append(session, at, decided_by, [Event("提前开启轮次", code, detail)])
        settle(session, round, at, actor=decided_by, why=f"提前开启：{reason}")
        return code
