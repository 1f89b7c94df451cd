"""The command `shuangsuiji`. Chinese for people, `--json` for programs; bad input exits 2."""

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from models.base import SHANGHAI
from models.settings import settings

app = typer.Typer(
    help="双随机、一公开：从抽取到公示，期限一个不漏。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
imports = typer.Typer(help="导入名录库（xlsx 或 csv）。", no_args_is_help=True)
app.add_typer(imports, name="import")
calendar = typer.Typer(help="工作日历。", no_args_is_help=True)
app.add_typer(calendar, name="calendar")
audit = typer.Typer(help="台账。", no_args_is_help=True)
app.add_typer(audit, name="audit")

Json = Annotated[bool, typer.Option("--json", help="输出 JSON，供程序读取")]
AsOf = Annotated[str, typer.Option("--as-of", help="按哪一天，如 2024-07-01；空为今天")]


def _say(text: str) -> None:
    typer.echo(text)


def _json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _now() -> datetime:
    return datetime.now(SHANGHAI)


def _day(text: str, what: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{what}应如 2024-07-01，现为“{text}”") from None


@app.command()
def init(
    plan: Annotated[Path | None, typer.Option(help="计划文件，缺省为随附方案")] = None,
) -> None:
    """建库或升级数据库，载入抽查工作计划，登记轮次。"""
    from models.database import migrate
    from models.plan import read_plan
    from tasks.plan import load_plan

    content = read_plan(plan or settings().plan)
    migrate()
    _say(load_plan(content, _now()))


@imports.command("subjects")
def import_subjects(file: Path) -> None:
    """导入检查对象名录库，要么全部导入，要么一条不导。"""
    from models.database import migrate
    from tasks.registers import import_subjects as run

    migrate()
    _changes(run(file, _now(), "命令行"))


@imports.command("inspectors")
def import_inspectors(file: Path) -> None:
    """导入执法检查人员名录库，要么全部导入，要么一条不导。"""
    from models.database import migrate
    from tasks.registers import import_inspectors as run

    migrate()
    _changes(run(file, _now(), "命令行"))


def _changes(changes: Any) -> None:
    _say(f"新增 {len(changes.added)}，变更 {len(changes.changed)}，未变 {len(changes.unchanged)}")


@calendar.command("due")
def calendar_due(
    event: Annotated[str, typer.Argument(metavar="DATE", help="起始日，如 2024-09-10")],
    working_days: Annotated[int, typer.Option(help="工作日数，可为负数")],
    explain: Annotated[bool, typer.Option("--explain", help="逐日列出计与不计的理由")] = False,
    as_json: Json = False,
) -> None:
    """算出一个期限的到期日。"""
    from calendars import WorkingCalendar
    from calendars import explain as explained

    found = WorkingCalendar.china().deadline(_day(event, "起始日"), working_days=working_days)
    if as_json:
        _json(found.as_dict())
    elif explain:
        _say(explained(found))
    else:
        _say(f"{found.due_on}{'（暂定）' if found.provisional else ''}")


@calendar.command("status")
def calendar_status(as_json: Json = False) -> None:
    """日历覆盖到哪一年，确定到哪一天，下一步做什么。"""
    from calendars import WorkingCalendar

    found = WorkingCalendar.china()
    year = found.covered_through.year
    status = {
        "covered_from": found.covered_from.isoformat(),
        "covered_through": found.covered_through.isoformat(),
        "firm_through": found.firm_through.isoformat(),
        "version": found.version,
        "next_step": f"国务院办公厅 {year + 1} 年节假日安排通知公布后，用 calendar import 导入",
    }
    if as_json:
        _json(status)
    else:
        _say(f"覆盖 {found.covered_from} 至 {found.covered_through}，确定到 {found.firm_through}")
        _say(f"版本 {found.version}")
        _say(status["next_step"])


@app.command()
def sweep(as_of: AsOf = "") -> None:
    """检查一次期限，生成提醒；不需要服务在运行。"""
    from flows.clock import moment
    from models.database import migrate
    from tasks.duty import update_duties
    from tasks.obligation import sweep as run
    from tasks.round import rounds_to_pass

    migrate()
    at = moment(_day(as_of, "--as-of ") if as_of else None)
    for code in rounds_to_pass(at.date()):
        update_duties(code, at)
    _say(str(run(at.date(), at)))


@app.command()
def deliver() -> None:
    """发出一次待发的邮件；不需要服务在运行。"""
    from models.database import migrate
    from tasks.mail import deliver as run

    migrate()
    _say(str(run(_now())))


@app.command()
def evidence(
    round: Annotated[str, typer.Argument(metavar="ROUND", help="轮次代码，如 2024-1")],
    grade: Annotated[str, typer.Argument(metavar="GRADE", help="风险等级 A、B、C、D")],
    output: Annotated[Path | None, typer.Option("-o", help="写入文件，缺省输出到屏幕")] = None,
) -> None:
    """取出一次抽取的证据包；公开之前不给。"""
    from models.database import migrate
    from tasks.evidence import evidence as run
    from tasks.paper import write

    migrate()
    content = run(round, grade)
    if output is None:
        sys.stdout.buffer.write(content + b"\n")
    else:
        write(output, content + b"\n")
        _say(f"已写入 {output}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def verify(context: typer.Context, file: Path) -> None:
    """验证证据包：与抽取程序不共用代码，不需要数据库。"""
    from deployments import verify_draw

    raise typer.Exit(verify_draw.main([str(file), *context.args]))


@audit.command("verify")
def audit_verify() -> None:
    """校验台账的哈希链，指出第一条不符的。"""
    from models.database import migrate
    from tasks.ledger import verify as run

    migrate()
    count, bad = run()
    if bad is not None:
        _say(f"台账第 {bad} 条与前文不符：它或它之前的内容被改动过")
        raise typer.Exit(1)
    _say(f"台账完好，共 {count} 条")


@app.command()
def rehearse(
    plan: Annotated[Path | None, typer.Option(help="计划文件，缺省为随附方案")] = None,
    as_json: Json = False,
) -> None:
    """演练：用虚拟日期把一个方案从抽取走到公示，全程使用真实流程。"""
    from deployments.rehearsal import rehearse as run

    summary = run(settings(), plan or settings().plan, quiet=as_json)
    if as_json:
        _json(summary)


@app.command()
def serve() -> None:
    """启动服务：Prefect、界面、部署和日程，直到停止。"""
    from deployments.service import serve as run

    run(settings())


@app.command()
def backup(file: Path) -> None:
    """在运行中备份数据库。"""
    from tasks.backup import backup as run

    run(file)
    _say(f"已备份到 {file}")


@app.command()
def restore(file: Path) -> None:
    """用备份恢复数据库。"""
    from tasks.backup import restore as run

    run(file)
    _say(f"已从 {file} 恢复")


def main() -> None:
    """The command's entry: what a person can put right is one Chinese line and exit 2."""
    from calendars import NotCovered
    from deployments.server import ServerRefused, prepare
    from models.entry import EntryRefused
    from models.freeze import DrawRefused
    from models.plan import PlanRefused
    from models.registers import RegisterError
    from tasks.evidence import NotRevealed
    from tasks.round import UnknownRound

    prepare(settings())
    refusals = (
        NotCovered,
        ServerRefused,
        EntryRefused,
        DrawRefused,
        PlanRefused,
        RegisterError,
        NotRevealed,
        UnknownRound,
    )
    try:
        app()
    except refusals as refused:
        message = str(refused.args[0] if isinstance(refused, LookupError) else refused)
        typer.echo(message, err=True)
        sys.exit(2)
