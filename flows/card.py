"""How a pass shows itself in Prefect: its name, its tags, and the round's card."""

from datetime import datetime
from uuid import UUID

from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.runtime import flow_run

from models.plan import GRADE_NAMES
from tasks.progress import Progress

CURRENT = "当前"


def show(progress: Progress, pass_number: int, at: datetime, refused: list[str]) -> None:
    """Name and tag this run after the round's stage, take 当前 from older ones, write the card.

    The number of Prefect calls does not depend on the size of the round.
    """
    name, done, total = progress.stage
    tags = {progress.code}
    if progress.overdue:
        tags.add("逾期")
    elif progress.soon:
        tags.add("临期")
    newest = pass_number == progress.pass_number
    if newest:
        tags.add(CURRENT)
    own = UUID(flow_run.id)
    with get_client(sync_client=True) as client:
        client.update_flow_run(own, name=f"{progress.code} · {name} {done}/{total}", tags=tags)
        if newest:
            _take_current_from_others(client, progress.code, own)
    create_markdown_artifact(
        key=f"round-{progress.code.lower()}",
        markdown=card(progress, at, refused),
        description=f"{progress.code} 轮次卡片（{at:%Y-%m-%d %H:%M}）",
    )


def _take_current_from_others(client: SyncPrefectClient, code: str, own: UUID) -> None:
    # Whatever crashed before: the newest pass puts it right.
    shown = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[code, CURRENT]))
    )
    for run in shown:
        if run.id != own:
            client.update_flow_run(run.id, tags=set(run.tags) - {CURRENT})


def card(progress: Progress, at: datetime, refused: list[str]) -> str:
    """The round's card in Markdown; nothing in it tells who was drawn."""
    name, done, total = progress.stage
    closed = f"，{progress.closed_on} {progress.outcome}" if progress.closed_on else ""
    lines = [
        f"# {progress.code} · {name} {done}/{total}",
        f"{progress.plan} 第 {progress.number} 轮 · {progress.subjects}",
        "",
        f"截至 {at:%Y-%m-%d %H:%M} · 第 {progress.pass_number} 次推进 · "
        f"{progress.opened_on or progress.opens_on} 起，检查至 {progress.ends_on}{closed}",
        "",
        f"**应检查 {progress.inspections} 户，已检查 {progress.inspected} 户，"
        f"未实施 {progress.dropped} 户；逾期 {progress.overdue} 项，一周内到期 {progress.soon} 项，"
        f"已发提醒 {progress.alerts} 条。**",
        "",
        *(f"> ⚠ {reason}" for reason in refused),
        "",
        "## 抽取",
        "",
        "| 等级 | 名录库 | 抽取 | 比例 | 状态 | 承诺值 | 冻结摘要 |",
        "|---|---:|---:|---:|---|---|---|",
    ]
    lines += [
        f"| {draw.grade}（{GRADE_NAMES[draw.grade]}） | {draw.pool} | {draw.count} | "
        f"{draw.ratio + '%' if draw.ratio else '—'} | {draw.state} | "
        f"`{draw.commitment[:16]}…` | {f'`{draw.digest[:16]}…`' if draw.digest else '—'} |"
        for draw in progress.draws
    ]
    lines += [
        "",
        "## 各环节",
        "",
        "| 环节 | 应办 | 已办 | 其中逾期办理 | 未办 | 已逾期 | 一周内到期 |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {duty.name} | {duty.total} | {duty.done} | {duty.late} | {duty.open} | "
        f"{duty.overdue} | {duty.soon} |"
        for duty in progress.duties.values()
    ]
    return "\n".join(lines)
