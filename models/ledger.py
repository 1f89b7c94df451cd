"""The ledger: every decision and change, append-only and hash-chained."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Mapped, Session

from models.base import SHANGHAI, Base, Code, Json, Key, Line

GENESIS = "0" * 64
# Any number will do, as long as nothing else in the database takes the same advisory lock.
_CHAIN_LOCK = 5520240624


class LedgerEntry(Base):
    """One line of the ledger (台账). Triggers refuse its update and deletion."""

    __tablename__ = "ledger"

    id: Mapped[Key]
    at: Mapped[datetime]
    actor: Mapped[Line]
    action: Mapped[Code]
    subject: Mapped[Line]
    detail: Mapped[Json]
    previous: Mapped[Code]
    digest: Mapped[Code]


@dataclass(frozen=True)
class Event:
    """What happened: `action` to `subject` (an object's code), with the values that decide it."""

    action: str
    subject: str
    detail: dict[str, Any]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in the ledger")


def plain(detail: dict[str, Any]) -> Any:
    """`detail` as JSON keeps it: dates become ISO text."""
    return json.loads(json.dumps(detail, default=_plain, ensure_ascii=False))


def digest(previous: str, at: datetime, actor: str, event: Event) -> str:
    """SHA-256 over the previous entry's digest and this entry's canonical JSON."""
    body = json.dumps(
        [previous, _plain(at), actor, event.action, event.subject, event.detail],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(body.encode()).hexdigest()


def queue(session: Session) -> None:
    """Wait for the end of the chain, which this transaction then holds until it ends.

    Only PostgreSQL needs it: on SQLite writers queue at BEGIN. For those who must take this lock
    before others; `append` takes it by itself.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})


def append(session: Session, at: datetime, actor: str, events: Iterable[Event]) -> None:
    """Write `events` in order, in the caller's transaction, which they stand or fall with.

    The chain has one end, for which writers queue.
    """
    events = list(events)
    if not events:
        return
    queue(session)
    previous = (
        session.scalar(select(LedgerEntry.digest).order_by(LedgerEntry.id.desc()).limit(1))
        or GENESIS
    )
    at = at.replace(microsecond=0)
    rows: list[dict[str, Any]] = []
    for event in events:
        event = Event(event.action, event.subject, plain(event.detail))
        own = digest(previous, at, actor, event)
        rows.append(
            {
                "at": at,
                "actor": actor,
                "action": event.action,
                "subject": event.subject,
                "detail": event.detail,
                "previous": previous,
                "digest": own,
            }
        )
        previous = own
    session.execute(insert(LedgerEntry), rows)


def first_bad(entries: Iterable[LedgerEntry]) -> LedgerEntry | None:
    """The first of `entries` (all, by id) that does not follow from the one before it, or None."""
    previous = GENESIS
    for entry in entries:
        event = Event(entry.action, entry.subject, entry.detail)
        expected = digest(previous, entry.at, entry.actor, event)
        if entry.previous != previous or entry.digest != expected:
            return entry
        previous = entry.digest
    return None


def append_only(table: str, refusal: str) -> dict[str, Sequence[str]]:
    """Triggers by dialect, to be made in order, that refuse to change or delete a row."""
    return {
        "sqlite": tuple(
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
            for act in ("UPDATE", "DELETE")
        ),
        "postgresql": (
            f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{refusal}'; END $$",
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()",
        ),
    }


APPEND_ONLY = append_only("ledger", "台账只能追加，不能修改或删除")
