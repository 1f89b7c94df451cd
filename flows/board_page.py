"""The deadline board as a page of Markdown, for Prefect's UI."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from flows import strip
from flows.links import OVERDUE, START, Links, round_card
from models.board import Away, Board, OpenDuty
from models.plan import DUTY_NAMES
from models.statistics import Statistics

FIRST = 50
_MARKS = re.compile(r"([\\`*_\[\]<>|~#])")


def page(board: Board, links: Links) -> str:
    """The whole board; of the overdue and of those due soon the first 50, the rest by link."""
    parts = [
        f"# 期限看板 · {board.as_of}",
        headline(board),
        strip.image(board),
        _navigation(board, links),
        *_overdue(board, links),
        *_soon(board, links),
        *_provisional(board),
        *_mails(board),
        "## 运行情况",
        _state(board, links),
        *(part for one in board.statistics for part in figures(one)),
    ]
    return "\n\n".join(part for part in parts if part)


def headline(board: Board) -> str:
    """What ten seconds are enough for: how much is late, and who has the worst of it."""
    provisional = sum(one.count for one in board.provisional)
    counts = (
        f"**逾期 {len(board.overdue)} 项** · 一周内到期 {len(board.soon)} 项 · "
        f"暂定 {provisional} 项 · 无法送达邮件 {board.lost_mails} 封"
        f"（截至 {board.at:%Y-%m-%d %H:%M}）"
    )
    late = board.lateness()
    if not late:
        return f"✓ {counts}"
    worst = late[0]
    return (
        f"▲ {counts}\n\n最久：**{text(worst.department)}** 的 **{DUTY_NAMES[worst.duty]}** "
        f"{worst.count} 项，自 {worst.due_on} 起，已逾期 **{worst.told}**。"
    )


def _navigation(board: Board, links: Links) -> str:
    cards = [
        f"[{one.code} 轮次卡片]({links.artifact(round_card(one.code))})" for one in board.rounds
    ]
    shown = [
        f"[开始页]({links.artifact(START)})",
        *cards,
        f"[当前各轮次]({links.runs('当前')})",
        f"[有逾期的轮次]({links.runs('逾期')})",
    ]
    return " · ".join(shown)


def _overdue(board: Board, links: Links) -> list[str]:
    if not board.overdue:
        return ["## ▲ 逾期", "没有逾期事项。"]
    by_department = table(
        ("部门", "职责", "逾期项数", "最早到期日", "最多逾期工作日"),
        "lllrr",
        (
            (text(one.department), DUTY_NAMES[one.duty], one.count, one.due_on, one.days)
            for one in board.lateness()
        ),
    )
    return [
        f"## ▲ 逾期 {len(board.overdue)} 项",
        by_department,
        "逐项，逾期最久的在前；逾期按工作日计，点“办理”一栏进入填好的表单：",
        _duties(board, board.overdue, links, "逾期"),
        _rest(board.overdue, f"[全部逾期事项，可搜索]({links.artifact(OVERDUE)})"),
    ]


def _soon(board: Board, links: Links) -> list[str]:
    if not board.soon:
        return ["## ◷ 一周内到期", "一周内没有到期事项。"]
    return [
        f"## ◷ 一周内到期 {len(board.soon)} 项",
        "先到期的在前；剩余按工作日计：",
        _duties(board, board.soon, links, "剩余"),
        _rest(board.soon, "其余随日期临近列入"),
    ]


def _rest(duties: Sequence[OpenDuty], where: str) -> str:
    return f"以上为前 {FIRST} 项，共 {len(duties)} 项：{where}。" if len(duties) > FIRST else ""


def _duties(board: Board, duties: Sequence[OpenDuty], links: Links, days: str) -> str:
    return table(
        ("办理", "检查对象", "部门 · 责任人", "到期日", days, "最近提醒 → 下一步"),
        "llllrl",
        (
            (
                _link(one.name, links.of(one)),
                _subject(one),
                f"{text(one.department)} · {text(one.person)}",
                one.due,
                f"**{one.distance}**" if one.overdue(board.as_of) else one.distance,
                f"{_when(one.last_alert, one.last_alert_on) or '未提醒'} → "
                f"{_next(one, board.as_of)}",
            )
            for one in duties[:FIRST]
        ),
    )


def _next(one: OpenDuty, as_of: date) -> str:
    if one.suspended or one.next_on is None:
        return "中止中" if one.suspended else "—"
    return _when(one.next, one.next_on) + ("（待发）" if one.next_on <= as_of else "")


def _subject(one: OpenDuty) -> str:
    known = one.subject != one.inspection
    return f"{text(one.subject)}（{one.inspection or one.object}）" if known else one.inspection


def _when(name: str, day: Any) -> str:
    return f"{day:%m-%d} {text(name)}" if name and day else ""


def _link(label: str, address: str) -> str:
    return f"[{label}]({address})" if address else label


def _provisional(board: Board) -> list[str]:
    if not board.provisional:
        return []
    return [
        "## 暂定期限",
        "下列到期日落在放假通知尚未公布的年份，导入通知后重新计算；提醒已提前 7 日。",
        table(
            ("轮次", "职责", "到期日（暂定）", "项数"),
            "lllr",
            ((one.round, DUTY_NAMES[one.duty], one.due_on, one.count) for one in board.provisional),
        ),
    ]


def _mails(board: Board) -> list[str]:
    if not board.mails:
        return []
    return [
        f"## 无法送达的邮件 {board.lost_mails} 封",
        table(
            ("收件人", "内容", "日期", "原因"),
            "llll",
            ((text(one.name), text(one.subject), one.day, text(one.why)) for one in board.mails),
        ),
    ]


def _state(board: Board, links: Links) -> str:
    if board.swept_on and board.swept_at:
        swept = f"{board.swept_on} 的检查，{board.swept_at:%Y-%m-%d %H:%M} 完成"
    else:
        swept = "还没有检查过"
    lines = [f"- 最近一次期限检查：{swept}"]
    if board.coverage:
        lines.append(
            f"- 工作日历：{board.coverage.firm_through} 之前确定，"
            f"已公布至 {board.coverage.through}（版本 {text(board.coverage.version)}）"
        )
    if board.away:
        lines.append("- 请假：" + "；".join(_away(one, links) for one in board.away))
    return "\n".join(lines)


def _away(one: Away, links: Links) -> str:
    back = links.form("登记销假", {"department": one.department, "person": one.person})
    told = f"{text(one.person)}（{text(one.department)}）{text(one.told)}"
    return f"{told} [销假]({back})" if back else told


def figures(one: Statistics) -> list[str]:
    """The figures that offices are judged by, and each department's, on time and late apart."""
    if not one.rows:
        return []
    return [
        f"## 统计 · {text(one.scope)}",
        table(
            ("指标", "数值", "计算", "公式"),
            "lrll",
            (
                (rate.name, f"**{rate.percent}**", f"{rate.part} ÷ {rate.whole}", rate.formula)
                for rate in one.rates
            ),
        ),
        table(
            ("环节", "部门", "按时", "逾期办理", "终止", "未办", "其中已逾期"),
            "llrrrrr",
            (
                (
                    DUTY_NAMES[row.duty],
                    text(row.department),
                    row.on_time,
                    row.late,
                    row.closed,
                    row.open,
                    row.overdue,
                )
                for row in one.rows
            ),
        ),
    ]


def overdue_rows(board: Board) -> list[dict[str, Any]]:
    """Every overdue duty, for the table that can be searched."""
    return [
        {
            "职责": one.name,
            "检查对象": one.subject,
            "编号": one.object,
            "部门": one.department,
            "责任人": one.person,
            "到期日": one.due,
            "逾期工作日": one.days if one.over is None else one.distance,
            "最近提醒": f"{one.last_alert_on} {one.last_alert}" if one.last_alert_on else "",
            "下一步": "中止中"
            if one.suspended
            else f"{one.next_on} {one.next}"
            if one.next_on
            else "",
        }
        for one in board.overdue
    ]


def text(value: object) -> str:
    """What others wrote, so that Markdown takes it as it stands and on one line."""
    return _MARKS.sub(r"\\\1", " ".join(str(value).split()))


def table(heads: Sequence[str], sides: str, rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown; `sides` says of each column whether it stands left or right (l, r)."""
    rules = ["---:" if side == "r" else "---" for side in sides[: len(heads)]]
    lines = [heads, rules, *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
