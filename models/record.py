"""The record sheet as it is entered, and the rules by which an entry stands or is sent back."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from models.entry import Entry, EntryRefused, not_after, optional_day
from models.inspection import DepartmentRecord, Inspection
from models.plan import Department, Plan
from models.referral import NEEDLESS, FollowUp

Attestation = Literal["签字", "盖章", "拒签", "无人可签"]
Method = Literal["实地检查", "书面检查", "网络监测", "检验检测", "委托专业机构"]
MeasureName = Literal["现场笔录", "提取证据", "责令停止", "督促整改"]
Form = Literal["书面", "口头", "移动执法设备打印"]


def _chosen(choice: object) -> object:
    """The code in front of what a form offers: `yj-1 安全…`, `(5) 发现问题…` say yj-1 and 5."""
    words = choice.split() if isinstance(choice, str) else []
    return words[0].strip("()（）") if words else choice


class ItemEntry(Entry):
    """The finding on one item: exactly one of the ten results."""

    item: Annotated[str, BeforeValidator(_chosen)] = Field(alias="抽查事项")
    result: Annotated[int, BeforeValidator(_chosen)] = Field(alias="检查结果", ge=1, le=10)
    problem: str = Field(
        alias="发现问题", default="", description="不利结果须写明；未发现问题、合格的留空"
    )
    disposal: str = Field(alias="处置情况", default="")


class MeasureEntry(Entry):
    """A measure taken on the spot (§六.3), and in which form (§六.4)."""

    measure: MeasureName = Field(alias="监管措施")
    form: Form = Field(alias="方式", default="书面")


class RecordEntry(Entry):
    """One department's part of the record sheet (部门联合监督检查情况记录表)."""

    inspection: str = Field(alias="检查编号", min_length=1, description="如 2024-1-D03")
    department: str = Field(alias="部门", min_length=1)
    ended_on: date = Field(alias="检查结束日期", description="记录表签字的日期，拒签等亦同")
    attestation: Attestation = Field(alias="签字情况")
    attestation_note: str = Field(
        alias="签字说明", default="", description="拒签、无人可签的须写明情况"
    )
    witness: str = Field(alias="见证人", default="", description="无人可签的须写明")
    methods: list[Method] = Field(alias="核查方式", default=["实地检查"])
    results: list[ItemEntry] = Field(
        alias="事项结果", min_length=1, description="本部门的每个事项各添加一项"
    )
    measures: list[MeasureEntry] = Field(alias="监管措施", default=[])
    order_text: str = Field(
        alias="责令改正内容", default="", description="结果为 (5) 的须写明，口头责令也要记"
    )
    order_form: Literal["", "书面", "口头", "移动执法设备打印"] = Field(
        alias="责令方式", default=""
    )
    order_due_on: str = Field(
        alias="整改期限", default="", description="如 2024-08-01；没有指定日期的留空"
    )
    formed_on: str = Field(
        alias="结果形成日期", default="", description="如 2024-08-01；空即检查结束日期"
    )
    test_report: str = Field(
        alias="检验检测报告", default="", description="结果形成晚于检查结束的，写报告编号"
    )
    referral_needed: Literal["", "需", "不需"] = Field(
        alias="是否移送", default="", description="没有不利结果的留空；也可以后由“登记移送”补填"
    )
    referral_why: str = Field(
        alias="移送理由", default="", description="写明了是否移送的，须写明理由"
    )
    recorded_on: date = Field(alias="记录日期")
    entered_by: str = Field(alias="录入人", min_length=1)
    proxy: bool = Field(alias="代录", default=False, description="由他人代本部门录入的，请打开")
    correction: str = Field(
        alias="更正理由", default="", description="更正本部门已有的记录时，须写明"
    )


def department_of(plan: Plan, text: str) -> Department:
    """The plan's department of that code or name; EntryRefused otherwise."""
    for department in plan.departments:
        if text in (department.code, department.name):
            return department
    known = "、".join(department.name for department in plan.departments)
    raise EntryRefused(f"没有“{text}”这个部门，应为：{known}")


def apply_record(
    plan: Plan, inspection: Inspection, entry: RecordEntry, as_of: date, at: datetime
) -> DepartmentRecord:
    """Let `entry` stand in the inspection and in its department's record, or refuse it.

    The sheet ends the inspection for every department alike; each records its own items, one
    result each. A correction leaves the day of the first record, on which that duty was met, and
    a decision on referral of which it says nothing. Raises EntryRefused with what is wrong and
    what to do; then nothing has changed.
    """
    department = department_of(plan, entry.department)
    record = inspection.record(department.code)
    formed_on = optional_day(entry.formed_on, "结果形成日期") or entry.ended_on
    order_due_on = optional_day(entry.order_due_on, "整改期限")
    _check_days(inspection, record, entry, formed_on, as_of)
    _check_signature(entry)
    _check_items(plan, department, entry, order_due_on)
    results = [item.model_dump() for item in entry.results]
    adverse = any(plan.result(item.result).adverse for item in entry.results)
    if entry.referral_needed and not entry.referral_why:
        raise EntryRefused("写明了是否移送，还须写明移送理由")
    if entry.referral_needed == "需" and not adverse:
        raise EntryRefused("本部门没有不利结果，不能填“需”移送")
    if entry.referral_needed == "不需" and record.referral is not None:
        raise EntryRefused(f"已于 {record.referral.sent_on} 移送，不能改为不需移送")

    inspection.ended_on = entry.ended_on
    inspection.attestation = entry.attestation
    inspection.attestation_note = entry.attestation_note
    inspection.witness = entry.witness
    record.version, record.correction = record.version + 1, entry.correction
    record.recorded_on = max(record.recorded_on or entry.recorded_on, entry.ended_on)
    record.formed_on = formed_on
    record.test_report, record.methods = entry.test_report, list(entry.methods)
    record.measures = [measure.model_dump() for measure in entry.measures]
    record.results, record.adverse = results, adverse
    record.order_text, record.order_manner = entry.order_text, entry.order_form
    record.order_due_on = order_due_on
    if entry.referral_needed:
        record.referral_needed, record.referral_why = entry.referral_needed, entry.referral_why
        record.referral_decided_on = record.referral_decided_on or entry.recorded_on
    elif not adverse:
        record.referral_needed, record.referral_why, record.referral_decided_on = "", "", None
    record.entered_by, record.entered_at, record.proxy = entry.entered_by, at, entry.proxy
    for each in inspection.records:  # what formed with the visit's end moves with it
        if each is not record and each.formed_on and not each.test_report:
            each.formed_on = entry.ended_on
        if each.version:
            _open_follow_ups(plan, each, entry.recorded_on)
    return record


def _check_days(
    inspection: Inspection,
    record: DepartmentRecord,
    entry: RecordEntry,
    formed_on: date,
    as_of: date,
) -> None:
    if inspection.dropped_on is not None:
        raise EntryRefused(f"{inspection.code} 已登记为未实施，不能再记录检查结果")
    for day, field in (
        (entry.ended_on, "检查结束日期"),
        (entry.recorded_on, "记录日期"),
        (formed_on, "结果形成日期"),
    ):
        not_after(day, as_of, field)
    if inspection.draw.sealed_at and entry.ended_on < inspection.draw.sealed_at.date():
        raise EntryRefused(f"检查结束日期 {entry.ended_on} 早于抽取日，请核对")
    if formed_on < entry.ended_on or entry.recorded_on < entry.ended_on:
        raise EntryRefused("结果形成日期、记录日期都不能早于检查结束日期")
    if formed_on > entry.ended_on and not entry.test_report:
        raise EntryRefused("结果晚于检查结束日期形成的，须有检验检测报告，请填写报告编号")
    corrects = record.version > 0
    if corrects and not entry.correction:
        raise EntryRefused(f"{inspection.code} 本部门已有记录，更正须写明更正理由")
    others = [other for other in inspection.records if other is not record and other.version]
    if others and inspection.ended_on != entry.ended_on and not entry.correction:
        raise EntryRefused(
            f"检查结束日期 {entry.ended_on} 与另一部门所记 {inspection.ended_on} 不一致，"
            "请核对记录表；确需更正的写明更正理由"
        )
    if others and inspection.attestation != entry.attestation and not entry.correction:
        raise EntryRefused(
            f"签字情况“{entry.attestation}”与另一部门所记“{inspection.attestation}”不一致，"
            "请核对记录表；确需更正的写明更正理由"
        )


def _check_signature(entry: RecordEntry) -> None:
    if entry.attestation in ("拒签", "无人可签") and not entry.attestation_note:
        raise EntryRefused(f"{entry.attestation}须由执法检查人员写明签字说明")
    if entry.attestation == "无人可签" and not entry.witness:
        raise EntryRefused("无人可签须写明见证人")


def _check_items(
    plan: Plan, department: Department, entry: RecordEntry, order_due_on: date | None
) -> None:
    own = {item.code: item.name for item in plan.items_of(department.code)}
    given = [item.item for item in entry.results]
    if sorted(given) != sorted(own):
        raise EntryRefused(
            f"{department.name}应对每个事项各填一个结果，事项代码为：{'、'.join(own)}；"
            f"现为：{'、'.join(given)}"
        )
    ordered = any(plan.result(item.result).needs_order for item in entry.results)
    for item in entry.results:
        result = plan.result(item.result)
        label = f"({result.code}) {result.text}"
        if result.clean and item.problem:
            raise EntryRefused(f"{own[item.item]}：有发现问题，不能填“{label}”")
        if result.adverse and not item.problem:
            raise EntryRefused(f"{own[item.item]}：结果为“{label}”，须写明发现问题")
    if ordered and not entry.order_text:
        raise EntryRefused("结果为“(5) 发现问题已责令改正”，须填责令改正内容（口头责令也要记）")
    if entry.order_text and not entry.order_form:
        raise EntryRefused("有责令改正的，须选责令方式（书面、口头或移动执法设备打印）")
    if entry.order_text and not ordered:
        raise EntryRefused("有责令改正的，相应事项的结果应为“(5) 发现问题已责令改正”")
    if order_due_on and not ordered:
        raise EntryRefused("整改期限只用于“(5) 发现问题已责令改正”")
    if order_due_on and order_due_on < entry.ended_on:
        raise EntryRefused("整改期限不能早于检查结束日期")


def _open_follow_ups(plan: Plan, record: DepartmentRecord, on: date) -> None:
    """One follow-up for each item that needs one; a correction of that day may end or revive it."""
    known = {follow_up.item: follow_up for follow_up in record.follow_ups}
    wanted: dict[str, dict[str, Any]] = {
        result["item"]: result
        for result in record.results
        if plan.result(result["result"]).needs_follow_up
    }
    for item, follow_up in known.items():
        if item not in wanted and follow_up.closed_on is None:
            follow_up.closed_on, follow_up.outcome = on, NEEDLESS
    for item, result in wanted.items():
        follow_up = known.get(item) or FollowUp(item=item, outcome="")
        if item not in known:
            record.follow_ups.append(follow_up)
        if follow_up.outcome == NEEDLESS:
            follow_up.closed_on, follow_up.outcome = None, ""
        if follow_up.closed_on is None:
            assert record.formed_on is not None
            by_order = plan.result(result["result"]).needs_order
            follow_up.problem, follow_up.opened_on = result["problem"], record.formed_on
            follow_up.order_due_on = record.order_due_on if by_order else None
