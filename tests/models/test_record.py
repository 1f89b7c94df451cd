"""Record sheets: what stands, what is sent back and why, and what a correction leaves alone."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from models.base import SHANGHAI
from models.draw import Draw
from models.entry import EntryRefused
from models.inspection import DepartmentRecord, Inspection
from models.plan import read_plan
from models.record import ItemEntry, RecordEntry, apply_record, department_of
from models.referral import NEEDLESS, Referral
from models.settings import SHIPPED_PLAN

PLAN = read_plan(SHIPPED_PLAN)
Sheet = Callable[..., RecordEntry]


def day(text: str) -> date:
    return date.fromisoformat(f"2024-{text}")


@pytest.fixture
def inspection() -> Inspection:
    return Inspection(
        code="2024-1-D01",
        draw=Draw(sealed_at=datetime(2024, 6, 25, 9, tzinfo=SHANGHAI)),
        records=[
            DepartmentRecord(department=department, version=0, follow_ups=[])
            for department in ("yjglj", "scjgj")
        ],
    )


@pytest.fixture
def enter(inspection: Inspection, sheet: Sheet) -> Callable[..., DepartmentRecord]:
    """Enters a sheet in the inspection; `as_of` is the day of entry."""

    def apply(*given: Any, as_of: str = "07-15", **changes: Any) -> DepartmentRecord:
        at = datetime.combine(day(as_of), datetime.min.time(), tzinfo=SHANGHAI)
        return apply_record(
            PLAN, inspection, sheet("2024-1-D01", *given, **changes), day(as_of), at
        )

    return apply


Enter = Callable[..., DepartmentRecord]


def test_a_clean_sheet_ends_the_inspection_and_forms_its_result(
    enter: Enter, inspection: Inspection
) -> None:
    record = enter("scjgj", 9)
    assert (inspection.ended_on, inspection.attestation) == (day("07-09"), "签字")
    assert (record.version, record.formed_on, record.adverse) == (1, day("07-09"), False)
    assert [(each["item"], each["result"]) for each in record.results] == [("sc-1", 9), ("sc-2", 1)]
    assert record.follow_ups == []
    assert inspection.record("yjglj").version == 0


def items(*pairs: tuple[str, int]) -> list[ItemEntry]:
    return [ItemEntry(item=item, result=result) for item, result in pairs]


CLEAN_WITH_PROBLEM = [ItemEntry(item="yj-1", result=1, problem="通道堵塞")]
ADVERSE_WITHOUT_PROBLEM = items(("yj-1", 10))


@pytest.mark.parametrize(
    ("given", "changes", "line"),
    [
        (("yjglj",), {"results": CLEAN_WITH_PROBLEM},
         "对危险化学品经营单位安全生产的监督抽查：有发现问题，不能填“(1) 未发现问题”"),
        (("yjglj",), {"results": [ItemEntry(item="yj-1", result=9, problem="堵塞")]},
         "对危险化学品经营单位安全生产的监督抽查：有发现问题，不能填“(9) 合格”"),
        (("yjglj",), {"results": ADVERSE_WITHOUT_PROBLEM},
         "对危险化学品经营单位安全生产的监督抽查：结果为“(10) 不合格”，须写明发现问题"),
        (("yjglj", 5), {"order_text": ""},
         "结果为“(5) 发现问题已责令改正”，须填责令改正内容（口头责令也要记）"),
        (("yjglj", 5), {"order_form": ""},
         "有责令改正的，须选责令方式（书面、口头或移动执法设备打印）"),
        (("yjglj", 1), {"order_text": "限期疏通", "order_form": "口头"},
         "有责令改正的，相应事项的结果应为“(5) 发现问题已责令改正”"),
        (("yjglj", 8), {"order_due_on": "2024-08-01"},
         "整改期限只用于“(5) 发现问题已责令改正”"),
        (("yjglj", 5), {"order_due_on": "2024-07-08"}, "整改期限不能早于检查结束日期"),
        (("yjglj", 5), {"order_due_on": "8月1日"}, "整改期限应如 2024-07-01，现为“8月1日”"),
        (("yjglj",), {"attestation": "拒签"}, "拒签须由执法检查人员写明签字说明"),
        (("yjglj",), {"attestation": "无人可签", "witness": "社区工作人员"},
         "无人可签须由执法检查人员写明签字说明"),
        (("yjglj",), {"attestation": "无人可签", "attestation_note": "现场无人"},
         "无人可签须写明见证人"),
        (("scjgj",), {"results": items(("sc-1", 1))},
         "区市场监督管理局应对每个事项各填一个结果，事项代码为：sc-1、sc-2；现为：sc-1"),
        (("scjgj",), {"results": items(("sc-1", 1), ("sc-1", 7), ("sc-2", 1))},
         "区市场监督管理局应对每个事项各填一个结果，事项代码为：sc-1、sc-2；现为：sc-1、sc-1、sc-2"),
        (("scjgj",), {"results": items(("sc-1", 1), ("yj-1", 1))},
         "区市场监督管理局应对每个事项各填一个结果，事项代码为：sc-1、sc-2；现为：sc-1、yj-1"),
        (("消防",), {},
         "没有“消防”这个部门，应为：区应急管理局、区市场监督管理局"),
        (("yjglj",), {"ended_on": day("07-16")},
         "检查结束日期 2024-07-16 还没有到（今天是 2024-07-15），请核对"),
        (("yjglj",), {"recorded_on": day("07-16")},
         "记录日期 2024-07-16 还没有到（今天是 2024-07-15），请核对"),
        (("yjglj",), {"formed_on": "2024-07-16", "test_report": "检1"},
         "结果形成日期 2024-07-16 还没有到（今天是 2024-07-15），请核对"),
        (("yjglj",), {"ended_on": day("06-24")}, "检查结束日期 2024-06-24 早于抽取日，请核对"),
        (("yjglj",), {"recorded_on": day("07-08")},
         "结果形成日期、记录日期都不能早于检查结束日期"),
        (("yjglj",), {"formed_on": "2024-07-08"},
         "结果形成日期、记录日期都不能早于检查结束日期"),
        (("yjglj",), {"formed_on": "2024-07-10"},
         "结果晚于检查结束日期形成的，须有检验检测报告，请填写报告编号"),
        (("yjglj", 10), {"referral_needed": "需"}, "写明了是否移送，还须写明移送理由"),
        (("yjglj", 1), {"referral_needed": "需", "referral_why": "涉嫌违法"},
         "本部门没有不利结果，不能填“需”移送"),
    ],
)  # fmt: skip
def test_what_cannot_stand_is_sent_back_with_what_to_do(
    enter: Enter,
    inspection: Inspection,
    given: tuple[Any, ...],
    changes: dict[str, Any],
    line: str,
) -> None:
    with pytest.raises(EntryRefused) as refused:
        enter(*given, **changes)
    assert str(refused.value) == line
    assert inspection.ended_on is None
    assert all(not record.version and not record.follow_ups for record in inspection.records)


@pytest.mark.parametrize(
    ("changes", "stands"),
    [
        ({"ended_on": day("06-25"), "recorded_on": day("06-25")}, "the day of the draw"),
        ({"ended_on": day("07-15"), "recorded_on": day("07-15")}, "the day of entry"),
        ({"ended_on": day("07-09"), "recorded_on": day("07-15")}, "entered late"),
        ({"formed_on": "2024-07-09"}, "formed that day, without report"),
        ({"formed_on": "2024-07-15", "test_report": "检〔2024〕7号"}, "formed later, with report"),
        ({"attestation": "拒签", "attestation_note": "负责人拒绝签字"}, "refused"),
        (
            {"attestation": "无人可签", "attestation_note": "现场无人", "witness": "社区工作人员"},
            "nobody there",
        ),
    ],
)
def test_what_is_right_stands(enter: Enter, changes: dict[str, Any], stands: str) -> None:
    assert enter("yjglj", **changes).version == 1, stands


def test_a_refused_signature_is_not_a_refused_inspection(enter: Enter) -> None:
    record = enter("yjglj", 1, attestation="拒签", attestation_note="负责人拒绝签字")
    assert not record.adverse


@pytest.mark.parametrize("result", [0, 11])
def test_there_are_ten_results(sheet: Sheet, result: int) -> None:
    with pytest.raises(ValidationError):
        sheet("2024-1-D01", "yjglj", result)


@pytest.mark.parametrize(
    ("result", "adverse", "follows_up"),
    [(1, False, False), (2, True, False), (4, True, False), (5, True, True), (6, True, False),
     (7, False, False), (8, True, True), (9, False, False), (10, True, True)],
)  # fmt: skip
def test_a_result_says_what_follows(
    enter: Enter, result: int, adverse: bool, follows_up: bool
) -> None:
    record = enter("yjglj", result)
    assert record.adverse is adverse
    assert bool(record.follow_ups) is follows_up
    assert not record.referral_needed


def test_an_oral_order_is_an_order(enter: Enter) -> None:
    (follow_up,) = enter("yjglj", 5, order_form="口头", order_due_on="2024-08-10").follow_ups
    assert (follow_up.order_due_on, follow_up.opened_on) == (day("08-10"), day("07-09"))


def test_a_day_that_the_order_names_binds_only_what_was_ordered(enter: Enter) -> None:
    results = [
        ItemEntry(item="sc-1", result=5, problem="未悬挂"),
        ItemEntry(item="sc-2", result=8, problem="待核"),
    ]
    order = {"order_text": "悬挂", "order_form": "口头", "order_due_on": "2024-08-10"}
    record = enter("scjgj", results=results, **order)
    assert {each.item: each.order_due_on for each in record.follow_ups} == {
        "sc-1": day("08-10"),
        "sc-2": None,
    }


def test_the_other_departments_end_of_the_inspection_is_the_same_day(
    enter: Enter, inspection: Inspection
) -> None:
    enter("yjglj")
    with pytest.raises(EntryRefused) as refused:
        enter("scjgj", ended_on=day("07-10"))
    assert str(refused.value) == (
        "检查结束日期 2024-07-10 与另一部门所记 2024-07-09 不一致，"
        "请核对记录表；确需更正的写明更正理由"
    )
    enter("scjgj")
    assert inspection.ended_on == day("07-09")


def test_one_sheet_has_one_signature(enter: Enter, inspection: Inspection) -> None:
    enter("yjglj", attestation="拒签", attestation_note="负责人拒绝签字")
    with pytest.raises(EntryRefused, match="签字情况“签字”与另一部门所记“拒签”不一致"):
        enter("scjgj")
    assert (inspection.attestation, inspection.attestation_note) == ("拒签", "负责人拒绝签字")
    enter("scjgj", correction="经核对记录表，系签字")
    assert inspection.attestation == "签字"


def test_a_corrected_end_moves_the_result_that_formed_with_it(
    enter: Enter, inspection: Inspection
) -> None:
    enter("yjglj", 8)
    enter("scjgj", ended_on=day("07-11"), correction="记录表所签为 7 月 11 日")
    first = inspection.record("yjglj")
    assert (inspection.ended_on, first.formed_on) == (day("07-11"), day("07-11"))
    assert first.follow_ups[0].opened_on == day("07-11")


def test_a_corrected_end_leaves_the_result_that_waited_for_a_report(
    enter: Enter, inspection: Inspection
) -> None:
    enter("yjglj", formed_on="2024-07-12", test_report="检〔2024〕7号")
    enter("scjgj", ended_on=day("07-08"), correction="记录表所签为 7 月 8 日")
    assert inspection.record("yjglj").formed_on == day("07-12")


def test_a_correction_says_why(enter: Enter) -> None:
    enter("yjglj")
    with pytest.raises(EntryRefused) as refused:
        enter("yjglj")
    assert str(refused.value) == "2024-1-D01 本部门已有记录，更正须写明更正理由"
    assert enter("yjglj", 10, correction="漏记").version == 2


def test_a_correction_leaves_the_day_on_which_it_was_first_recorded(enter: Enter) -> None:
    enter("yjglj", recorded_on=day("07-10"))
    record = enter("yjglj", 10, recorded_on=day("08-30"), correction="漏记", as_of="09-01")
    assert record.recorded_on == day("07-10")
    moved = enter("yjglj", ended_on=day("07-12"), correction="日期有误", as_of="09-01")
    assert moved.recorded_on == day("07-12")


def test_a_correction_to_a_clean_result_ends_the_follow_up_and_the_question_of_referral(
    enter: Enter,
) -> None:
    enter("yjglj", 8, referral_needed="需", referral_why="涉嫌违法")
    record = enter("yjglj", 1, recorded_on=day("07-12"), correction="误记")
    assert (record.adverse, record.referral_needed, record.referral_decided_on) == (False, "", None)
    (follow_up,) = record.follow_ups
    assert (follow_up.closed_on, follow_up.outcome) == (day("07-12"), NEEDLESS)


def test_a_problem_that_comes_back_is_followed_up_again(enter: Enter) -> None:
    enter("yjglj", 8)
    enter("yjglj", 1, correction="误记")
    (follow_up,) = enter("yjglj", 10, correction="复核后仍不合格").follow_ups
    assert (follow_up.closed_on, follow_up.outcome) == (None, "")


def test_a_problem_that_was_dealt_with_is_not_opened_again(enter: Enter) -> None:
    record = enter("yjglj", 8)
    record.follow_ups[0].closed_on, record.follow_ups[0].outcome = day("07-12"), "已整改"
    (follow_up,) = enter("yjglj", 8, correction="补充说明").follow_ups
    assert (follow_up.closed_on, follow_up.outcome) == (day("07-12"), "已整改")


def test_a_corrected_order_gives_its_day_to_the_open_follow_up(enter: Enter) -> None:
    enter("yjglj", 5, order_due_on="2024-08-01")
    (follow_up,) = enter("yjglj", 5, order_due_on="2024-08-15", correction="期限笔误").follow_ups
    assert follow_up.order_due_on == day("08-15")


def test_a_correction_that_says_nothing_of_referral_leaves_the_decision(enter: Enter) -> None:
    enter("yjglj", 10, referral_needed="需", referral_why="涉嫌违法", recorded_on=day("07-10"))
    record = enter("yjglj", 8, recorded_on=day("07-12"), correction="结果代码有误")
    assert (record.referral_needed, record.referral_decided_on) == ("需", day("07-10"))


def test_what_was_sent_cannot_be_recorded_as_not_to_be_sent(enter: Enter) -> None:
    record = enter("yjglj", 10, referral_needed="需", referral_why="涉嫌违法")
    record.referral = Referral(sent_on=day("07-12"))
    with pytest.raises(EntryRefused, match="已于 2024-07-12 移送，不能改为不需移送"):
        enter("yjglj", 10, referral_needed="不需", referral_why="自行处理", correction="更正")


def test_an_inspection_that_was_given_up_takes_no_record(
    enter: Enter, inspection: Inspection
) -> None:
    inspection.dropped_on = day("07-10")
    with pytest.raises(EntryRefused) as refused:
        enter("yjglj")
    assert str(refused.value) == "2024-1-D01 已登记为未实施，不能再记录检查结果"


@pytest.mark.parametrize("text", ["yjglj", "区应急管理局"])
def test_a_department_goes_by_code_or_name(text: str) -> None:
    assert department_of(PLAN, text).code == "yjglj"


def test_a_form_speaks_chinese_and_knows_no_other_fields(sheet: Sheet) -> None:
    entry = sheet("2024-1-D01")
    form = entry.model_dump(mode="json", by_alias=True)
    assert {"检查编号", "部门", "检查结束日期", "签字情况", "事项结果"} <= set(form)
    assert RecordEntry.model_validate(form) == entry
    with pytest.raises(ValidationError):
        RecordEntry.model_validate(form | {"签名": "张三"})


@pytest.mark.parametrize(
    ("item", "result"),
    [("yj-1", 5), ("yj-1 安全生产的监督抽查", "(5) 发现问题已责令改正"), ("yj-1", "5")],
)
def test_an_item_and_a_result_are_read_by_the_code_in_front_of_what_a_form_offers(
    item: str, result: int | str
) -> None:
    entry = ItemEntry.model_validate({"抽查事项": item, "检查结果": result})
    assert (entry.item, entry.result) == ("yj-1", 5)
