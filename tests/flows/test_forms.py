"""The forms: their labels, and how a wrong entry is sent back."""

import inspect
import json
import re
from datetime import date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError, validate_call

from models.base import SHANGHAI
from models.entry import in_chinese
from models.publication import PublicationEntry
from models.record import RecordEntry


def said(kind: Any, value: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    return in_chinese(caught.value, {})


def test_what_is_missing_in_an_entry_is_named_by_its_label_and_place() -> None:
    entry = {"检查编号": "2024-1-D03", "部门": "", "录入日期": "昨天", "录入人": "张三"}
    assert said(list[PublicationEntry], [entry]) == (
        "第 1 项“部门”不能为空；第 1 项“录入日期”应为日期，如 2024-07-01"
    )


def test_a_choice_outside_the_list_is_told_what_the_list_is() -> None:
    faults = said(RecordEntry, {"签字情况": "按手印", "事项结果": [{"检查结果": 11}]})
    assert "“签字情况”只能是 '签字', '盖章', '拒签' 或 '无人可签'" in faults
    assert "“事项结果”第 1 项“检查结果”不能大于 10" in faults
    assert "“检查编号”必填" in faults
    assert not re.search("[A-Za-z]{4}", faults)


def test_a_field_that_is_not_in_the_form_is_refused_by_name() -> None:
    assert "“备注”没有这一项" in said(PublicationEntry, {"备注": "x"})


def test_a_form_s_own_fields_are_named_by_their_labels() -> None:
    @validate_call
    def enter(entered_by: str, day: date) -> None: ...

    with pytest.raises(ValidationError) as caught:
        enter(day="昨天")  # type: ignore[call-arg, arg-type]
    labels = {"entered_by": "录入人", "day": "日期"}
    assert in_chinese(caught.value, labels) == "“录入人”必填；“日期”应为日期，如 2024-07-01"


@pytest.mark.server
def test_the_label_ends_where_the_help_begins() -> None:
    from flows.entry import field_labels

    def enter(code: str, seat: int, name: str) -> None:
        """录入。

        Args:
            code: 轮次代码，如 2024-1，不可为空
            seat: 席位；从 1 起
            name: 姓名
        """

    assert field_labels(enter) == {
        "code": ("轮次代码", "如 2024-1，不可为空"),
        "seat": ("席位", "从 1 起"),
        "name": ("姓名", ""),
    }


@pytest.mark.server
def test_every_field_of_every_form_has_a_short_chinese_label() -> None:
    from deployments.forms import HIDDEN
    from deployments.registry import FORMS
    from flows.entry import field_labels

    for form in FORMS:
        labels = field_labels(form.fn)
        assert set(labels) == set(inspect.signature(form.fn).parameters), form.name
        for name, (label, _) in labels.items():
            if name != HIDDEN:
                assert re.fullmatch(r"[\u4e00-\u9fff]{2,12}", label), (form.name, label)


@pytest.mark.server
def test_every_form_has_its_place_on_the_start_page() -> None:
    from deployments.registry import FORMS
    from flows.start_page import GROUPS

    placed = {name for names in GROUPS.values() for name in names}
    assert {form.name for form in FORMS} <= placed


def wrong_entries() -> dict[str, dict[str, Any]]:
    """For each form an entry that cannot stand, and that its fields' types let through or not."""
    where = {"检查编号": "2024-1-X99", "部门": "区应急管理局", "录入人": "张三"}
    grant = {
        "duty": "公示",
        "object": "2024-1-X99/yjglj",
        "article": "行政处罚法",
        "document": "批复",
        "approver": "局长",
        "approved_on": "2024-07-01",
        "entered_by": "张三",
    }
    draw = {"round_code": "2024-9", "grade": "D"}
    seat = {"inspection_code": "2024-1-X99", "department": "区应急管理局", "seat": 1}
    return {
        "登记检查结果": {"entries": [where]},
        "登记送达": {
            "entries": [
                {
                    "检查编号": "2024-1-X99",
                    "送达方式": "电话",
                    "送达日期": "2024-07-01",
                    "送达人": "张三",
                    "签收人或接听人": "李四",
                }
            ],
            "entered_by": "张三",
        },
        "登记不宜告知": {"inspection_code": "2024-1-X99", "reason": "线索", "approved_by": "局长"},
        "登记移送": {
            "entries": [where | {"是否移送": "不需", "理由": "已改", "研判日期": "2024-07-09"}]
        },
        "登记涉嫌犯罪移送": {
            "entries": [where | {"报告送达时间": "2024-07-09 10:00", "承办人": ["张三", "李四"]}]
        },
        "登记拒签报告": {
            "entries": [
                {
                    "检查编号": "2024-1-X99",
                    "报告日期": "2024-07-09",
                    "报告对象": "区应急管理局",
                    "报告文书": "报1号",
                    "录入人": "张三",
                }
            ]
        },
        "登记专项简报": {
            "round_code": "2024-9",
            "sent_on": "2024-07-09",
            "receiving": "区政府",
            "document": "简报1号",
            "entered_by": "张三",
        },
        "登记公示": {"entries": [where | {"录入日期": "2024-07-09"}]},
        "登记后续监管": {"entries": [where | {"办结日期": "2024-07-09"}]},
        "登记未实施": {
            "inspection_code": "2024-1-X99",
            "reason": "停电",
            "approved_by": "局长",
            "document": "批复",
            "approved_on": "2024-07-09",
        },
        "更换检查人员": seat | {"ground": "回避", "reason": "亲属", "decided_by": "局长"},
        "递补检查对象": {"inspection_code": "2024-1-X99", "reason": "注销", "decided_by": "局长"},
        "登记回避申请": seat,
        "决定回避申请": {},
        "录入公共值": {"round_code": "2024-1", "grade": "D", "value": "1", "entered_by": ["张三"]},
        "抽取": draw | {"asked_by": "张三"},
        "提前公开抽取": draw | {"reason": "统一公开", "ordered_by": "王主任"},
        "导入外部抽取": draw | {"file": "/没有/的.xlsx", "document": "1号", "imported_by": "张三"},
        "中止期限": grant | {"from_on": "2024-07-01", "through_on": "2024-07-09"},
        "延长期限": grant | {"working_days": 5},
        "登记请假": {
            "department": "区应急管理局",
            "person": "查无此人",
            "first_on": "2999-07-01",
            "last_on": "2999-07-05",
            "reason": "年休假",
            "entered_by": "李四",
        },
        "登记销假": {
            "department": "区应急管理局",
            "person": "应急局负责人",
            "back_on": "2024-07-03",
            "entered_by": "李四",
        },
        "导入名录库": {"kind": "检查对象", "file": "/没有/的.xlsx", "entered_by": "张三"},
        "导入放假通知": {
            "text": "不是通知",
            "number": "国办发明电〔2026〕1号",
            "issued_on": "2026-11-01",
            "entered_by": "张三",
        },
        "提前开启轮次": {"round_code": "2024-9", "reason": "统一部署", "decided_by": "张三"},
        "试算提醒": {"day": "昨天"},
    }


@pytest.mark.server
def test_every_form_sends_a_wrong_entry_back_in_chinese_and_changes_nothing(
    drawn: Any, prefect: Any
) -> None:
    from deployments.registry import FORMS

    wrong = wrong_entries()
    assert set(wrong) == {form.name for form in FORMS}
    before = drawn.rows()
    for form in FORMS:
        state = form(**wrong[form.name], return_state=True)
        assert (state.type.value, state.name) == ("FAILED", "退回补正"), (form.name, state)
        assert re.search(r"[\u4e00-\u9fff]{4}", state.message), form.name
        assert "validation" not in state.message.lower()
        if not wrong[form.name]:
            assert "“检查编号”必填" in state.message
    assert drawn.rows() == before


@pytest.mark.server
def test_what_must_be_filled_in_is_marked_so_and_the_rest_is_not(server: Any) -> None:
    from deployments.registry import deployments

    served = {made.name: made._parameter_openapi_schema for made in deployments([])}
    schema = served["更换检查人员"]
    assert schema.required == [name for name in schema.properties if name != "appointed"]
    assert schema.properties["inspection_code"]["title"] == "检查编号"
    assert schema.properties["inspection_code"]["description"] == "如 2024-1-D03"
    assert "default" not in schema.properties["inspection_code"]
    assert all("as_of" not in schema.properties for schema in served.values())


@pytest.mark.server
def test_a_round_is_opened_early_by_name_and_the_pass_then_draws(drawn: Any, prefect: Any) -> None:
    from flows.opening import open_round_early
    from flows.round import run_round

    day = date(2024, 10, 15)
    entered = open_round_early("2024-2", "市里统一部署", "王主任", as_of=day, return_state=True)
    assert entered.name == "已登记"
    run_round("2024-2", as_of=day)
    rows = drawn.rows()
    (round,) = [row for row in rows["round"] if row["code"] == "2024-2"]
    assert (str(round["opens_on"]), str(round["opened_on"])) == ("2024-10-15", "2024-10-15")
    (kept,) = [row for row in rows["ledger"] if row["action"] == "提前开启轮次"]
    assert kept["actor"] == "王主任"
    assert json.loads(kept["detail"])["reason"] == "市里统一部署"
    again = open_round_early("2024-2", "再提前", "王主任", as_of=day, return_state=True)
    assert (again.name, again.message) == ("退回补正", "轮次 2024-2 已于 2024-10-15 开启，无须提前")


@pytest.mark.server
def test_why_somebody_is_away_is_kept_in_the_ledger_and_not_in_prefect(
    drawn: Any, prefect: Any
) -> None:
    from flows.leave import end_leave, enter_leave

    day, head = date(2024, 7, 3), "应急局负责人"
    private = {"reason": "住院手术", "delegate_email": "acting@yjglj.example"}
    entry = {
        "department": "区应急管理局",
        "person": head,
        "first_on": day,
        "last_on": date(2024, 7, 9),
        "entered_by": "李四",
        "delegate": "副局长",
    }
    entered = enter_leave(**entry, **private, as_of=day, return_state=True)
    said = f"{head}（区应急管理局） 2024-07-03 至 2024-07-09 请假，由副局长代办"
    assert (entered.name, entered.message) == ("已登记", said)
    back = {name: entry[name] for name in ("department", "person", "entered_by")}
    ended = end_leave(**back, back_on=date(2024, 7, 5), as_of=day, return_state=True)
    assert (ended.name, ended.message) == ("已登记", f"{head}（区应急管理局） 2024-07-05 起销假")
    runs = prefect.read_flow_runs()
    assert len(runs) == 2
    assert not [run for run in runs if set(private) & set(run.parameters)]
    (kept,) = [row for row in drawn.rows()["ledger"] if row["action"] == "登记请假"]
    assert private.items() <= json.loads(kept["detail"]).items()


@pytest.mark.server
def test_the_dry_run_of_alerts_shows_them_and_sends_none(drawn: Any, prefect: Any) -> None:
    from flows.preview import preview_alerts

    before = drawn.rows()
    state = preview_alerts("2024-07-08", return_state=True)
    assert state.name == "已试算"
    assert drawn.rows() == before
    shown = prefect._client.post("/artifacts/filter", json={}).json()
    (table,) = [one for one in shown if one["description"].startswith("2024-07-08 的期限检查")]
    assert {row["提醒"] for row in json.loads(table["data"])} == {"当日提醒", "逾期催办"}


@pytest.mark.server
@pytest.mark.parametrize("day", ["2024-07-02", "昨天"], ids=["entered", "sent back"])
def test_who_received_a_notice_and_where_is_not_left_in_prefect(
    drawn: Any, prefect: Any, day: str
) -> None:
    from flows.notice import confirm_service
    from tasks.notice import prepare_notices

    prepare_notices("2024-1", datetime(2024, 6, 26, 9, tzinfo=SHANGHAI))
    private = {"签收人或接听人": "王五", "送达地点": "建设路9号", "备注": "13800000000"}
    entry = {"检查编号": "2024-1-B01", "送达方式": "电话", "送达日期": day, "送达人": "张三"}
    state = confirm_service([entry | private], "李四", return_state=True)
    (run,) = prefect.read_flow_runs()
    assert run.state.name == ("已登记" if day == "2024-07-02" else "退回补正")
    assert run.parameters["entries"] == [entry]
    kept = [row for row in drawn.rows()["notice"] if row["received_by"]]
    assert [(row["received_by"], row["place"], row["note"]) for row in kept] == (
        [tuple(private.values())] if state.is_completed() else []
    )
