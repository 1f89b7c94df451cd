"""The command `board`: the deadline board in the terminal, or as JSON."""

from datetime import datetime

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments.terminal import AsOf, Json, day, now, say_json
from models.board import Board, CellState, OpenDuty
from models.plan import DUTY_NAMES

FIRST = 50
_STYLES: dict[CellState, str] = {
    "none": "dim",
    "done": "green",
    "open": "",
    "soon": "yellow",
    "overdue": "bold red",
}


def board(as_of: AsOf = "", as_json: Json = False) -> None:
    """期限看板：哪些逾期、在谁手里、下一步是什么；不需要服务在运行。"""
    from models.database import migrate
    from tasks.board import board as run

    migrate()
    at = now()
    on = day(as_of, "--as-of") if as_of else at.date()
    found = run(on, datetime.combine(on, at.timetz()))
    if as_json:
        say_json(found.as_dict())
    else:
        show(found, Console())


def show(found: Board, console: Console) -> None:
    """Print the board: the strip, what is overdue and due soon, and the state of things."""
    if not console.is_terminal:
        console.width = 160
    console.print(_strip(found))
    console.print(_duties(f"逾期 {len(found.overdue)} 项", found.overdue, "逾期工作日"))
    console.print(_duties(f"一周内到期 {len(found.soon)} 项", found.soon, "剩余工作日"))
    if found.statistics:
        console.print(_rates(found))
    for line in _state(found):
        console.print(line, highlight=False)


def _strip(found: Board) -> Table:
    table = Table(title=f"期限看板 · {found.as_of}")
    table.add_column("轮次", no_wrap=True)
    for name in DUTY_NAMES.values():
        table.add_column(name, justify="right", no_wrap=True)
    for line in found.rounds:
        cells = []
        for cell in line.cells:
            count = f"{cell.done}/{cell.total}\n" if cell.total else ""
            cells.append(Text(f"{count}{cell.note}", style=_STYLES[cell.state]))
        table.add_row(line.code, *cells)
    return table


def _duties(title: str, duties: tuple[OpenDuty, ...], days: str) -> Table:
    left = len(duties) - FIRST
    table = Table(title=title, caption=f"另有 {left} 项，见 --json" if left > 0 else None)
    for heading in ("职责", "检查对象", "部门", "责任人", "到期日"):
        table.add_column(heading)
    table.add_column(days, justify="right")
    table.add_column("最近提醒")
    table.add_column("下一步")
    for one in duties[:FIRST]:
        table.add_row(
            one.name,
            one.subject,
            one.department,
            one.person,
            one.due,
            one.distance,
            f"{one.last_alert_on:%m-%d} {one.last_alert}" if one.last_alert_on else "未提醒",
            "中止中" if one.suspended else f"{one.next_on:%m-%d} {one.next}" if one.next_on else "",
        )
    return table


def _rates(found: Board) -> Table:
    table = Table(title="统计")
    table.add_column("方案")
    for rate in found.statistics[0].rates:
        table.add_column(rate.name, justify="right")
    for one in found.statistics:
        table.add_row(one.scope, *(f"{r.percent}\n{r.part}/{r.whole}" for r in one.rates))
    return table


def _state(found: Board) -> list[str]:
    swept = f"{found.swept_on}" if found.swept_on else "还没有检查过"
    lines = [f"最近一次期限检查：{swept}　无法送达的邮件：{found.lost_mails} 封"]
    if found.coverage:
        lines.append(f"工作日历：{found.coverage.firm_through} 之前确定")
    if found.provisional:
        lines.append(f"暂定到期日：{sum(one.count for one in found.provisional)} 项")
    lines += [f"请假：{one.person}（{one.department}）{one.told}" for one in found.away]
    return lines


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(board)
