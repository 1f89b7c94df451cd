"""The desk: a list of entries, taken in one transaction, all of them or none."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import ledger
from models.database import writing
from models.entry import Entry, EntryRefused
from models.inspection import Inspection
from models.ledger import Event
from models.round import Round
from tasks.duty import settle
from tasks.round import lock


class Desk:
    """The inspections that some entries are about, their rounds locked (登记).

    Rounds are locked in the order of their codes, before anything else, so that two lists never
    wait for each other; inspections are read at once, and their duties settled once a round.
    """

    def __init__(self, session: Session, codes: Collection[str]) -> None:
        self._session = session
        wanted = sorted(set(codes))
        concerned = select(Round.code).join(Inspection).where(Inspection.code.in_(wanted))
        self._rounds = {
            round.id: round
            for round in [lock(session, code) for code in sorted(set(session.scalars(concerned)))]
        }
        inspections = (
            select(Inspection)
            .where(Inspection.code.in_(wanted))
            .options(joinedload(Inspection.draw))
            .execution_options(populate_existing=True)
        )
        self._inspections = {one.code: one for one in session.scalars(inspections)}
        self._noted: list[tuple[str, Event, Inspection]] = []

    def find(self, code: str) -> tuple[Round, Inspection]:
        """The inspection of that code, and its round. EntryRefused where there is none."""
        inspection = self._inspections.get(code)
        if inspection is None:
            raise EntryRefused(f"没有检查编号“{code}”，应如 2024-1-D03")
        return self._rounds[inspection.round_id], inspection

    def note(
        self, inspection: Inspection, action: str, name: str, entry: Entry, entered_by: str
    ) -> None:
        """Keep an entry that stands, word by word, for the ledger."""
        event = Event(action, name, entry.model_dump(mode="json"))
        self._noted.append((entered_by, event, inspection))

    def settle(self, at: datetime) -> set[str]:
        """Write the ledger, bring the duties in line; returns the rounds concerned."""
        for entered_by, noted in groupby(self._noted, key=lambda one: one[0]):
            ledger.append(self._session, at, entered_by, [event for _, event, _ in noted])
        for round in self._rounds.values():
            own = [one for one in self._noted if one[2].round_id == round.id]
            inspections = {one.code: one for _, _, one in own}
            actors = "、".join(dict.fromkeys(entered_by for entered_by, _, _ in own))
            settle(self._session, round, at, list(inspections.values()), actors)
            round.version += 1
        return {round.code for round in self._rounds.values()}


@contextmanager
def desk(codes: Collection[str]) -> Iterator[Desk]:
    """A desk in a transaction of its own, for entries about the inspections of those codes."""
    with writing() as session:
        yield Desk(session, codes)


def find(session: Session, code: str) -> tuple[Round, Inspection]:
    """One inspection and its round, locked. EntryRefused where there is none."""
    return Desk(session, [code]).find(code)
