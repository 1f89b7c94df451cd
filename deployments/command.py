"""The command `shuangsuiji`. Chinese for people, `--json` for programs; bad input exits 2."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from typer.exceptions import TyperException

from deployments import alert_command, board_command, calendar_command, health_command
from deployments.terminal import Json, bar, now, say, say_json
from models.entry import EntryRefused
from models.settings import Settings, settings

app = typer.Typer(
    help="双随机、一公开：从抽取到公示，期限一个不漏。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
imports = typer.Typer(help="导入名录库（xlsx 或 csv）。", no_args_is_help=True)
app.add_typer(imports, name="import")
app.add_typer(calendar_command.app, name="calendar")
alert_command.register(app)
board_command.register(app)
health_command.register(app)
audit = typer.Typer(help="台账。", no_args_is_help=True)
app.add_typer(audit, name="audit")


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
    say(load_plan(content, now()))


@imports.command("subjects")
def import_subjects(file: Path) -> None:
    """导入检查对象名录库，要么全部导入，要么一条不导。"""
    from models.database import migrate
    from tasks.registers import import_subjects as run

    migrate()
    with bar():
        _changes(run(file, now(), "命令行"))


@imports.command("inspectors")
def import_inspectors(file: Path) -> None:
    """导入执法检查人员名录库，要么全部导入，要么一条不导。"""
    from models.database import migrate
    from tasks.registers import import_inspectors as run

    migrate()
    with bar():
        _changes(run(file, now(), "命令行"))


def _changes(changes: Any) -> None:
    say(f"新增 {len(changes.added)}，变更 {len(changes.changed)}，未变 {len(changes.unchanged)}")


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
        return
    try:
        write(output, content + b"\n")
    except OSError as error:
        raise EntryRefused(f"写不进 {output}（{error.strerror}）") from error
    say(f"已写入 {output}")


@app.command()
def draw(
    round: Annotated[str, typer.Argument(metavar="ROUND", help="轮次代码，如 2024-1")],
    grade: Annotated[str, typer.Argument(metavar="GRADE", help="风险等级 A、B、C、D")],
    by: Annotated[str, typer.Option(help="申请人，记入台账")] = "命令行",
) -> None:
    """抽取一个等级，其日期须已到；已经封存的不能再抽，再抽的请求记入台账。"""
    from models.database import migrate
    from tasks.draw import draw_grade as run

    migrate()
    run(round, grade, by, now())
    say(f"{round}-{grade} 已抽取并封存")


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],
    }
)
def verify(context: typer.Context) -> None:
    """验证证据包：FILE [--code 代码]，或 --seed 种子 --code 代码 只算一户；不需要数据库。"""
    from deployments import verify_draw

    raise typer.Exit(verify_draw.main(context.args))


@audit.command("verify")
def audit_verify(
    number: Annotated[int, typer.Option(help="催办邮件末尾所载的台账条号")] = 0,
    digest: Annotated[str, typer.Option(help="同一邮件所载的台账摘要")] = "",
) -> None:
    """校验台账的哈希链，指出第一条不符的；凭一封催办邮件还可查验此前各条未被删去或换掉。"""
    from models.database import migrate
    from tasks.ledger import holds
    from tasks.ledger import verify as run

    if bool(number) != bool(digest):
        raise typer.BadParameter("--number 和 --digest 须一起给出，都抄自同一封催办邮件")
    migrate()
    count, bad = run()
    if bad is not None:
        say(f"台账第 {bad} 条与前文不符：它或它之前的内容被改动过")
        raise typer.Exit(1)
    if number and not holds(number, digest):
        say(f"台账第 {number} 条与邮件所载摘要不符：它或它之前的内容被删去或换掉过")
        raise typer.Exit(1)
    say(f"台账完好，共 {count} 条" + (f"，第 {number} 条与邮件所载摘要相符" if number else ""))


@app.command()
def rehearse(
    plan: Annotated[Path | None, typer.Option(help="计划文件，缺省为随附方案")] = None,
    as_json: Json = False,
) -> None:
    """演练：用虚拟日期把一个方案从抽取走到公示，全程使用真实流程。"""
    from deployments.rehearsal import rehearse as run

    summary = run(settings(), plan or settings().plan, quiet=as_json)
    if as_json:
        say_json(summary)


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
    say(f"已备份到 {file}")


@app.command()
def restore(file: Path) -> None:
    """用备份恢复数据库。"""
    from tasks.backup import restore as run

    run(file)
    say(f"已从 {file} 恢复")


def main() -> None:
    """The command's entry: what a person can put right is one Chinese line and exit 2."""
    from deployments.server import prepare

    try:
        prepare(_settings())
        # Not its own way of saying what is wrong, which is a box of several English lines.
        sys.exit(app(standalone_mode=False))
    except TyperException as wrong:
        if not wrong.format_message():  # the help was shown, for want of anything to do
            sys.exit(2)
        message = f"用法不对，请看 --help：{wrong.format_message()}"
    except Exception as refused:
        if not isinstance(refused, _refusals()):
            raise
        message = str(refused.args[0] if isinstance(refused, LookupError) else refused)
    typer.echo(message, err=True)
    sys.exit(2)


def _refusals() -> tuple[type[Exception], ...]:
    """What a person can put right; imported only where something is, for it takes its time."""
    from calendars import NotCovered
    from deployments.server import ServerRefused
    from models.freeze import DrawRefused
    from models.plan import PlanRefused
    from models.registers import RegisterError
    from tasks.evidence import NotRevealed
    from tasks.round import UnknownRound

    return (
        NotCovered,
        ServerRefused,
        EntryRefused,
        DrawRefused,
        PlanRefused,
        RegisterError,
        NotRevealed,
        UnknownRound,
    )


def _settings() -> Settings:
    try:
        return settings()
    except ValidationError as error:
        names = "、".join(f"SHUANGSUIJI_{one['loc'][0]}".upper() for one in error.errors())
        raise EntryRefused(f"环境变量或 .env 中 {names} 的值不对") from None
