"""The ledger, checked."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

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


def head(session: Session) -> str:
    """The ledger's end in words, for mails: who keeps one can show that entries were cut off."""
    last = session.execute(
        select(LedgerEntry.id, LedgerEntry.digest).order_by(LedgerEntry.id.desc()).limit(1)
    ).first()
    return f"第 {last.id} 条，摘要 {last.digest}" if last else ""


def holds(number: int, digest: str) -> bool:
    """Whether the ledger's entry of that number is the one whose digest a mail has kept."""
    with reading() as session:
        found = session.scalar(select(LedgerEntry.digest).where(LedgerEntry.id == number))
        return found is not None and found == digest.strip().lower()
