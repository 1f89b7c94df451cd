"""`sweep` and `deliver`: the deadline sweep and the sending by hand, or what they would do."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from deployments.terminal import AsOf, bar, day, now, say

DryRun = Annotated[bool, typer.Option("--dry-run", help="只试算：看会发出什么，不发信，不留记录")]


def sweep(as_of: AsOf = "", dry_run: DryRun = False) -> None:
    """检查一次期限，生成提醒；不需要服务在运行。"""
    from flows.clock import moment
    from models.database import migrate
    from tasks.fault import Faults
    from tasks.morning import MORNING
    from tasks.obligation import sweep as run
    from tasks.preview import preview_mails
    from tasks.urgent import sweep_urgent

    migrate()
    if dry_run:
        _show(preview_mails(day(as_of, "--as-of") if as_of else now().date()))
        return
    at = moment(day(as_of, "--as-of") if as_of else None)
    with Faults() as faults:
        for look_after in MORNING.values():
            with faults.kept():
                look_after(at)
        with faults.kept():
            urgent = sweep_urgent(at)
            if urgent.alerts:
                say(f"加急提醒 {urgent.alerts} 条，请运行 deliver 立即发出")
        done = run(at.date(), at)
        say(f"{done.as_of} 期限检查：{done.told}")


def _show(mails: Sequence[Any]) -> None:
    """Mails as they would go out."""
    for mail in mails:
        say(f"收件人：{mail.name} <{mail.email}>\n主题：{mail.subject}\n\n{mail.text}\n")
    say(f"试算：将发出 {len(mails)} 封邮件；没有发信，没有留下记录")


def deliver(dry_run: DryRun = False) -> None:
    """发出一次待发的邮件和到时的加急提醒；不需要服务在运行。"""
    from models.database import migrate, reading
    from tasks.fault import Faults
    from tasks.mail import deliver as run
    from tasks.outbox import outgoing
    from tasks.urgent import sweep_urgent

    migrate()
    at = now()
    if dry_run:
        with reading() as session:
            _show(outgoing(session, at))
        return
    with Faults() as faults:
        with faults.kept():
            sweep_urgent(at)
        with bar():
            done = run(at)
        say(f"已发 {done.sent} 封，待重试 {done.retried} 封，无法送达 {done.undeliverable} 封")
        if done.stopped:
            say(done.stopped)


def register(app: typer.Typer) -> None:
    """Add both to the command."""
    app.command()(sweep)
    app.command()(deliver)
