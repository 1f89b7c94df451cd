"""Progress of long work, told to whoever listens: a bar in the terminal, a page in the UI."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

# What is being done, how many of how many are.
Listener = Callable[[str, int, int], None]

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Within the block, `listener` is told of each step."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


def steps(what: str, items: Sequence[T]) -> Iterator[T]:
    """The items, one after another, each told once it is done with; `what` is Chinese."""
    for number, item in enumerate(items, start=1):
        yield item
        tell(what, number, len(items))


def tell(what: str, done: int, total: int) -> None:
    """Say that so many of so many are done; `what` is Chinese."""
    listener = _listener.get()
    if listener is not None:
        listener(what, done, total)
