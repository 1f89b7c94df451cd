"""What all forms share: an entry stands and a pass follows, or it is sent back with the reason."""

from collections.abc import Callable, Iterable
from typing import Any

from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows.stage import ask_for_pass
from models.entry import EntryRefused
from models.freeze import DrawRefused
from tasks.round import UnknownRound

# What a person can put right; anything else is a fault of ours and crashes the run.
REFUSALS = (EntryRefused, DrawRefused, UnknownRound)


def entered(enter: Callable[[], Iterable[str]]) -> State[Any]:
    """Run `enter`, which returns the rounds concerned; end as 已登记 or, refused, as 退回补正."""
    try:
        rounds = sorted(enter())
    except REFUSALS as refused:
        return Failed(name="退回补正", message=str(refused))
    for code in rounds:
        ask_for_pass(code, f"entry:{flow_run.id}")
    return Completed(name="已登记", message="、".join(rounds))
