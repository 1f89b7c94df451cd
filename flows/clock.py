"""The one place that reads the clock."""

from datetime import date, datetime

from models.base import SHANGHAI
from models.entry import EntryRefused
from tasks.plan import plans


def moment(as_of: date | None = None) -> datetime:
    """Now in Asia/Shanghai, read once when a flow starts; on the day `as_of` where one is given.

    A day to come is for rehearsals alone: it would make every real pass until then a stale one.
    Raises EntryRefused.
    """
    now = datetime.now(SHANGHAI)
    if as_of is None:
        return now
    if as_of > now.date() and not all(plan.drill for plan in plans()):
        raise EntryRefused(f"日期 {as_of} 还没有到；只有演练可以用将来的日期")
    return datetime.combine(as_of, now.timetz())
