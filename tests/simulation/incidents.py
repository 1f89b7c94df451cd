"""What befalls an office beside its duties, of every sort."""

from collections.abc import Iterator
from datetime import date

from cases import Cases
from changes import Changes
from crimes import Crimes
from mistakes import Mistakes
from people import Act, People
from seen import Seen


class Incidents:
    """All of them; each sort draws its own lots."""

    def __init__(self, seen: Seen, people: People) -> None:
        self.crimes = Crimes(seen, people)
        self._sorts = (
            Cases(seen, people),
            Changes(seen, people),
            Mistakes(seen, people),
            self.crimes,
        )

    def acts(self, today: date) -> Iterator[Act]:
        """What happens today; each as the one before it left the office."""
        for sort in self._sorts:
            yield from sort.acts(today)
