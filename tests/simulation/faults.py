"""Faults: a process that dies at a commit, before it or after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


class Crash(BaseException):
    """The process is dead: nothing that it would have done from here on is done."""


class Crashes:
    """Kills whatever is running at the n-th commit from now.

    A dead process runs no `finally` either: until the death is noticed, nothing begins, commits,
    is sent or written.
    """

    def __init__(self) -> None:
        self.count = 0
        self._left = 0
        self._after = False
        self._dying = False

    def arm(self, number: int, after: bool) -> None:
        """Die at that commit."""
        self._left, self._after = number, after

    def disarm(self) -> None:
        """Die at none."""
        self._left = 0

    def alive(self, *_: Any) -> None:
        """To be called before anything that a dead process does not do."""
        if self._dying:
            raise Crash

    def buried(self) -> bool:
        """Whether the process died since this was asked last; a new one may start."""
        died, self._dying = self._dying, False
        self.count += died
        return died

    def _commit(self, _: Any) -> None:
        self.alive()
        if self._left:
            self._left -= 1
            if not self._left:
                self._dying = True
                if not self._after:
                    raise Crash

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count the commits of every engine within."""
        event.listen(Engine, "commit", self._commit)
        event.listen(Engine, "begin", self.alive)
        try:
            yield
        finally:
            event.remove(Engine, "commit", self._commit)
            event.remove(Engine, "begin", self.alive)
