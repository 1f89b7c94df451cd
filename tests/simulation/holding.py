"""How it is held that something must be so; a statement is the docstring of its function."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from seen import Row, Seen

from models.base import SHANGHAI
from models.plan import DUTY_NAMES

Invariant = Callable[[Seen], Iterator[str]]


class Violation(Exception):
    """Something that must hold does not."""

    def __init__(self, statement: str, faults: list[str]) -> None:
        self.statement, self.faults = statement, faults
        super().__init__(f"{statement} {'; '.join(faults[:5])}")


def hold(seen: Seen, invariants: tuple[Invariant, ...]) -> None:
    """Raises Violation for the first of them that does not hold."""
    for invariant in invariants:
        if faults := list(invariant(seen)):
            raise Violation(" ".join((invariant.__doc__ or "").split()), faults)


def name(row: Row) -> str:
    """A duty as the ledger names it."""
    return f"{DUTY_NAMES[row['duty']]} {row['object']}"


def moment(text: str) -> datetime:
    """A moment as the tables keep it."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(SHANGHAI)
