"""One pass over a round: whatever is due in it, stage by stage, and then its card."""

from datetime import date
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows.card import show
from flows.clock import moment
from flows.outbox import deliver
from flows.stage import RUN_ROUND, stage
from tasks import (
    board,
    brief,
    certificate,
    draw,
    duty,
    notice,
    progress,
    publication,
    record_sheet,
    referral,
    round,
)

begin_pass = stage("编号", round.begin_pass)
freeze_draws = stage("抽取 · 冻结", draw.freeze_draws)
# The digests of the freezes leave the office before any seed is computed (draw-1, step 2).
send_digests = stage("抽取 · 送出摘要", deliver)
seal_draws = stage("抽取 · 封存", draw.seal_draws)
prepare_certificates = stage("抽取 · 确认单", certificate.prepare_certificates)
prepare_notices = stage("通知 · 告知书", notice.prepare_notices)
prepare_record_sheets = stage("检查 · 记录表", record_sheet.prepare_record_sheets)
reveal_draws = stage("记录 · 公开抽取", draw.reveal_draws)
prepare_referrals = stage("移送 · 移送函", referral.prepare_referrals)
prepare_publications = stage("公示 · 公示内容", publication.prepare_publications)
update_duties = stage("期限", duty.update_duties)
prepare_brief = stage("简报 · 初稿", brief.prepare_brief)
close_round = stage("办结", round.close_round)
deliver_mails = stage("发信", deliver)
collect_board = stage("看板", board.board)


@flow(name=RUN_ROUND, flow_run_name="{round_code} · 推进", persist_result=False)
def run_round(round_code: str, as_of: date | None = None) -> State[Any]:
    """把一个轮次推进到今天该到的地方：抽取、通知、检查、记录、移送、公示，做完即止，可重复运行。

    Args:
        round_code: 轮次代码，如 2024-1
        as_of: 按哪一天推进，空为今天
    """
    at = moment(as_of)
    begun = begin_pass(round_code, at, str(flow_run.id))
    if begun is None:
        return Completed(name="已过时", message="已有更晚日期的推进，本次不做任何事")
    refused = freeze_draws(round_code, at)
    send_digests(at)
    seal_draws(round_code, at)
    prepare_certificates(round_code, at)
    prepare_notices(round_code, at)
    prepare_record_sheets(round_code, at)
    reveal_draws(round_code, at)
    prepare_referrals(round_code, at)
    prepare_publications(round_code, at)
    update_duties(round_code, at)
    prepare_brief(round_code, at)
    close_round(round_code, at)
    deliver_mails(at)
    figures = progress.progress(round_code, at.date(), at)
    show(figures, begun.number, at, refused, collect_board(at.date(), at))
    if refused:
        return Failed(name="抽取受阻", message="；".join(refused))
    name, done, total = figures.stage
    return Completed(name=name, message=f"{name} {done}/{total}，逾期 {figures.overdue} 项")
