"""`shuangsuiji calendar`: due days and their explanation, notices, coverage."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.terminal import Json, day, now, say, say_json
from models.entry import EntryRefused
from models.settings import settings

if TYPE_CHECKING:
    from calendars import WorkingCalendar

app = typer.Typer(help="工作日历。", no_args_is_help=True)


def _calendar() -> "WorkingCalendar":
    """The office's calendar; that of the published years where there is no database to ask."""
    scheme, _, path = settings().database.partition(":///")
    if scheme == "sqlite" and not Path(path).exists():
        from calendars import WorkingCalendar

        return WorkingCalendar.china()
    from tasks.calendar import current_calendar

    return current_calendar()


@app.command("due")
def due(
    event: Annotated[str, typer.Argument(metavar="DATE", help="起始日，如 2024-09-10")],
    working_days: Annotated[int, typer.Option(help="工作日数，可为负数")],
    explain: Annotated[bool, typer.Option("--explain", help="逐日列出计与不计的理由")] = False,
    as_json: Json = False,
) -> None:
    """算出一个期限的到期日。"""
    from calendars import explain as explained

    if working_days == 0:
        raise EntryRefused("--working-days 不能是 0：第 1 个工作日是起始日之后的首个工作日")
    found = _calendar().deadline(day(event, "起始日"), working_days=working_days)
    if as_json:
        say_json(found.as_dict())
    elif explain:
        say(explained(found))
    else:
        say(f"{found.due_on}{'（暂定）' if found.provisional else ''}")


@app.command("status")
def status(as_json: Json = False) -> None:
    """日历覆盖到哪一年，确定到哪一天，下一步做什么。"""
    from calendars import notice_reminder

    found = _calendar()
    year = found.covered_through.year + 1
    tone = notice_reminder(now().date(), found.covered_through)
    step = {
        None: f"等国务院办公厅公布 {year} 年节假日安排通知，届时用 calendar import 导入",
        "提醒": f"{year} 年的通知一般在 11 月公布，公布后即用 calendar import 导入",
        "加急": f"尽快查到 {year} 年节假日安排通知，用 calendar import 导入；此后的期限都是暂定的",
    }[tone]
    figures = {
        "covered_from": found.covered_from.isoformat(),
        "covered_through": found.covered_through.isoformat(),
        "firm_through": found.firm_through.isoformat(),
        "version": found.version,
        "next_step": step,
    }
    if as_json:
        say_json(figures)
        return
    say(f"覆盖 {found.covered_from} 至 {found.covered_through}，确定到 {found.firm_through}")
    say(f"版本 {found.version}")
    say(f"下一步：{step}")


@app.command("import")
def import_notice(
    file: Annotated[Path, typer.Argument(help="通知全文的文本文件")],
    number: Annotated[str, typer.Option(help="文号，如 国办发明电〔2025〕7号")],
    issued: Annotated[str, typer.Option(help="发文日期，如 2025-11-04")],
    confirm: Annotated[
        list[str] | None, typer.Option(help="校验不符仍要导入时，由两人确认，各写一次")
    ] = None,
    as_json: Json = False,
) -> None:
    """导入国务院办公厅的节假日安排通知；逐项校验，未完成的期限随之重新计算。"""
    from models.database import migrate
    from tasks.holiday import import_notice as run
    from tasks.holiday import read_text

    text, issued_on = read_text(file), day(issued, "--issued")
    migrate()
    try:
        done = run(text, number, issued_on, confirm or [], now(), "命令行")
    except EntryRefused as refused:
        raise EntryRefused(f"{file.name}：{refused}") from refused
    if as_json:
        say_json(
            {
                "number": done.number,
                "year": done.year,
                "version": done.version,
                "moved": done.moved,
                "mails": done.mails,
            }
        )
        return
    say(f"已导入 {done.number}（{done.year} 年），日历版本 {done.version}")
    say(f"重新计算期限 {len(done.moved)} 项，通知 {done.mails} 人")
    for line in done.moved:
        say(f"  {line}")


@app.command("explain")
def explain_duty(
    object: Annotated[str, typer.Argument(help="检查编号或检查编号/部门，如 2024-1-D03/yjglj")],
    as_json: Json = False,
) -> None:
    """逐日说明一项检查的各个期限：依据、起始、计与不计、中止与延期。"""
    from models.database import migrate
    from tasks.explanation import explain

    migrate()
    found = explain(object)
    if as_json:
        say_json([one.as_dict() for one in found])
        return
    for one in found:
        say(one.text())
        say("")
