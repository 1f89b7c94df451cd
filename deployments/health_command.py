"""The command `health`: exit 0 where all is well, 1 with what is wrong; for cron or a monitor."""

import typer

from deployments.terminal import Json, now, say, say_json


def health(as_json: Json = False) -> None:
    """值守检查：期限检查、轮次推进、邮件是否都按时做了；正常为 0，有问题为 1。不需要服务在运行。"""
    from models.database import migrate
    from tasks.health import problems

    migrate()
    found = problems(now())
    if as_json:
        say_json({"ok": not found, "problems": [vars(one) for one in found]})
    else:
        for one in found:
            say(one.text)
        if not found:
            say("一切正常")
    raise typer.Exit(1 if found else 0)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(health)
