"""The start page: the one address that a coordinator needs."""

from collections.abc import Mapping, Sequence

from flows.board_page import table, text
from flows.links import BOARD, OVERDUE, Links, round_card

# The forms in the order of a round; what is not named here comes last.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "日常登记": (
        "登记送达",
        "登记检查结果",
        "登记移送",
        "登记公示",
        "登记后续监管",
        "登记专项简报",
    ),
    "例外情形": (
        "登记涉嫌犯罪移送",
        "登记拒签报告",
        "登记不宜告知",
        "登记未实施",
        "更换检查人员",
        "递补检查对象",
        "登记回避申请",
        "决定回避申请",
        "中止期限",
        "延长期限",
        "登记请假",
        "登记销假",
    ),
    "轮次和抽取": (
        "提前开启轮次",
        "轮次推进",
        "录入公共值",
        "抽取",
        "导入外部抽取",
        "提前公开抽取",
    ),
    "名录库和日历": ("导入名录库", "导入放假通知"),
    "检查和提醒": ("试算提醒", "期限检查", "发信", "值守检查"),
}


def start_page(links: Links, rounds: Sequence[str], forms: Mapping[str, str]) -> str:
    """Links to the board, the runs, the rounds' cards and the forms, each with what it is for.

    `forms`: what each served deployment does, by name.
    """
    parts = [
        "# 双随机、一公开 · 开始页",
        f"## [▲ 期限看板]({links.artifact(BOARD)})",
        "哪些逾期、在谁手里、下一步是什么。每次推进和每个工作日早晨的期限检查都会更新；地址不变，可加入书签。",
        "## 轮次",
        f"[当前各轮次]({links.runs('当前')}) · [有逾期的轮次]({links.runs('逾期')}) · "
        f"[一周内到期的轮次]({links.runs('临期')}) · [全部逾期事项]({links.artifact(OVERDUE)})",
        "轮次卡片："
        + (" · ".join(f"[{code}]({links.artifact(round_card(code))})" for code in rounds) or "无"),
    ]
    left = dict(forms)
    for group, names in (*GROUPS.items(), ("其他", tuple(forms))):
        rows = [(name, left.pop(name)) for name in names if name in left]
        if rows:
            parts += [
                f"## {group}",
                table(
                    ("表单", "用途"),
                    "ll",
                    ((f"[{name}]({links.form(name)})", text(use)) for name, use in rows),
                ),
            ]
    parts.append(
        "填好后点“Submit”。填错的表单不会登记任何内容：运行以“退回补正”结束，写明原因，"
        "并给出回到已填好的表单的链接。点“Submit”后右下角提示“Unknown error”的，"
        "是服务一时忙，还没有提交：再点一次即可。"
    )
    return "\n\n".join(parts)
