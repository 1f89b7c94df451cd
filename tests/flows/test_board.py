"""The deadline board as a page: pure rendering first, then on a real Prefect server."""

import json
import re
from base64 import b64decode
from dataclasses import replace
from datetime import date, datetime
from typing import Any, get_args
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import pytest

from flows import links, strip
from flows.board_page import overdue_rows, page, text
from flows.links import FORMS, Links
from models.base import SHANGHAI
from models.board import (
    Away,
    Board,
    Cell,
    CellState,
    Coverage,
    LostMail,
    OpenDuty,
    ProvisionalLine,
    RoundLine,
)
from models.plan import DUTY_NAMES
from models.statistics import Inspections, Tally, statistics

DAY = date(2024, 8, 12)
UI = "http://127.0.0.1:4200/v2"
KNOWN = Links(
    UI,
    deployments={name: f"id-{name}" for name in {*FORMS.values(), "录入公共值"}},
    artifacts={links.BOARD: "board-id", links.OVERDUE: "overdue-id"},
)


def duty(number: int = 1, **changes: Any) -> OpenDuty:
    given: dict[str, Any] = {
        "duty": "publish",
        "object": f"2024-1-D{number:02}/yjglj",
        "round": "2024-1",
        "inspection": f"2024-1-D{number:02}",
        "subject": f"第{number}公司",
        "department": "区应急管理局",
        "person": "张三",
        "due_on": date(2024, 8, 6),
        "days": 4,
        "provisional": False,
        "suspended": False,
        "last_alert": "督办",
        "last_alert_on": date(2024, 8, 9),
        "next": "持续督办",
        "next_on": date(2024, 8, 20),
    }
    return OpenDuty(**(given | changes))


def board(**changes: Any) -> Board:
    cells = (
        Cell("draw", 4, 4),
        Cell("notify", 17, 9, overdue=3, soon=1, first_due_on=date(2024, 8, 8), left=-2),
        Cell("inspect", 17, 3, soon=1, first_due_on=DAY, left=0),
        Cell("record", 34, 3, first_due_on=date(2024, 9, 9), left=20),
        Cell("publish"),
    )
    given = {
        "as_of": DAY,
        "at": datetime(2024, 8, 12, 9, tzinfo=SHANGHAI),
        "rounds": (RoundLine("2024-1", "", None, cells),),
    }
    return Board(**(given | changes))


def picture(markdown: str) -> str:
    found = re.search(r"data:image/svg\+xml;base64,([^)]+)\)", markdown)
    assert found
    return b64decode(found[1]).decode()


def test_the_strip_is_one_well_formed_picture_with_words_on_every_stage() -> None:
    drawn = picture(page(board(), KNOWN))
    words = [element.text for element in ElementTree.fromstring(drawn).iter() if element.text]
    for expected in ("✓ 4/4", "▲ 9/17", "逾期 3 项", "◷ 3/17", "今天到期", "● 3/34", "剩 20 日"):
        assert expected in words
    assert words.count("未到") == 1
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("duty", sorted(strip.EXCEPTIONAL))
def test_what_few_rounds_have_takes_a_column_only_where_one_has_it(duty: Any) -> None:
    (plain,) = board().rounds
    crime = replace(plain, code="2024-2", cells=(*plain.cells, Cell(duty, 1, 0)))
    assert DUTY_NAMES[duty] not in strip.svg([plain])
    assert DUTY_NAMES[duty] in strip.svg([plain, crime])


def test_who_cannot_see_the_strip_reads_the_same_in_words() -> None:
    assert "![2024-1：抽取 4/4 已完成，告知 9/17 逾期 3 项，检查 3/17 今天到期" in page(
        board(), KNOWN
    )


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("state", get_args(CellState))
def test_each_look_is_legible_and_holds_on_a_light_and_on_a_dark_page(state: CellState) -> None:
    fill, _ = strip.LOOKS[state]
    assert contrast("#ffffff", fill) >= 4.5
    for ground in ("#e9e9ea", "#26272b"):  # the two pages of the UI
        assert contrast(fill, ground) >= 2.3
        assert contrast(strip._GREY, ground) >= 3


def test_no_two_looks_share_a_sign() -> None:
    assert len({sign for _, sign in strip.LOOKS.values()}) == len(get_args(CellState))


def test_ten_seconds_tell_how_much_is_late_and_who_has_the_worst() -> None:
    late = (
        duty(1, days=9, due_on=date(2024, 7, 30), department="区市场监督管理局"),
        duty(2),
        duty(3),
    )
    head = page(board(overdue=late), KNOWN).split("![")[0]
    assert "▲ **逾期 3 项** · 一周内到期 0 项" in head
    assert (
        "最久：**区市场监督管理局** 的 **公示** 1 项，自 2024-07-30 起，已逾期 **9 个工作日**"
        in head
    )


def test_a_board_with_nothing_late_says_so() -> None:
    shown = page(board(), KNOWN)
    assert "✓ **逾期 0 项**" in shown
    assert "没有逾期事项。" in shown
    assert "## 暂定期限" not in shown
    assert "## 无法送达的邮件" not in shown


def test_each_overdue_duty_has_all_that_is_asked_of_it_in_one_row() -> None:
    shown = page(board(overdue=(duty(),)), KNOWN)
    row = next(line for line in shown.splitlines() if "第1公司" in line)
    cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert cells[0].startswith("[公示](")
    assert cells[1:] == [
        "第1公司（2024-1-D01）",
        "区应急管理局 · 张三",
        "2024-08-06",
        "**4**",
        "08-09 督办 → 08-20 持续督办",
    ]


def test_of_an_unrevealed_draw_only_the_code_is_shown() -> None:
    shown = page(board(overdue=(duty(subject="2024-1-D01"),)), KNOWN)
    assert "| 2024-1-D01 |" in shown


def test_an_alert_whose_day_has_come_is_marked_as_still_to_be_sent() -> None:
    shown = page(board(overdue=(duty(next_on=DAY),)), KNOWN)
    assert "08-12 持续督办（待发）" in shown


def test_the_first_fifty_are_on_the_page_and_the_rest_behind_one_link() -> None:
    late = tuple(duty(number) for number in range(1, 501))
    shown = page(board(overdue=late), KNOWN)
    assert "（2024-1-D50）" in shown
    assert "（2024-1-D51）" not in shown
    assert "以上为前 50 项，共 500 项：[全部逾期事项，可搜索]" in shown
    assert f"({UI}/artifacts/artifact/overdue-id)" in shown
    assert len(overdue_rows(board(overdue=late))) == 500
    assert len(shown) < 60_000


def test_provisional_days_lost_mails_and_the_state_of_things_are_shown() -> None:
    shown = page(
        board(
            provisional=(ProvisionalLine("2024-2", "publish", date(2025, 1, 8), 12),),
            mails=(LostMail("王五", "期限汇总", DAY, "没有邮箱地址"),),
            lost_mails=1,
            swept_on=DAY,
            swept_at=datetime(2024, 8, 12, 8, 30, tzinfo=SHANGHAI),
            coverage=Coverage(date(2026, 12, 28), date(2026, 12, 31), "v1"),
        ),
        KNOWN,
    )
    assert "| 2024-2 | 公示 | 2025-01-08 | 12 |" in shown
    assert "| 王五 | 期限汇总 | 2024-08-12 | 没有邮箱地址 |" in shown
    assert "最近一次期限检查：2024-08-12 的检查，2024-08-12 08:30 完成" in shown
    assert "2026-12-28 之前确定" in shown


def test_who_is_away_is_told_in_one_line_with_the_form_that_ends_it() -> None:
    away = (
        Away("区应急管理局", "张三", date(2024, 8, 15), "由李四代办"),
        Away("区市场监督管理局", "王五", DAY, "无人代办"),
    )
    known = Links(UI, deployments={"登记销假": "id"})
    (line,) = [one for one in page(board(away=away), known).splitlines() if "请假" in one]
    first, second = line.split("；")
    assert first.startswith("- 请假：张三（区应急管理局）至 2024-08-15，由李四代办 [销假](")
    assert unquote(first).endswith('?parameters={"department":"区应急管理局","person":"张三"})')
    assert second.startswith("王五（区市场监督管理局）至 2024-08-12，无人代办")
    assert "[销假]" not in page(board(away=away), KNOWN)
    assert "请假" not in page(board(), known)


def test_the_figures_stand_with_their_formulas_on_time_and_late_apart() -> None:
    tally = Tally("2024-1", "区应急管理局", "publish", 4, 2, 2)
    one = statistics("平卫双随机办〔2024〕55号", [tally], [Inspections(4, 4, 0, True)], 2)
    shown = page(board(statistics=(one,)), KNOWN)
    assert "| 公示率 | **100.0%** | 4 ÷ 4 | 已公示 ÷ 应公示 |" in shown
    assert "| 按时公示率 | **50.0%** | 2 ÷ 4 | 按时公示 ÷ 应公示 |" in shown
    assert "| 公示 | 区应急管理局 | 2 | 2 | 0 | 0 | 0 |" in shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("甲|乙", r"甲\|乙"),
        ("[链接](http://x)", r"\[链接\](http://x)"),
        ("<b>*粗*</b>", r"\<b\>\*粗\*\</b\>"),
        ("两\n行", "两 行"),
    ],
)
def test_what_others_wrote_cannot_break_the_page(written: str, shown: str) -> None:
    assert text(written) == shown


def test_every_duty_has_a_form_by_which_it_is_met() -> None:
    assert set(FORMS) == set(DUTY_NAMES)


@pytest.mark.parametrize(
    ("one", "form", "values"),
    [
        (
            duty(),
            "登记公示",
            {"entries": [{"检查编号": "2024-1-D01", "部门": "区应急管理局"}]},
        ),
        (duty(duty="notify"), "登记送达", {"entries": [{"检查编号": "2024-1-D01"}]}),
        (
            duty(duty="public_value", object="2024-1-D", inspection=""),
            "录入公共值",
            {"round_code": "2024-1", "grade": "D"},
        ),
        (duty(duty="draw", object="2024-1-D", inspection=""), "轮次推进", {"round_code": "2024-1"}),
    ],
)
def test_a_duty_links_to_its_form_with_what_is_known_filled_in(
    one: OpenDuty, form: str, values: dict[str, Any]
) -> None:
    address = urlsplit(KNOWN.of(one))
    assert address.path == f"/v2/deployments/deployment/id-{form}/run"
    assert json.loads(parse_qs(address.query)["parameters"][0]) == values
    assert not set(" ()|<>") & set(KNOWN.of(one))  # they would end a link in a table


def test_a_form_that_is_not_served_has_no_link() -> None:
    assert Links(UI).of(duty()) == ""
    assert "| 公示 | 第1公司（2024-1-D01）" in page(board(overdue=(duty(),)), Links(UI))


@pytest.mark.server
def test_the_board_keeps_its_address_and_is_written_anew(office: Any, prefect: Any) -> None:
    from flows.board import find_links, write_board

    write_board(prefect, board(overdue=(duty(),)))
    first = find_links(prefect)
    write_board(prefect, board(as_of=date(2024, 8, 13)))
    second = find_links(prefect)
    assert first.artifact(links.BOARD) == second.artifact(links.BOARD)
    assert first.artifact(links.BOARD).startswith(first.ui + "/artifacts/artifact/")
    (shown,) = of_key(prefect, links.BOARD)
    assert shown["data"].startswith("# 期限看板 · 2024-08-13")
    (table,) = of_key(prefect, links.OVERDUE)
    assert (table["type"], json.loads(table["data"])) == ("table", [])


def of_key(prefect: Any, key: str) -> list[dict[str, Any]]:
    artifacts = prefect._client.post("/artifacts/filter", json={}).raise_for_status().json()
    return [one for one in artifacts if one["key"] == key]


@pytest.mark.server
def test_a_pass_and_a_sweep_each_write_the_board(
    drawn: Any, prefect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.obligation import sweep_deadlines
    from flows.round import run_round

    run_round("2024-1", as_of=date(2024, 7, 8))
    (shown,) = of_key(prefect, links.BOARD)
    assert shown["data"].startswith("# 期限看板 · 2024-07-08")
    assert "最近一次期限检查：还没有检查过" in shown["data"]
    sweep_deadlines(as_of=date(2024, 7, 8))
    (swept,) = of_key(prefect, links.BOARD)
    assert swept["id"] == shown["id"]
    assert "最近一次期限检查：2024-07-08 的检查" in swept["data"]
    assert "## ▲ 逾期" in swept["data"]
