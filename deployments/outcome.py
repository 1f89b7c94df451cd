"""What came of a rehearsal, as a table."""

from typing import Any

from rich.table import Table


def table(summary: dict[str, Any]) -> Table:
    """The summary, a round a line."""
    found = Table(title=f"演练结果 · {summary['plan']}")
    for heading in ("轮次", "开始", "办结"):
        found.add_column(heading, no_wrap=True)
    for heading in ("名录库", "抽取 A/B/C/D", "检查", "移送", "公示", "曾逾期", "提醒"):
        found.add_column(heading, justify="right", no_wrap=True)
    for one in summary["rounds"]:
        draws = one["draws"]
        found.add_row(
            one["code"],
            one["opened_on"],
            one["closed_on"],
            str(sum(draw["pool"] for draw in draws)),
            "/".join(str(draw["count"]) for draw in draws),
            str(one["inspections"]),
            str(one["referrals"]),
            str(one["publications"]),
            str(one["overdue"]),
            str(one["alerts"]),
        )
    return found
