"""Forms about referrals and follow-ups."""

from datetime import date
from typing import Any

from prefect.client.schemas.objects import State

from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from models.referral import FollowUpEntry, ReferralEntry
from tasks import referral

save_referrals = stage("登记移送", referral.confirm_referrals)
save_follow_ups = stage("登记后续监管", referral.close_follow_ups)


@form("登记移送")
def confirm_referral(entries: list[ReferralEntry], as_of: date | None = None) -> State[Any]:
    """登记不利结果是否移送（转办）；已移送的登记移送日期和移送函，收到回执后再补接收情况。

    Args:
        entries: 各项移送
        as_of: 登记日期，空为今天
    """
    return entered(save_referrals(entries, moment(as_of)))


@form("登记后续监管")
def close_follow_up(entries: list[FollowUpEntry], as_of: date | None = None) -> State[Any]:
    """登记复查意见或后续处置结果，问题由此办结。

    Args:
        entries: 各项后续监管
        as_of: 登记日期，空为今天
    """
    return entered(save_follow_ups(entries, moment(as_of)))
