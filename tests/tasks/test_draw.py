"""Draws: frozen when they may be, drawn once, at the floors exactly, from whom may be drawn."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import undefer

from models import fiction
from models.base import SHANGHAI
from models.database import reading, writing
from models.draw import Draw, DrawnSubject, TeamMember
from models.freeze import DrawRefused
from models.inspection import Inspection
from models.ledger import LedgerEntry
from models.mail import Mail
from models.plan import Grade, Plan
from models.registers import InspectorRow, SubjectRow
from models.subject import Inspector, Subject
from tasks.draw import enter_public_value, freeze_draws, reveal_draws, seal_draws
from tasks.inspection import drop_inspection, record_inspections
from tasks.mail import deliver
from tasks.plan import load_plan
from tasks.registers import save_inspectors, save_subjects
from tasks.round import UnknownRound

ROUND = "2024-1"
SMALL: dict[Grade, int] = {"A": 3, "B": 3, "C": 3, "D": 3}


def at(day: str, hour: int = 9) -> datetime:
    return datetime.fromisoformat(f"2024-{day}T{hour:02}:00").replace(tzinfo=SHANGHAI)


def all_of(table: type[Any]) -> list[Any]:
    with reading() as session:
        return list(session.scalars(select(table).options(undefer("*")).order_by(table.id)))


def subjects(counts: dict[Grade, int], **changed: Any) -> list[SubjectRow]:
    changed = {"status": "在营"} | changed
    return [row.model_copy(update=changed) for row in fiction.subjects(1, counts)]


def inspectors(per_department: int = 4, **changed: Any) -> list[InspectorRow]:
    changed = {"status": "在岗", "certificate_expires_on": date(2030, 1, 1)} | changed
    made = fiction.inspectors(1, ["yjglj", "scjgj"], per_department)
    return [row.model_copy(update=changed) for row in made]


Register = Callable[..., None]


@pytest.fixture
def register(database: Path, drill: Plan) -> Register:
    """Loads a plan, the drill's by default, and registers."""

    def load(
        subjects: Iterable[SubjectRow],
        inspectors: Iterable[InspectorRow],
        plan: Plan = drill,
        on: str = "06-20",
    ) -> None:
        load_plan(plan, at(on))
        with writing() as session:
            save_subjects(session, list(subjects), "对象", at(on), "甲")
            save_inspectors(session, list(inspectors), "人员", at(on), "甲")

    return load


def frozen() -> list[str]:
    return [draw.code for draw in all_of(Draw) if draw.frozen_at]


def draws() -> dict[str, Draw]:
    """The first round's, by grade."""
    return {draw.grade: draw for draw in all_of(Draw) if draw.round.code == ROUND}


def run(day: str = "06-25") -> None:
    assert freeze_draws(ROUND, at(day)) == []
    deliver(at(day))
    seal_draws(ROUND, at(day))


# ---- when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loaded", "too_early", "first"),
    [
        ("06-20", "06-24", "06-25"),  # its day has not come
        ("06-24", "06-24", "06-25"),
        ("06-25", "06-25", "06-26"),  # a working day must pass after the commitment
        ("06-28", "06-30", "07-01"),  # and a weekend does not count
        ("09-14", "09-17", "09-18"),  # nor does the Mid-Autumn Festival
        ("09-13", "09-13", "09-14"),  # but a make-up Saturday does
    ],
)
def test_nothing_is_frozen_before_its_day_and_a_working_day_after_the_commitment(
    register: Register, loaded: str, too_early: str, first: str
) -> None:
    register(subjects(SMALL), inspectors(), on=loaded)
    assert freeze_draws(ROUND, at(too_early, 23)) == []
    assert frozen() == []
    assert freeze_draws(ROUND, at(first)) == []
    assert frozen() == [f"{ROUND}-{grade}" for grade in "ABCD"]


def test_each_freeze_goes_out_to_those_who_keep_its_digest(office: Any) -> None:
    freeze_draws(ROUND, at("06-25"))
    told = [mail for mail in all_of(Mail) if mail.key.startswith("letter:freeze:")]
    entries = {e.subject: e.detail for e in all_of(LedgerEntry) if e.action == "冻结"}
    assert len(told) == 4 * 3
    for draw in draws().values():
        assert draw.seed is None
        assert entries[draw.code]["digest"] == draw.freeze_digest
        mails = [mail for mail in told if draw.code in mail.subject]
        assert len({mail.email for mail in mails}) == 3
        assert all(draw.freeze_digest in mail.text for mail in mails)
        assert all(draw.secret not in mail.text for mail in mails)


def test_an_unknown_round_is_refused(office: Any) -> None:
    with pytest.raises(UnknownRound, match="没有轮次“2023-9”；已登记的轮次：2024-1、2024-2"):
        seal_draws("2023-9", at("06-25"))


# ---- whom ----------------------------------------------------------------------------------------


def test_an_ungraded_open_subject_refuses_every_freeze(register: Register) -> None:
    rows = subjects(SMALL)
    rows[0] = rows[0].model_copy(update={"grade": None})
    register(rows, inspectors())
    refused = freeze_draws(ROUND, at("06-25"))
    line = "在营检查对象中有 1 户没有风险等级，未冻结。请先补齐等级"
    assert refused == [f"{ROUND}-{grade}：{line}" for grade in "ABCD"]
    assert frozen() == []
    assert freeze_draws(ROUND, at("06-25", 10)) == refused  # the ledger is told once
    (entry,) = [e for e in all_of(LedgerEntry) if e.action == "抽取受阻"]
    assert entry.detail == {"reasons": refused}
    with writing() as session:
        session.execute(update(Subject).where(Subject.code == rows[0].code).values(status="注销"))
    assert freeze_draws(ROUND, at("06-26")) == []


def test_closed_subjects_are_not_in_the_pool_and_pausing_ones_are(register: Register) -> None:
    rows = subjects({"A": 0, "B": 0, "C": 0, "D": 6})
    statuses = ["在营", "停业", "注销", "吊销", "撤销", "迁出"]
    rows = [r.model_copy(update={"status": s}) for r, s in zip(rows, statuses, strict=True)]
    register(rows, inspectors())
    run()
    assert draws()["D"].freeze["pool"] == sorted(row.code for row in rows[:2])
    assert draws()["D"].pool == 2


@pytest.mark.parametrize(
    ("pools", "counts"),
    [
        ((100, 100, 10, 5), (1, 3, 1, 1)),
        ((101, 101, 11, 6), (2, 4, 2, 2)),
        ((1, 1, 1, 1), (1, 1, 1, 1)),
        ((0, 34, 0, 0), (0, 2, 0, 0)),
    ],
)
def test_the_count_is_the_ratio_rounded_up_exactly(
    register: Register, pools: tuple[int, ...], counts: tuple[int, ...]
) -> None:
    register(subjects(dict(zip("ABCD", pools, strict=True))), inspectors())  # type: ignore[arg-type]
    run()
    assert tuple(draw.count for draw in draws().values()) == counts
    assert tuple(draw.pool for draw in draws().values()) == pools
    drawn = Counter(i.code[len(ROUND) + 1] for i in all_of(Inspection))
    assert tuple(drawn[grade] for grade in "ABCD") == counts


def test_a_certificate_must_last_through_the_rounds_window(register: Register) -> None:
    people = inspectors(4)
    days = [date(2024, 9, 29), date(2024, 9, 30), date(2024, 9, 30), date(2030, 1, 1)] * 2
    people = [
        p.model_copy(update={"certificate_expires_on": d})
        for p, d in zip(people, days, strict=True)
    ]
    register(subjects(SMALL), people)
    run()
    listed = {each["certificate"] for each in draws()["D"].freeze["inspectors"]}
    assert listed == {p.certificate for p in people} - {
        people[0].certificate,
        people[4].certificate,
    }


def test_only_those_in_post_and_qualified_are_drawn(register: Register, drill: Plan) -> None:
    needs = drill.items[0].model_copy(update={"qualification": "注册安全工程师"})
    plan = drill.model_copy(update={"items": (needs, *drill.items[1:])})
    people = inspectors(5, qualifications=())
    for place, changed in enumerate([{"status": "离岗"}, {}, *[{}] * 3]):
        qualified = {} if place == 1 else {"qualifications": ("注册安全工程师", "消防安全")}
        people[place] = people[place].model_copy(update=changed | qualified)
    register(subjects(SMALL), people, plan)
    run()
    listed = {each["certificate"] for each in draws()["A"].freeze["inspectors"]}
    assert listed == {person.certificate for person in people[2:]}


def test_a_shortage_names_departments_and_numbers_but_no_subject(register: Register) -> None:
    rows, people = subjects(SMALL), inspectors(2)
    barred = next(row.code for row in rows if row.grade == "D")
    people[0] = people[0].model_copy(update={"recusals": (barred,)})
    register(rows, people)
    (line,) = freeze_draws(ROUND, at("06-25"))
    assert line == (
        "2024-1-D：执法检查人员不足，未冻结：yjglj 每户需 2 人，可用 1 人（涉及 1 户）。"
        "请补充持有效证件的人员或核对回避"
    )
    assert frozen() == ["2024-1-A", "2024-1-B", "2024-1-C"]
    with writing() as session:
        save_inspectors(session, inspectors(3), "人员", at("06-26"), "甲")
    assert freeze_draws(ROUND, at("06-26")) == []
    assert len(frozen()) == 4


def test_nobody_inspects_whom_they_must_keep_away_from(register: Register) -> None:
    rows = subjects({"A": 0, "B": 0, "C": 0, "D": 20})
    people = inspectors(3)
    people[0] = people[0].model_copy(update={"recusals": tuple(row.code for row in rows)})
    people[3] = people[3].model_copy(update={"recusals": tuple(row.code for row in rows[::2])})
    register(rows, people)
    run()
    recusals = {person.certificate: set(person.recusals) for person in people}
    inspections = {each.id: each for each in all_of(Inspection)}
    members = all_of(TeamMember)
    assert len(members) == 4 * 4
    for member in members:
        assert inspections[member.inspection_id].subject_code not in recusals[member.certificate]


# ---- once ----------------------------------------------------------------------------------------


def test_a_team_has_two_of_each_department_and_is_led_by_the_initiating_one(drawn: Any) -> None:
    for inspection in all_of(Inspection):
        places = Counter(member.department for member in inspection.team)
        assert places == {"yjglj": 2, "scjgj": 2}
        (leader,) = [member for member in inspection.team if member.leader]
        assert leader.department == "yjglj"
        assert inspection.members()[0] is leader
        assert [record.department for record in inspection.records] == ["yjglj", "scjgj"]
        assert date(2024, 7, 8) <= inspection.planned_on <= date(2024, 9, 30)


def test_an_inspections_code_tells_nobody_the_subject(drawn: Any) -> None:
    codes = [each.code for each in all_of(Inspection)]
    assert codes[:2] == ["2024-1-A01", "2024-1-A02"]
    assert len(set(codes)) == len(codes) == sum(draw.count for draw in draws().values())


def test_alternates_follow_the_drawn_and_get_no_inspection(drawn: Any) -> None:
    rows = [row for row in all_of(DrawnSubject) if row.draw_id == draws()["D"].id]
    drawn_rows = [row for row in rows if not row.alternate]
    others = [row for row in rows if row.alternate]
    assert len(drawn_rows) == draws()["D"].count
    assert len(others) == 10
    tickets = [row.ticket for row in drawn_rows + others]
    assert tickets == sorted(tickets)
    inspected = {each.subject_code for each in all_of(Inspection)}
    assert not inspected & {row.code for row in others}


def test_a_second_pass_draws_nothing_again_whatever_the_registers_say_by_then(drawn: Any) -> None:
    def outcome() -> list[Any]:
        return [
            [(d.frozen, d.freeze_digest, d.seed, d.sealed_at, d.count) for d in all_of(Draw)],
            [(s.draw_id, s.position, s.alternate, s.code) for s in all_of(DrawnSubject)],
            [(i.code, i.subject_code, i.subject) for i in all_of(Inspection)],
            [(m.inspection_id, m.certificate, m.leader) for m in all_of(TeamMember)],
        ]

    before = outcome()
    with writing() as session:
        session.execute(update(Subject).values(grade="A", name="改名", status="注销"))
        session.execute(update(Inspector).values(status="离岗"))
    assert freeze_draws(ROUND, at("06-26")) == []
    deliver(at("06-26"))
    assert seal_draws(ROUND, at("06-26")) == 0
    assert outcome() == before
    assert [e.action for e in all_of(LedgerEntry)].count("抽取封存") == 4


def test_passes_at_the_same_instant_draw_once(office: Any) -> None:
    def draw(_: int) -> int:
        assert freeze_draws(ROUND, at("06-25")) == []
        deliver(at("06-25"))
        return seal_draws(ROUND, at("06-25"))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(draw, range(4))) == 4
    actions = Counter(entry.action for entry in all_of(LedgerEntry))
    assert (actions["冻结"], actions["抽取封存"]) == (4, 4)
    assert len(all_of(Inspection)) == sum(draw.count for draw in draws().values())


def test_a_late_draw_plans_visits_that_can_still_be_announced(register: Register) -> None:
    register(subjects(SMALL), inspectors())
    run("07-22")
    # Notices on the 23rd, served by the 24th, visits from the 25th on.
    assert min(each.planned_on for each in all_of(Inspection)) == date(2024, 7, 25)


def test_an_empty_register_seals_four_empty_draws(register: Register) -> None:
    register([], [])
    run()
    assert [(d.pool, d.count, bool(d.sealed_at)) for d in draws().values()] == [(0, 0, True)] * 4
    assert all_of(Inspection) == []
    assert reveal_draws(ROUND, at("06-25")) == 4


# ---- public value --------------------------------------------------------------------------------


@pytest.fixture
def waiting(register: Register, drill: Plan) -> None:
    """A frozen round whose grade D waits for its public value."""
    rule = {"public_value_rule": "6 月 25 日福彩 3D 开奖号码"}
    grades = (*drill.grades[:3], drill.grades[3].model_copy(update=rule))
    plan = drill.model_copy(update={"grades": grades})
    register(subjects(SMALL), inspectors(), plan)
    run()


@pytest.mark.usefixtures("waiting")
def test_a_draw_waits_for_its_public_value_and_the_others_do_not() -> None:
    assert [grade for grade, draw in draws().items() if draw.sealed_at] == ["A", "B", "C"]
    assert draws()["D"].waits_for_public_value
    deliver(at("07-25"))
    assert seal_draws(ROUND, at("07-25")) == 0
    enter_public_value(ROUND, "D", "5 0 8", ["张三", "李四"], at("06-25", 21))
    deliver(at("06-26"))
    assert seal_draws(ROUND, at("06-26")) == 1
    draw = draws()["D"]
    assert (draw.public_value, draw.public_value_by) == ("5 0 8", ["张三", "李四"])
    (entry,) = [e for e in all_of(LedgerEntry) if e.action == "录入公共值"]
    assert (entry.actor, entry.detail) == ("张三、李四", {"value": "5 0 8"})


@pytest.mark.usefixtures("waiting")
def test_a_public_value_that_cannot_stand_is_refused() -> None:
    two = "公共值须由两名不同的人共同录入，请写明两人姓名"
    for grade, value, people, line in (
        ("D", "508", ["张三"], two),
        ("D", "508", ["张三", " 张三 "], two),
        ("D", "508", ["张三", " "], two),
        ("D", "", ["张三", "李四"], "公共值为空，请填写"),
        ("D", " 508", ["张三", "李四"], "公共值前后有空格，请删去：' 508'"),
        ("E", "508", ["张三", "李四"], "没有 2024-1-E 这次抽取"),
    ):
        with pytest.raises(DrawRefused) as refused:
            enter_public_value(ROUND, grade, value, people, at("06-25", 21))
        assert str(refused.value) == line
        assert draws()["D"].waits_for_public_value


@pytest.mark.usefixtures("waiting")
def test_a_public_value_is_entered_once() -> None:
    enter_public_value(ROUND, "D", "508", ["张三", "李四"], at("06-25", 21))
    with pytest.raises(DrawRefused, match="现在不待录入公共值"):
        enter_public_value(ROUND, "D", "509", ["张三", "李四"], at("06-25", 22))
    assert draws()["D"].public_value == "508"


# ---- reveal --------------------------------------------------------------------------------------


def test_a_draw_is_revealed_when_its_last_record_is_in(
    drawn: Any, sheet: Callable[..., Any]
) -> None:
    codes = [each.code for each in all_of(Inspection) if each.code.startswith("2024-1-A")]
    assert len(codes) == 2
    first, last = codes
    record_inspections([sheet(first), sheet(first, "scjgj"), sheet(last)], at("07-10"))
    assert reveal_draws(ROUND, at("07-10")) == 0
    record_inspections([sheet(last, "scjgj")], at("07-11"))
    assert reveal_draws(ROUND, at("07-11")) == 1
    assert reveal_draws(ROUND, at("07-12")) == 0
    assert {g: d.revealed_at for g, d in draws().items() if d.revealed_at} == {"A": at("07-11")}


def test_an_inspection_given_up_does_not_hold_the_reveal_up(
    drawn: Any, sheet: Callable[..., Any]
) -> None:
    first, last = [each.code for each in all_of(Inspection) if "-A" in each.code]
    record_inspections([sheet(first), sheet(first, "scjgj")], at("07-10"))
    drop_inspection(last, "已停产", "局长", "批〔2024〕1号", date(2024, 7, 10), at("07-10"))
    assert reveal_draws(ROUND, at("07-10")) == 1
