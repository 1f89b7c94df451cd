"""How a pass shows itself in Prefect: its name, its tags, and the round's card."""

from datetime import datetime
from uuid import UUID

from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.runtime import flow_run

from flows.board import keep, write_board
from flows.board_page import figures, table, text
from flows.links import BOARD, Links, round_card, round_cards
from models.board import Board
from models.plan import GRADE_NAMES
from tasks.progress import DrawFigures, Progress

CURRENT = "当前"


def show(
    progress: Progress, pass_number: int, at: datetime, refused: list[str], board: Board
) -> None:
    """Name and tag this run after the round's stage, take 当前 from older ones, write the pages.

    These are the deadline board and the round's card, which keep their addresses, and one more copy
    of the card for its history. The number of Prefect calls does not depend on the round's size.
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
        links = write_board(client, board)
        page = card(progress, at, refused, links)
        if newest:
            keep_card(client, links, progress.code, page, at)
    create_markdown_artifact(
        key=round_cards(progress.code),
        markdown=page,
        description=f"{progress.code} 轮次卡片（{at:%Y-%m-%d %H:%M}）",
    )


def keep_card(client: SyncPrefectClient, links: Links, code: str, page: str, at: datetime) -> None:
    """Write the round's card where it always stands."""
    title = f"{code} 轮次卡片（{at:%Y-%m-%d %H:%M}）"
    keep(client, links, round_card(code), "markdown", page, title)


def _take_current_from_others(client: SyncPrefectClient, code: str, own: UUID) -> None:
    # Whatever crashed before: the newest pass puts it right.
    shown = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[code, CURRENT]))
    )
    for run in shown:
        if run.id != own:
            client.update_flow_run(run.id, tags=set(run.tags) - {CURRENT})


def card(
    progress: Progress,
    at: datetime,
    refused: list[str],
    links: Links = Links(""),  # noqa: B008
) -> str:
    """The round's card in Markdown; nothing in it tells who was drawn."""
    name, done, total = progress.stage
    closed = f"，{progress.closed_on} {progress.outcome}" if progress.closed_on else ""
    parts = [
        f"# {progress.code} · {name} {done}/{total}",
        f"{text(progress.plan)} 第 {progress.number} 轮 · {text(progress.subjects)}",
        f"截至 {at:%Y-%m-%d %H:%M} · 第 {progress.pass_number} 次推进 · "
        f"{progress.opened_on or progress.opens_on} 起，检查至 {progress.ends_on}{closed}",
        f"**应检查 {progress.inspections} 户，已检查 {progress.inspected} 户，"
        f"未实施 {progress.dropped} 户；逾期 {progress.overdue} 项，一周内到期 {progress.soon} 项，"
        f"已发提醒 {progress.alerts} 条。**",
        f"检查小组 {progress.inspections} 个，执法检查人员 {progress.inspectors} 人。",
        *(f"> ⚠ {text(reason)}" for reason in refused),
        f"[期限看板]({links.artifact(BOARD)}) · [本轮次的各次推进]({links.runs(progress.code)}) · "
        f"[历次卡片]({links.history(round_cards(progress.code))})",
        "## 抽取",
        table(  # in two, since all in one would stand on end
            ("等级", "名录库", "抽取", "比例", "状态", "封存时间"),
            "lrrrll",
            (_draw(draw) for draw in progress.draws),
        ),
        table(
            ("等级", "承诺值", "冻结摘要", "确认单"),
            "llll",
            (_proof(draw) for draw in progress.draws),
        ),
        "## 各环节",
        table(
            ("环节", "应办", "已办", "其中逾期办理", "未办", "已逾期", "一周内到期", "办理时间"),
            "lrrrrrrl",
            (
                (
                    duty.name,
                    duty.total,
                    duty.done,
                    duty.late,
                    duty.open,
                    duty.overdue,
                    duty.soon,
                    f"{duty.first_on} 至 {duty.last_on}" if duty.first_on else "—",
                )
                for duty in progress.duties.values()
            ),
        ),
        *(figures(progress.statistics) if progress.statistics else []),
    ]
    return "\n\n".join(parts)


def _draw(draw: DrawFigures) -> tuple[object, ...]:
    return (
        f"{draw.grade}（{GRADE_NAMES[draw.grade]}）",
        draw.pool,
        draw.count,
        f"{draw.ratio}%" if draw.ratio else "—",
        draw.state,
        f"{draw.sealed_at:%Y-%m-%d %H:%M}" if draw.sealed_at else "—",
    )


def _proof(draw: DrawFigures) -> tuple[object, ...]:
    return (
        draw.grade,
        f"`{draw.commitment[:16]}…`",
        f"`{draw.digest[:16]}…`" if draw.digest else "—",
        f"`{draw.certificate}`" if draw.certificate else "—",
    )
