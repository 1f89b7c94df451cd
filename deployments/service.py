"""The service: server, UI, deployments and schedules, until stopped."""

from datetime import datetime

import typer

from deployments.server import starting, ui_url
from models.base import SHANGHAI
from models.database import migrate
from models.plan import read_plan
from models.settings import Settings
from tasks.plan import load_plan, plans


def serve(settings: Settings) -> None:
    """Start the server, bring the database up to date, serve every loaded plan's deployments.

    With no plan loaded yet, the one of the settings is. Ends on Ctrl-C or SIGTERM.
    """
    with starting(settings) as answering:  # which takes longer than what we have to do
        migrate()
        if not plans():
            typer.echo(load_plan(read_plan(settings.plan), datetime.now(SHANGHAI)))
        from deployments.registry import serve as serve_deployments
        from flows.links import BOARD, START, Links

        def announce(links: Links) -> None:
            for name, address in (
                ("开始页", links.artifact(START)),
                ("期限看板", links.artifact(BOARD)),
                ("当前各轮次", links.runs("当前")),
            ):
                typer.echo(f"{name}：{address}")
            typer.echo(f"界面：{ui_url(settings)}　停止：Ctrl-C")

        answering()
        serve_deployments(plans(), datetime.now(SHANGHAI), announce)
