"""What is served: each flow as a deployment, and the schedules of the plans."""

from datetime import datetime, time
from typing import Any

from prefect import Flow
from prefect import serve as serve_deployments
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron, RRule, Schedule
from prefect.types.entrypoint import EntrypointType

from calendars import WorkingCalendar
from flows.draw import enter_public_value
from flows.inspection import drop_inspection, record_inspection
from flows.notice import confirm_service, withhold_notice
from flows.obligation import deliver_outbox, sweep_deadlines
from flows.publication import confirm_publication
from flows.referral import close_follow_up, confirm_referral
from flows.round import run_round
from models.plan import Plan, PlannedRound

FORMS = (
    record_inspection,
    confirm_service,
    withhold_notice,
    confirm_referral,
    confirm_publication,
    close_follow_up,
    drop_inspection,
    enter_public_value,
)
# Away from midnight, when runs are seen to start on the day before.
OPENING = time(9, 0)


def opening(planned: PlannedRound, calendar: WorkingCalendar) -> datetime:
    """When a round opens by itself: its day, or the next working day (naive, Asia/Shanghai)."""
    days = calendar.provisional
    day = planned.opens_on
    if not days.is_working_day(day):
        day = days.add_working_days(day, 1)
    return datetime.combine(day, OPENING)


def opening_schedule(plan: Plan, planned: PlannedRound, calendar: WorkingCalendar) -> Schedule:
    """The one run that opens a round."""
    start = opening(planned, calendar)
    return RRule(
        f"DTSTART:{start:%Y%m%dT%H%M%S}\nRRULE:FREQ=DAILY;COUNT=1",
        timezone="Asia/Shanghai",
        parameters={"round_code": plan.round_code(planned.number)},
        slug=plan.round_code(planned.number).lower(),
    )


def deployments(plans: list[Plan]) -> list[RunnerDeployment]:
    """Every deployment: passes and openings, the morning sweep, the sender, the forms."""
    calendar = WorkingCalendar.china()
    openings = [
        opening_schedule(plan, planned, calendar) for plan in plans for planned in plan.rounds
    ]
    sweeps = sorted({plan.sweep_at for plan in plans})
    served = [
        _served(
            run_round,
            openings,
            ["推进"],
        ),
        _served(
            sweep_deadlines,
            # Every day: whether it is a working day, make-up Saturdays included, the flow knows.
            [Cron(f"{at.minute} {at.hour} * * *", timezone="Asia/Shanghai") for at in sweeps],
            ["期限检查"],
        ),
        _served(
            deliver_outbox,
            [Cron("*/10 * * * *", timezone="Asia/Shanghai")],
            ["发信"],
        ),
    ]
    served += [_served(form, [], ["表单"]) for form in FORMS]
    return served


def _served(flow: Flow[Any, Any], schedules: list[Schedule], tags: list[str]) -> RunnerDeployment:
    # Module entrypoints: those by file would put flows/ first on the path of imports.
    made = flow.to_deployment(
        flow.name, schedules=schedules, tags=tags, entrypoint_type=EntrypointType.MODULE_PATH
    )
    assert isinstance(made, RunnerDeployment)  # a coroutine only where there is an event loop
    return made


def serve(plans: list[Plan]) -> None:
    """Register the deployments and run what is due, until stopped."""
    serve_deployments(*deployments(plans), pause_on_shutdown=False, limit=4)
