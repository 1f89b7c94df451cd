"""What the commands share: how they speak, and how they read a day."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.entry import EntryRefused

if TYPE_CHECKING:
    from rich.progress import TaskID

Json = Annotated[bool, typer.Option("--json", help="输出 JSON，供程序读取")]
AsOf = Annotated[str, typer.Option("--as-of", help="按哪一天，如 2024-07-01；空为今天")]


def say(text: str) -> None:
    """A line for people."""
    typer.echo(text)


def say_json(value: Any) -> None:
    """The same for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def now() -> datetime:
    """Now in Asia/Shanghai; commands stand above flows/, and may read the clock."""
    from models.base import SHANGHAI

    return datetime.now(SHANGHAI)


def day(text: str, what: str) -> date:
    """The date of an argument; EntryRefused with one Chinese line otherwise."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise EntryRefused(f"{what}应如 2024-07-01，现为“{text}”") from None


@contextmanager
def bar() -> Iterator[None]:
    """Within the block, long work shows a bar, if anybody is looking at the terminal."""
    from rich.console import Console
    from rich.progress import Progress

    from tasks.steps import listening

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
        bars: dict[str, TaskID] = {}

        def listen(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = shown.add_task(what, total=total)
            shown.update(bars[what], completed=done, total=total)

        with listening(listen):
            yield
