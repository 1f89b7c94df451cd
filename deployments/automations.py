"""Automations that make the watch look at once, instead of at its next hour."""

from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.actions import RunDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from flows.watch import STUCK_AFTER_MINUTES, WATCH
from models.plan import DUTY_NAMES
from tasks.progress import CLOSED

_RUN = "prefect.flow-run."
STUCK_AFTER = timedelta(minutes=STUCK_AFTER_MINUTES)
SWEPT_WITHIN = timedelta(hours=25)
# How much later than a run is stuck the watch looks: what it compares is not the same clock.
LATER = 31 / 30
# Every state by which a run of ours ends; Prefect names its events after them.
SWEPT = ("已检查", "已过时", "非工作日")
ENDS = (
    *DUTY_NAMES.values(),
    *("待公共值", "待抽取", "待办结", CLOSED, "抽取受阻"),
    *("已登记", "已导入", "已试算", "退回补正", "已发信", "无待发", *SWEPT),
    *("一切正常", "发现问题", "Completed", "Failed", "Crashed", "Cancelled", "TimedOut"),
)


def automations(
    watched: list[str],
    watch: UUID,
    stuck_after: timedelta = STUCK_AFTER,
    swept_within: timedelta = SWEPT_WITHIN,
) -> list[AutomationCore]:
    """The automations over the deployments of those names; each runs the deployment `watch`.

    `stuck_after`: how long a run may take. `swept_within`: how long there may be no sweep. Prefect
    asks for 10 seconds at least of either.
    """
    minutes = stuck_after.total_seconds() / 60
    look = RunDeployment(
        source="selected", deployment_id=watch, parameters={"stuck_after": minutes}
    )
    return [
        AutomationCore(
            name="双随机：运行失败即报告",
            description="轮次推进、期限检查、发信或表单运行失败、中断时，立即做一次值守检查，"
            "由它给联席会议办公室发邮件。",
            trigger=EventTrigger(
                expect={_RUN + name for name in ("Failed", "Crashed", "TimedOut", "抽取受阻")},
                match_related=_of(watched),
                posture=Posture.Reactive,
                threshold=1,
            ),
            actions=[look],
        ),
        AutomationCore(
            name="双随机：运行卡住即报告",
            description=f"任何一次运行开始 {minutes:g} 分钟后仍未结束时，做一次值守检查，"
            "由它给联席会议办公室发邮件。",
            trigger=EventTrigger(
                after={_RUN + "Running"},
                expect={_RUN + name for name in ENDS},
                for_each={"prefect.resource.id"},
                match_related=_of(watched),
                posture=Posture.Proactive,
                threshold=1,
                within=stuck_after * LATER,
            ),
            actions=[look],
        ),
        AutomationCore(
            name="双随机：期限检查漏做即报告",
            description=f"{swept_within.total_seconds() / 3600:g} 小时内没有一次期限检查完成时，"
            "做一次值守检查；工作日确实漏做的，"
            "由它给联席会议办公室发邮件。",
            trigger=EventTrigger(
                expect={_RUN + name for name in SWEPT},
                match_related=_of(["期限检查"]),
                posture=Posture.Proactive,
                threshold=1,
                within=swept_within,
            ),
            actions=[look],
        ),
    ]


def _of(names: list[str]) -> ResourceSpecification:
    return ResourceSpecification.model_validate(
        {"prefect.resource.role": "deployment", "prefect.resource.name": names}
    )


def set_up(deployments: dict[str, str]) -> None:
    """Make the automations, or bring them in line; any number of times.

    `deployments`: ids by name. One that a person has disabled is enabled again.
    """
    watched = sorted(name for name in deployments if name != WATCH)
    with get_client(sync_client=True) as client:
        for one in automations(watched, UUID(deployments[WATCH])):
            _keep(client, one)


def _keep(client: SyncPrefectClient, wanted: AutomationCore) -> None:
    known = client.read_automations_by_name(wanted.name)
    if not known:
        client.create_automation(wanted)
        return
    client.update_automation(known[0].id, wanted)
    for double in known[1:]:
        client.delete_automation(double.id)
