"""The ledger, checked."""

from sqlalchemy import func, select

from models.database import reading
from models.ledger import LedgerEntry, first_bad


def verify() -> tuple[int, int | None]:
    """How many entries the ledger has, and the first that does not follow from those before it."""
    with reading() as session:
        count = session.scalar(select(func.count()).select_from(LedgerEntry)) or 0
        entries = session.scalars(
            select(LedgerEntry).order_by(LedgerEntry.id).execution_options(yield_per=1000)
        )
        bad = first_bad(entries)
        return count, bad.id if bad else None
