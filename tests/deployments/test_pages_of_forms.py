"""Each form as a coordinator fills it in: opened by its link, sent by its button, its effect seen.

A form is filled in and sent once; its run goes on while the next one is filled in.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calendars import WorkingCalendar
from models.base import SHANGHAI

pytestmark = [pytest.mark.server, pytest.mark.service, pytest.mark.browser]

NOTICE = Path(__file__).parents[1] / "data" / "notice_2027_rehearsal.txt"
TODAY = datetime.now(SHANGHAI).date()
# Mails go out on working days alone, and nothing is sealed before its digest is out.
SEALED = WorkingCalendar.china().provisional.is_working_day(TODAY)
# What Prefect answers on SQLite while another run's records are being written.
BUSY = 503


class Choice(str):
    """One of a list to choose from."""


@dataclass(frozen=True)
class Case:
    """What is filled in by hand, by label, and what the office then knows.

    `board`: what stands in the row of the board by whose link the form is opened, the duty first;
    without one it is opened from the start page.
    """

    typed: dict[str, Any]
    question: str
    answer: tuple[Any, ...]
    board: tuple[str, ...] = ()
    ends_as: str = "已登记"

    def typed_at(self, home: Path) -> dict[str, Any]:
        """The same, with the files of an office."""
        return {
            label: str(home / value) if isinstance(value, Path) else value
            for label, value in self.typed.items()
        }


def record(column: str, inspection: str, department: str) -> str:
    return (
        f"SELECT {column} FROM department_record d JOIN inspection i ON i.id = d.inspection_id "
        f"LEFT JOIN referral r ON r.record_id = d.id LEFT JOIN publication p ON p.record_id = d.id "
        f"LEFT JOIN follow_up f ON f.record_id = d.id "
        f"WHERE i.code = '{inspection}' AND d.department = '{department}'"
    )


def of(table: str, column: str, inspection: str) -> str:
    return (
        f"SELECT {column} FROM {table} t JOIN inspection i ON i.id = t.inspection_id "
        f"WHERE i.code = '{inspection}'"
    )


def drawn(column: str, round: str, grade: str) -> str:
    return (
        f"SELECT {column} FROM draw d JOIN round r ON r.id = d.round_id "
        f"WHERE r.code = '{round}' AND d.grade = '{grade}'"
    )


APPROVED = {
    "依据的法条": "行政处罚法第八十五条",
    "批准文件": "〔2025〕7号批复",
    "批准人": "联席会议办公室",
    "批准日期": TODAY,
    "录入人": "李四",
}

CASES = {
    "抽取": Case(
        {"轮次代码": Choice("2025-1"), "风险等级": Choice("A"), "申请人": "李四"},
        drawn("frozen_at IS NOT NULL, sealed_at IS NOT NULL", "2025-1", "A"),
        (1, int(SEALED)),
        ends_as="已登记" if SEALED else "退回补正",
    ),
    "登记检查结果": Case(
        {
            "检查结束日期": date(2024, 6, 28),
            "签字情况": Choice("签字"),
            "事项结果": [
                {
                    "抽查事项": Choice("sc-1 营业执照（登记证）规范使用情况的检查"),
                    "检查结果": Choice("(1) 未发现问题"),
                },
                {
                    "抽查事项": Choice("sc-2 住所（经营场所）或驻在场所的检查"),
                    "检查结果": Choice("(9) 合格"),
                },
            ],
            "记录日期": date(2024, 7, 2),
            "录入人": "李四",
        },
        record("d.recorded_on, d.entered_by, d.version", "2024-1-D01", "scjgj"),
        ("2024-07-02", "李四", 1),
        board=("记录", "2024-1-D01", "区市场监督管理局"),
    ),
    "登记送达": Case(
        {
            "送达方式": Choice("电话"),
            "送达日期": date(2024, 7, 2),
            "送达人": "张三",
            "签收人或接听人": "王五",
            "录入人": "李四",
        },
        of("notice", "t.manner, t.served_on, t.received_by, t.entered_by", "2024-1-B01"),
        ("电话", "2024-07-02", "王五", "李四"),
        board=("告知", "2024-1-B01"),
    ),
    "登记不宜告知": Case(
        {"检查编号": "2025-3-C01", "不宜告知的理由": "有举报线索", "批准人": "应急局负责人"},
        "SELECT unannounced, unannounced_by FROM inspection WHERE code = '2025-3-C01'",
        (1, "应急局负责人"),
    ),
    "登记移送": Case(
        {
            "是否移送": Choice("需"),
            "理由": "超出本部门管辖",
            "研判日期": date(2024, 7, 3),
            "受移送机关": "区公安分局",
            "移送函文号": "移〔2024〕1号",
            "移送日期": "2024-07-04",
            "录入人": "李四",
        },
        record("r.receiving, r.sent_on, d.referral_decided_on", "2024-1-D03", "yjglj"),
        ("区公安分局", "2024-07-04", "2024-07-03"),
        board=("研判移送", "2024-1-D03", "区应急管理局"),
    ),
    "登记涉嫌犯罪移送": Case(
        {
            "各案": [
                {
                    "检查编号": "2024-1-D04",
                    "部门": Choice("区应急管理局"),
                    "报告送达时间": "2024-07-12 16:30",
                    "承办人": ["张三", "李四"],
                    "决定": Choice("批准"),
                    "决定时间": "2024-07-13 10:00",
                    "决定人": "应急局负责人",
                    "录入人": "李四",
                }
            ]
        },
        "SELECT c.decision, c.decided_by, json_extract(c.handlers, '$[1]') FROM crime_report c",
        ("批准", "应急局负责人", "李四"),
    ),
    "登记拒签报告": Case(
        {
            "报告日期": date(2024, 7, 1),
            "报告对象": "区应急管理局",
            "报告文书": "报〔2024〕3号",
            "录入人": "李四",
        },
        of("refusal_report", "t.reported_on, t.receiving", "2024-1-D05"),
        ("2024-07-01", "区应急管理局"),
        board=("拒签报告", "2024-1-D05"),
    ),
    "登记专项简报": Case(
        {
            "轮次代码": Choice("2024-1"),
            "报送日期": date(2024, 11, 8),
            "报送对象": "区人民政府",
            "文号或标题": "简报第1期",
            "录入人": "李四",
        },
        "SELECT sent_on, receiving, document FROM brief",
        ("2024-11-08", "区人民政府", "简报第1期"),
    ),
    "登记公示": Case(
        {"录入日期": date(2024, 7, 10), "公示日期": "2024-07-11", "录入人": "李四"},
        record("p.entered_on, p.published_on, p.entered_by", "2024-1-D01", "yjglj"),
        ("2024-07-10", "2024-07-11", "李四"),
        board=("公示", "2024-1-D01", "区应急管理局"),
    ),
    "登记后续监管": Case(
        {"办结日期": date(2024, 7, 20), "复查或处置结果": "复查合格", "录入人": "李四"},
        record("f.closed_on, f.outcome", "2024-1-D04", "yjglj"),
        ("2024-07-20", "复查合格"),
        board=("后续监管", "2024-1-D04", "区应急管理局"),
    ),
    "登记未实施": Case(
        {
            "检查编号": "2025-3-C02",
            "未实施的原因": "企业已停产",
            "批准人": "应急局负责人",
            "批准文件": "〔2025〕8号批复",
            "批准日期": TODAY,
        },
        "SELECT dropped_on, dropped_by FROM inspection WHERE code = '2025-3-C02'",
        (str(TODAY), "应急局负责人"),
    ),
    "更换检查人员": Case(
        {
            "检查编号": "2025-3-C03",
            "部门": Choice("区应急管理局"),
            "席位": 2,
            "原因": Choice("不能到场"),
            "理由": "出差",
            "决定人": "应急局负责人",
        },
        of("replacement", "t.department, t.ground, t.reason", "2025-3-C03"),
        ("yjglj", "不能到场", "出差"),
    ),
    "递补检查对象": Case(
        {"检查编号": "2025-3-C06", "理由": "已注销", "决定人": "王主任"},
        "SELECT count(*) FROM inspection WHERE replaces = '2025-3-C06'",
        (1,),
    ),
    "登记回避申请": Case(
        {
            "检查编号": "2025-3-C04",
            "部门": Choice("区市场监督管理局"),
            "席位": 1,
            "理由": "有利害关系",
            "申请人": "被检查单位负责人",
            "申请日期": TODAY,
        },
        of("recusal_request", "t.department, t.asked_on, t.decision", "2025-3-C04"),
        ("scjgj", str(TODAY), ""),
    ),
    "决定回避申请": Case(
        {
            "检查编号": "2025-3-C05",
            "部门": Choice("区应急管理局"),
            "席位": 1,
            "决定": Choice("准许"),
            "理由": "情况属实",
            "决定人": "应急局负责人",
        },
        of("recusal_request", "t.decision, t.decided_by", "2025-3-C05"),
        ("准许", "应急局负责人"),
    ),
    "录入公共值": Case(
        {
            "轮次代码": Choice("2025-1"),
            "风险等级": Choice("B"),
            "公共值": "3021.50",
            "录入人": ["张三", "李四"],
        },
        drawn("public_value, json_extract(public_value_by, '$[1]')", "2025-1", "B"),
        ("3021.50", "李四"),
    ),
    "导入外部抽取": Case(
        {
            "轮次代码": Choice("2025-1"),
            "风险等级": Choice("D"),
            "名单文件": Path("平台名单.csv"),
            "平台文书": "豫双随机〔2025〕77号",
            "经办人": "李四",
        },
        drawn("count, document, sealed_at IS NOT NULL", "2025-1", "D"),
        (6, "豫双随机〔2025〕77号", 1),
    ),
    "提前公开抽取": Case(
        {
            "轮次代码": Choice("2025-3"),
            "风险等级": Choice("A"),
            "提前公开的理由": "统一公开",
            "决定人": "王主任",
        },
        drawn("revealed_at IS NOT NULL", "2025-3", "A"),
        (1,),
    ),
    "中止期限": Case(
        {
            "职责": Choice("公示"),
            "对象编号": "2024-1-D02/yjglj",
            "中止起日": TODAY,
            "中止止日": TODAY + timedelta(days=10),
            **APPROVED,
        },
        "SELECT duty, through_on, approved_on, entered_by FROM granted_time "
        "WHERE object = '2024-1-D02/yjglj'",
        ("publish", str(TODAY + timedelta(days=10)), str(TODAY), "李四"),
    ),
    "延长期限": Case(
        {
            "职责": Choice("公示"),
            "对象编号": "2024-1-D02/scjgj",
            "延长几个工作日": 5,
            **APPROVED,
        },
        "SELECT working_days, approver FROM granted_time WHERE object = '2024-1-D02/scjgj'",
        (5, "联席会议办公室"),
    ),
    "登记请假": Case(
        {
            "所在部门": Choice("区应急管理局"),
            "请假人": "应急局负责人",
            "请假起日": TODAY,
            "请假止日": TODAY + timedelta(days=4),
            "事由": "年休假",
            "录入人": "李四",
            "代办人": "副局长",
            "代办人邮箱": "fu@yjglj.example",
        },
        "SELECT last_on, delegate, delegate_email FROM leave WHERE department = 'yjglj'",
        (str(TODAY + timedelta(days=4)), "副局长", "fu@yjglj.example"),
    ),
    "登记销假": Case(
        {"销假日期": TODAY, "录入人": "李四"},
        "SELECT first_on, last_on, delegate FROM leave WHERE department = 'scjgj' ORDER BY id DESC "
        "LIMIT 1",
        (str(TODAY), str(TODAY + timedelta(days=4)), "市场监管局负责人"),
        board=("销假",),
    ),
    "导入名录库": Case(
        {"名录库": Choice("检查对象"), "文件": Path("检查对象.xlsx"), "经办人": "李四"},
        "SELECT count(*) FROM ledger WHERE actor = '李四' AND subject = '检查对象.xlsx'",
        (1,),
        ends_as="已导入",
    ),
    "导入放假通知": Case(
        {
            "通知全文": NOTICE.read_text(encoding="utf-8"),
            "文号": "国办发明电〔2026〕99号",
            "发文日期": date(2026, 11, 24),
            "经办人": "李四",
        },
        "SELECT year, issued_on, imported_by FROM holiday_notice",
        (2027, "2026-11-24", "李四"),
        ends_as="已导入",
    ),
    "提前开启轮次": Case(
        {"轮次代码": Choice("2025-2"), "提前的理由": "市里统一部署", "决定人": "王主任"},
        "SELECT opens_on FROM round WHERE code = '2025-2'",
        (str(TODAY),),
    ),
    "试算提醒": Case(
        {"日期": "2024-07-08"},
        "SELECT count(*) FROM sweep",  # it only looks
        (0,),
        ends_as="已试算",
    ),
}


class Form:
    """A form in the browser, filled in by its labels."""

    def __init__(self, page: Any) -> None:
        self._page = page

    def open_from(self, service: Any, name: str, board: tuple[str, ...]) -> None:
        self._page.goto(service.pages["期限看板" if board else "开始页"])
        shown = self._page
        for words in board[1:]:
            shown = (shown if shown is not self._page else shown.get_by_role("row")).filter(
                has_text=words
            )
        shown.get_by_role("link", name=board[0] if board else name, exact=True).first.click()
        self._page.get_by_role("heading", name="Parameters").wait_for()

    def fill(self, values: dict[str, Any], within: Any = None) -> None:
        for label, value in values.items():
            self._fill(self._control(within or self._page, label), label, value)

    @staticmethod
    def _control(within: Any, label: str) -> Any:
        """What stands under a label; of several the last, which was added last."""
        named = f"label[normalize-space()='{label}' or normalize-space()='{label} (Optional)']"
        return within.locator(
            f"xpath=.//{named}/ancestor::*[following-sibling::fieldset][1]"
            "/following-sibling::fieldset[1]"
        ).last

    def _fill(self, control: Any, label: str, value: Any) -> None:
        if isinstance(value, Choice):
            control.get_by_role("button", name=f"Select {label}").click()
            self._page.get_by_role("option", name=value, exact=True).click()
            self._page.keyboard.press("Escape")
        elif isinstance(value, date):
            control.get_by_role("button").click()
            self._page.get_by_label("Date (yyyy-MM-dd)").fill(value.isoformat())
            self._page.keyboard.press("Enter")
            self._page.keyboard.press("Escape")
        elif isinstance(value, list):
            for one in value:
                control.get_by_role("button", name="Add item").last.click()
                if isinstance(one, dict):
                    self.fill(one, control)
                else:
                    control.locator("textarea, input").last.fill(one)
        else:
            control.locator("textarea, input").fill(str(value))

    def read(self, label: str) -> str:
        """What stands in a field of text."""
        return str(self._control(self._page, label).locator("textarea, input").input_value())

    def open_returned(self, run: str) -> None:
        """Back to the form, from the page of a run that was sent back."""
        self._page.goto(run)
        self._page.get_by_role("link", name="点开，回到已填好的表单").click()
        self._page.get_by_role("link", name="打开已填好的表单").click()
        self._page.get_by_role("heading", name="Parameters").wait_for()

    def rows(self, runs: str, start: str) -> list[str]:
        """The names of a page's runs that begin so."""
        self._page.goto(runs)
        found = self._page.get_by_role("link", name=re.compile(f"^{start}"))
        found.first.wait_for()
        return list(found.all_inner_texts())

    def send(self) -> str:
        """Send it; the number of its run."""
        while True:
            with self._page.expect_response(re.compile("/create_flow_run$")) as answer:
                self._page.get_by_role("button", name="Submit").click()
            if answer.value.status == BUSY:  # as people are told to on the start page
                continue
            number = str(answer.value.json()["id"])
            self._page.goto("about:blank")  # the run's page would go on drawing
            return number


@pytest.fixture(scope="module")
def form(browser: Any) -> Iterator[Form]:
    """The coordinator's page."""
    page = browser.new_page()
    yield Form(page)
    page.close()


@pytest.fixture(scope="module")
def sent(service: Any, form: Form) -> Callable[[str], str]:
    """Fill a form in and send it, once; the number of its run."""
    made: dict[str, str] = {}

    def send(name: str) -> str:
        if name not in made:
            case = CASES[name]
            form.open_from(service, name, case.board)
            form.fill(case.typed_at(service.home))
            made[name] = form.send()
        return made[name]

    return send


def test_no_form_is_left_out() -> None:
    from deployments.registry import FORMS

    assert set(CASES) == {form.name for form in FORMS}


@pytest.mark.parametrize("name", CASES)
def test_a_form_can_be_filled_in_by_its_labels_and_sent(
    name: str, sent: Callable[[str], str]
) -> None:
    assert sent(name)


@pytest.mark.parametrize("name", CASES)
def test_what_was_sent_stands_in_the_office_s_database(
    name: str, sent: Callable[[str], str], service: Any
) -> None:
    case = CASES[name]
    run = service.ended(sent(name))
    assert run.state.name == case.ends_as, run.state.message
    assert service.rows(case.question) == [case.answer]


def test_a_wrong_entry_is_sent_back_and_put_right_from_its_own_link(
    form: Form, service: Any
) -> None:
    form.open_from(service, "登记公示", ("公示", "2024-1-D02", "区市场监督管理局"))
    form.fill({"公示日期": "七月"})  # the day of entry and the name are still missing
    run = service.ended(form.send())
    assert run.state.name == "退回补正"
    assert "第 1 项“录入日期”必填；“各份公示”第 1 项“录入人”必填" in run.state.message
    form.open_returned(f"{service.pages['界面']}/runs/flow-run/{run.id}?tab=Artifacts")
    assert form.read("检查编号") == "2024-1-D02"
    assert form.read("公示日期") == "七月"
    form.fill({"录入日期": date(2024, 7, 10), "公示日期": "2024-07-11", "录入人": "李四"})
    assert service.ended(form.send()).state.name == "已登记"
    assert service.rows(record("p.published_on", "2024-1-D02", "scjgj")) == [("2024-07-11",)]


def test_of_all_the_passes_one_row_a_round_stands_under_the_current_runs(
    form: Form, service: Any, sent: Callable[[str], str]
) -> None:
    service.ended(sent("登记送达"))
    service.ended(sent("登记公示"))
    number = service.deployment("轮次推进").id

    def passes() -> list[Any]:
        runs = [run for run in service.client.read_flow_runs() if run.deployment_id == number]
        asked = [run for run in runs if not run.auto_scheduled]
        return asked if all(run.state.is_final() for run in asked) else []

    assert "2024-1" in [run.parameters["round_code"] for run in service.until(passes)]
    shown = form.rows(service.pages["当前各轮次"], "2024-1 · ")
    assert [name.split(" · ")[0] for name in shown] == ["2024-1"]
    assert re.fullmatch(r"2024-1 · \w+ [0-9]+/[0-9]+", shown[0])
