"""Urgent alerts: of terms that run by the clock, each level at its minute, days off included."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from models.alert import Fallen, Step, stepped
from models.plan import UrgentLevel
from models.wording import MINUTE


def urgent_steps(
    started_at: datetime, due_at: datetime, levels: Sequence[UrgentLevel], after: str = ""
) -> Iterator[Step[datetime]]:
    """The steps that follow the one named `after`, in order; without end where the last repeats.

    Levels from the due minute on fall a minute later, since only then the duty is overdue.
    """

    def when(level: UrgentLevel, more: int) -> datetime:
        if level.at_start:
            return started_at + timedelta(hours=more)
        on = due_at + timedelta(hours=level.hours + more)
        return on + MINUTE if on >= due_at else on

    return stepped(levels, after, when)


def urgent_fallen(
    started_at: datetime,
    due_at: datetime,
    alerted_level: str,
    now: datetime,
    levels: Sequence[UrgentLevel],
) -> Fallen[datetime]:
    """What fell due after `alerted_level` until `now`, that minute included."""
    return Fallen.through(urgent_steps(started_at, due_at, levels, alerted_level), now)
