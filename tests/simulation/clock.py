"""The virtual clock of an office: the only time there is in a simulation."""

from datetime import date, datetime, time, timedelta

from models.base import SHANGHAI

TICK = timedelta(milliseconds=10)


class Clock:
    """Moves on by itself a little whenever it is read; somebody may have set it wrong (`wrong`)."""

    def __init__(self, day: date) -> None:
        self.day = day
        self.wrong = timedelta()
        self._at = time()
        self._ticks = 0

    def begin(self, day: date, wrong: timedelta) -> None:
        """A new day; the office's clock is `wrong` by so much on it."""
        self.day, self.wrong = day, wrong
        self.to(time(8, 30))

    def to(self, at: time) -> None:
        """Some time of the day."""
        self._at, self._ticks = at, 0

    def now(self) -> datetime:
        """What the office's clock shows."""
        self._ticks += 1
        now = datetime.combine(self.day, self._at, tzinfo=SHANGHAI) + self.wrong
        return now + self._ticks * TICK

    def moment(self, as_of: date | None = None) -> datetime:
        """`flows.clock.moment` by this clock."""
        now = self.now()
        return now if as_of is None else datetime.combine(as_of, now.timetz())

    def monotonic(self) -> float:
        """Seconds that only ever grow within one run."""
        self._ticks += 1
        return self._ticks * TICK.total_seconds()
