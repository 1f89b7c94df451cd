"""Faults: what goes wrong with one thing stops no other, and is told once all are done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class Faults:
    """Faults of independent pieces of work (故障), none of them swallowed.

    As a context manager it tells them at the end, beside whatever ended it early.
    """

    def __init__(self) -> None:
        self._found: list[Exception] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._found and isinstance(error, Exception):
            self._found.append(error)
        if error is None or isinstance(error, Exception):  # else the process is to stop
            self.tell()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """What fails within waits for `tell`."""
        try:
            yield
        except Exception as fault:  # whatever it is, the next piece of work must not wait for it
            self._found.append(fault)

    def tell(self) -> None:
        """Raise all of them as one ExceptionGroup; nothing where there are none."""
        if self._found:
            raise ExceptionGroup("其余照常做完，以下没有做成", self._found)
