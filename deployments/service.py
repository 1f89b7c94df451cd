"""The service: server, UI, deployments and schedules, until stopped."""

from datetime import datetime

import typer

from deployments.server import running, ui_url
from models.base import SHANGHAI
from models.database import migrate
from models.plan import read_plan
from models.settings import Settings
from tasks.plan import load_plan, plans


def serve(settings: Settings) -> None:
    """Bring the database up to date, start the server, serve every loaded plan's deployments.

    With no plan loaded yet, the one of the settings is. Ends on Ctrl-C or SIGTERM.
    """
    migrate()
    if not plans():
        typer.echo(load_plan(read_plan(settings.plan), datetime.now(SHANGHAI)))
    with running(settings):
        from deployments.registry import serve as serve_deployments

        typer.echo(f"界面：{ui_url(settings)}　停止：Ctrl-C")
        serve_deployments(plans())
