"""What is served: each flow as a deployment, and the schedules of the plans."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from prefect import Flow
from prefect._internal.versioning import VersionType
from prefect.client.orchestration import get_client
from prefect.context import AsyncClientContext
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import TerminationSignal
from prefect.runner import Runner
from prefect.schedules import Cron, RRule, Schedule
from prefect.types.entrypoint import EntrypointType
from prefect_email import EmailServerCredentials

from calendars import WorkingCalendar
from deployments import automations
from deployments.forms import label, offered
from flows.alternate import take_alternate
from flows.board import find_links, keep, write_board
from flows.brief import send_brief
from flows.card import card, keep_card
from flows.crime import enter_crime
from flows.draw import draw_grade, enter_public_value, reveal_draw
from flows.external_draw import import_external_draw
from flows.grant import extend_term, suspend_term
from flows.holiday import import_holiday_notice
from flows.inspection import drop_inspection, record_inspection
from flows.leave import end_leave, enter_leave
from flows.links import START, Links, round_card
from flows.notice import confirm_service, withhold_notice
from flows.obligation import deliver_outbox, sweep_deadlines
from flows.opening import open_round_early
from flows.preview import preview_alerts
from flows.publication import confirm_publication
from flows.referral import close_follow_up, confirm_referral
from flows.refusal import report_refusal
from flows.registers import import_registers
from flows.replacement import decide_recusal, replace_inspector, request_recusal
from flows.round import run_round
from flows.start_page import start_page
from flows.watch import watch
from models.plan import Plan, PlannedRound
from tasks.agenda import round_codes
from tasks.board import board
from tasks.calendar import current_calendar
from tasks.progress import progress

FORMS = (
    record_inspection,
    confirm_service,
    withhold_notice,
    confirm_referral,
    enter_crime,
    report_refusal,
    confirm_publication,
    close_follow_up,
    send_brief,
    drop_inspection,
    replace_inspector,
    take_alternate,
    request_recusal,
    decide_recusal,
    draw_grade,
    enter_public_value,
    import_external_draw,
    reveal_draw,
    suspend_term,
    extend_term,
    enter_leave,
    end_leave,
    import_registers,
    import_holiday_notice,
    open_round_early,
    preview_alerts,
)
# Away from midnight, when runs are seen to start on the day before.
OPENING = time(9, 0)
WATCH_AFTER = timedelta(hours=2, minutes=15)


def opening(planned: PlannedRound, calendar: WorkingCalendar) -> datetime:
    """When a round opens by itself: its day, or the next working day (naive, Asia/Shanghai)."""
    return datetime.combine(calendar.first_working_day(planned.opens_on), OPENING)


def opening_schedule(plan: Plan, planned: PlannedRound, calendar: WorkingCalendar) -> Schedule:
    """The one run that opens a round."""
    start = opening(planned, calendar)
    return RRule(
        f"DTSTART:{start:%Y%m%dT%H%M%S}\nRRULE:FREQ=DAILY;COUNT=1",
        timezone="Asia/Shanghai",
        parameters={"round_code": plan.round_code(planned.number)},
        slug=plan.round_code(planned.number).lower(),
    )


def deployments(
    plans: list[Plan], calendar: WorkingCalendar | None = None
) -> list[RunnerDeployment]:
    """Every deployment: passes and openings, the morning sweep, the sender, the forms.

    `calendar`: the office's, with the notices it has imported; else the published years.
    """
    calendar = calendar or WorkingCalendar.china()
    openings = [
        opening_schedule(plan, planned, calendar) for plan in plans for planned in plan.rounds
    ]
    sweeps = sorted({plan.sweep_at for plan in plans})
    # Later than the last sweep may well take; see tasks.health.
    watches = [(datetime.combine(date.min, at) + WATCH_AFTER).time() for at in sweeps[-1:]]
    served = [
        _served(
            run_round,
            openings,
            ["推进"],
        ),
        _served(
            sweep_deadlines,
            # Whether it is a working day, make-up Saturdays included, the flow knows.
            [_daily(at) for at in sweeps],
            ["期限检查"],
        ),
        _served(
            deliver_outbox,
            [Cron("*/10 * * * *", timezone="Asia/Shanghai")],
            ["发信"],
        ),
        _served(watch, [_daily(at) for at in watches], ["值守"]),
    ]
    choices = offered(plans)
    served += [_served(form, [], ["表单"], choices) for form in FORMS]
    return served


def _daily(at: time) -> Schedule:
    return Cron(f"{at.minute} {at.hour} * * *", timezone="Asia/Shanghai")


def _served(
    flow: Flow[Any, Any],
    schedules: list[Schedule],
    tags: list[str],
    choices: Mapping[str, Sequence[str]] = {},
) -> RunnerDeployment:
    # Module entrypoints: those by file would put flows/ first on the path of imports.
    made = flow.to_deployment(
        flow.name,
        schedules=schedules,
        tags=tags,
        entrypoint_type=EntrypointType.MODULE_PATH,
        # Else Prefect asks git of the folder that people happen to be in, for each flow anew. Its
        # name for that is exported nowhere; constraints.txt holds the version of Prefect.
        version_type=VersionType.SIMPLE,
        # A form says in Chinese what does not fit; the server would say it in English.
        enforce_parameter_schema="表单" not in tags,
    )
    assert isinstance(made, RunnerDeployment)  # a coroutine only where there is an event loop
    label(made, flow, choices)
    return made


def serve(plans: list[Plan], at: datetime, announce: Callable[[Links], None]) -> None:
    """Register the deployments, write the pages, and run what is due, until stopped.

    As `prefect.serve` does it, but for what comes between: pages need the deployments' ids, and
    must be there before anything runs, or two passes might make one at once.
    """
    EmailServerCredentials.register_type_and_schema()  # so that it can be filled in, in the UI
    # Of more runs at once the server's SQLite keeps one waiting for a minute now and then.
    runner = Runner(pause_on_shutdown=False, limit=2)
    made = deployments(plans, current_calendar())
    asyncio.run(_register(runner, made))
    announce(write_pages(made, at))
    try:
        asyncio.run(runner.start())
    except (KeyboardInterrupt, TerminationSignal):
        return


async def _register(runner: Runner, made: Sequence[RunnerDeployment]) -> None:
    async with AsyncClientContext.get_or_create():  # one client for all, not one each
        for one in made:
            await runner.aadd_deployment(one)


def write_pages(made: Sequence[RunnerDeployment], at: datetime) -> Links:
    """Write the pages that stay, and make the automations; any number of times."""
    forms = {one.name: (one.description or "").split("\n\n")[0] for one in made}
    codes, shown = round_codes(), board(at.date(), at)
    with get_client(sync_client=True) as client:
        links = write_board(client, shown)
        new = [code for code in codes if round_card(code) not in links.artifacts]
        for code in new:
            keep_card(client, links, code, card(progress(code, at.date()), at, [], links), at)
        if new:
            links = write_board(client, shown)  # now that it can link to their cards
        page = start_page(links, codes, forms)
        keep(client, links, START, "markdown", page, f"开始页（{at:%Y-%m-%d %H:%M}）")
        links = find_links(client)
    automations.set_up(dict(links.deployments))
    return links
