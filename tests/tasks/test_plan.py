"""Plans: loaded once, their rounds registered and committed to, in public, ahead of the draw."""

from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from models.base import SHANGHAI
from models.database import reading
from models.draw import Draw
from models.ledger import LedgerEntry
from models.mail import Mail
from models.obligation import Obligation
from models.plan import Plan, PlanRefused
from models.round import Round
from tasks import draw, ledger
from tasks.plan import load_plan, plans

AT = datetime(2024, 6, 20, 9, tzinfo=SHANGHAI)
LATER = datetime(2024, 6, 21, 9, tzinfo=SHANGHAI)


def with_rule(plan: Plan, grade: str, rule: str) -> Plan:
    grades = tuple(
        each.model_copy(update={"public_value_rule": rule}) if each.grade == grade else each
        for each in plan.grades
    )
    return plan.model_copy(update={"grades": grades})


def all_of(table: type[Any]) -> list[Any]:
    with reading() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def secrets() -> dict[tuple[int, str], str]:
    return {(each.round_id, each.grade): each.secret for each in all_of(Draw)}


def test_a_plan_registers_its_rounds_with_a_commitment_for_each_grade(
    database: Path, drill: Plan
) -> None:
    assert load_plan(drill, AT) == "平卫双随机办〔2024〕55号 已载入（第 1 版），2 个轮次"
    assert [(each.code, each.opens_on, each.opened_on) for each in all_of(Round)] == [
        ("2024-1", date(2024, 6, 25), None),
        ("2024-2", date(2024, 11, 11), None),
    ]
    draws = all_of(Draw)
    assert [each.grade for each in draws] == list("ABCD") * 2
    assert len({each.secret for each in draws}) == 8
    for each in draws:
        assert each.commitment == sha256(bytes.fromhex(each.secret)).hexdigest()
        assert each.committed_at == AT


def test_commitments_go_into_the_ledger_and_to_every_head_and_the_secret_nowhere(
    database: Path, drill: Plan
) -> None:
    load_plan(drill, AT)
    mails = all_of(Mail)
    assert [(each.email, each.day) for each in mails] == [
        ("head@yjglj.example", AT.date()),
        ("head@scjgj.example", AT.date()),
        ("coordinator@weidong.example", AT.date()),
    ] * 2
    told = "\n".join(each.text for each in mails)
    entries = all_of(LedgerEntry)
    written = "\n".join(str(each.detail) for each in entries)
    assert [each.action for each in entries] == (["载入计划"] + ["公布承诺"] * 8 + ["期限起算"] * 8)
    for each in all_of(Draw):
        assert each.commitment in told
        assert each.commitment in written
        assert each.secret not in told + written
    assert ledger.verify() == (17, None)


def test_loading_the_same_plan_again_changes_nothing_and_makes_no_new_secret(
    database: Path, drill: Plan
) -> None:
    load_plan(drill, AT)
    before = secrets()
    assert load_plan(drill, LATER) == "平卫双随机办〔2024〕55号 没有变化（第 1 版）"
    assert secrets() == before
    assert ledger.verify() == (17, None)
    assert len(all_of(Mail)) == 6


def test_a_changed_plan_is_a_new_version_with_the_old_secrets(database: Path, drill: Plan) -> None:
    load_plan(drill, AT)
    before = secrets()
    late = drill.rounds[0].model_copy(update={"opens_on": date(2024, 6, 27)})
    changed = drill.model_copy(update={"rounds": (late, drill.rounds[1])})
    assert load_plan(changed, LATER) == "平卫双随机办〔2024〕55号 已载入（第 2 版），2 个轮次"
    assert secrets() == before
    assert all_of(Round)[0].opens_on == date(2024, 6, 27)
    assert plans() == [changed]
    assert len(all_of(Mail)) == 6


def test_a_round_that_is_open_keeps_its_days(office: Any, drill: Plan) -> None:
    draw.freeze_draws("2024-1", datetime(2024, 6, 25, 9, tzinfo=SHANGHAI))
    late = drill.rounds[0].model_copy(update={"ends_on": date(2024, 10, 31)})
    load_plan(
        drill.model_copy(update={"rounds": (late, drill.rounds[1])}),
        datetime(2024, 6, 26, 9, tzinfo=SHANGHAI),
    )
    assert all_of(Round)[0].ends_on == date(2024, 9, 30)


def test_a_further_round_is_registered_with_secrets_of_its_own(database: Path, drill: Plan) -> None:
    load_plan(drill.model_copy(update={"rounds": drill.rounds[:1]}), AT)
    before = secrets()
    load_plan(drill, LATER)
    assert [each.code for each in all_of(Round)] == ["2024-1", "2024-2"]
    assert before.items() < secrets().items()
    assert len(secrets()) == 8


def test_a_changed_public_value_rule_is_committed_to_and_told_anew(
    database: Path, drill: Plan
) -> None:
    load_plan(drill, AT)
    before = secrets()
    load_plan(with_rule(drill, "D", "6 月 24 日福彩 3D 开奖号码"), LATER)
    changed = [each for each in all_of(Draw) if each.public_value_rule]
    assert [(each.grade, each.committed_at) for each in changed] == [("D", LATER)] * 2
    assert secrets() == before
    assert "公共值规则：6 月 24 日福彩 3D 开奖号码" in all_of(Mail)[-1].text
    assert [each.action for each in all_of(LedgerEntry)][17:] == [
        "载入计划",
        "公布承诺",
        "公布承诺",
    ]


def test_a_frozen_draw_keeps_its_public_value_rule(office: Any, drill: Plan) -> None:
    draw.freeze_draws("2024-1", datetime(2024, 6, 25, 9, tzinfo=SHANGHAI))
    load_plan(with_rule(drill, "D", "规则"), datetime(2024, 6, 25, 10, tzinfo=SHANGHAI))
    rules = {each.code: each.public_value_rule for each in all_of(Draw) if each.grade == "D"}
    assert rules == {"2024-1-D": "", "2024-2-D": "规则"}


def test_a_changed_term_counts_what_is_open_anew(drawn: Any, drill: Plan) -> None:
    terms = tuple(
        each.model_copy(update={"working_days": 5}) if each.duty == "record" else each
        for each in drill.terms
    )
    load_plan(drill.model_copy(update={"terms": terms}), datetime(2024, 6, 26, 9, tzinfo=SHANGHAI))
    records = [each for each in all_of(Obligation) if each.duty == "record"]
    assert records
    assert {(each.working_days, each.due_version) for each in records} == {(5, 2)}
    moved = [each for each in all_of(LedgerEntry) if each.action == "期限变更"]
    assert {each.detail["why"] for each in moved} == {"计划第 2 版"}


def test_two_plans_cannot_claim_the_same_rounds(database: Path, drill: Plan) -> None:
    load_plan(drill, AT)
    with pytest.raises(PlanRefused) as refused:
        load_plan(drill.model_copy(update={"number": "另一号"}), LATER)
    assert str(refused.value) == "另一号：轮次“2024-1”属于另一方案，请改用别的 code"
    assert len(plans()) == 1
    other = drill.model_copy(update={"number": "另一号", "code": "2025"})
    assert load_plan(other, LATER) == "另一号 已载入（第 1 版），2 个轮次"


@pytest.mark.parametrize(
    "changes", [{"code": "24"}, {"rounds": ()}], ids=["another code", "fewer rounds"]
)
def test_registered_rounds_cannot_vanish(
    database: Path, drill: Plan, changes: dict[str, Any]
) -> None:
    load_plan(drill, AT)
    with pytest.raises(PlanRefused) as refused:
        load_plan(drill.model_copy(update=changes), LATER)
    assert str(refused.value).endswith("轮次已经登记，不能改 code，也不能减少轮次")


def test_a_round_under_way_keeps_its_departments_and_items(drawn: Any, drill: Plan) -> None:
    def load(**changes: Any) -> str:
        return load_plan(drill.model_copy(update=changes), datetime(2024, 7, 1, 9, tzinfo=SHANGHAI))

    renamed = drill.items[2].model_copy(update={"name": "住所检查"})
    assert "第 2 版" in load(items=(*drill.items[:2], renamed))
    for changes in ({"departments": drill.departments[:1]}, {"items": drill.items[:2]}):
        with pytest.raises(PlanRefused) as refused:
            load(**changes)
        assert str(refused.value).endswith("2024-1 正在进行，不能增减部门，也不能减少抽查事项")
    with reading() as session:
        assert session.scalar(select(func.count(Round.id))) == 2
