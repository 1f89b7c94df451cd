"""The form about suspected crime, whose terms run by the clock."""

from datetime import date
from typing import Any

from prefect.client.schemas.objects import State

from flows.clock import moment
from flows.entry import entered, form
from flows.stage import stage
from models.crime import CrimeEntry
from tasks import crime, urgent

save_crimes = stage("登记涉嫌犯罪移送", crime.enter_crimes)
sweep_urgent = stage("加急催办", urgent.sweep_urgent)


@form("登记涉嫌犯罪移送")
def enter_crime(entries: list[CrimeEntry], as_of: date | None = None) -> State[Any]:
    """登记涉嫌犯罪案件的移送报告、负责人的决定和向公安机关的移交；每有进展就再填一次，已登记的照填。

    Args:
        entries: 各案
        as_of: 登记日期，空为今天
    """
    at = moment(as_of)
    rounds = save_crimes(entries, at)
    sweep_urgent(at)  # the first alert is due at once
    return entered(rounds)
