"""What may befall an office on a working day, each kind with its chance."""

from collections.abc import Callable, Iterator
from datetime import date
from random import Random
from typing import Any, ClassVar

from people import Act, People
from seen import Row, Seen


class Chance:
    """Incidents of one sort; most need something to happen to. `chances`: by method's name."""

    chances: ClassVar[dict[str, float]]

    def __init__(self, seen: Seen, people: People) -> None:
        self.seen, self.people, self.world = seen, people, seen.world
        self.random = Random(f"{type(self).__name__} {seen.world.seed}")

    def acts(self, today: date) -> Iterator[Act]:
        """What happens today."""
        for name, chance in self.chances.items():
            make: Callable[[date], Act | None] = getattr(self, f"_{name}")
            if self.random.random() < chance and (act := make(today)):
                yield act

    def _any(self, query: str, *given: Any) -> Row | None:
        rows = self.seen.rows(query, *given)
        return self.random.choice(rows) if rows else None

    def _running(self) -> Row | None:
        """An inspection that is neither over nor given up."""
        return self._any("SELECT * FROM inspection WHERE ended_on IS NULL AND dropped_on IS NULL")

    def _recorded(self) -> Row | None:
        return self._any(
            "SELECT code, department FROM department_record r JOIN inspection i "
            "ON i.id = inspection_id JOIN round ON round.id = round_id "
            "WHERE r.version > 0".replace("SELECT code", "SELECT i.code AS code")
        )

    def _draw(self, where: str) -> Row | None:
        return self._any(
            f"SELECT code, grade FROM draw JOIN round ON round.id = round_id WHERE {where}"
        )
