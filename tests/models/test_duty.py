"""Duties: each counted from the right day, by the right clock, owed by the right person."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from calendars import Extension, Suspension, WorkingCalendar
from models.base import SHANGHAI
from models.brief import Brief
from models.crime import CrimeReport
from models.draw import Draw, TeamMember
from models.duty import Duties
from models.inspection import DepartmentRecord, Inspection
from models.notice import Notice
from models.plan import read_plan
from models.publication import Publication
from models.reconciliation import Wanted
from models.referral import NEEDLESS, FollowUp, Referral
from models.refusal import RefusalReport
from models.round import Round
from models.settings import SHIPPED_PLAN

PLAN = read_plan(SHIPPED_PLAN)
CALENDAR = WorkingCalendar.china()


def day(text: str) -> date:
    """`07-09` of 2024, or a whole date."""
    return date.fromisoformat(text if len(text) > 5 else f"2024-{text}")


def a_round(**changed: Any) -> Round:
    given = {
        "code": "2024-1",
        "number": 1,
        "opens_on": day("06-25"),
        "visits_from": day("07-08"),
        "ends_on": day("09-30"),
        "registered_at": datetime(2024, 6, 20, 9, tzinfo=SHANGHAI),
    }
    return Round(**(given | changed))


def member(department: str, name: str, **changed: Any) -> TeamMember:
    email = changed.pop("email", f"{name}@{department}.example")
    return TeamMember(
        department=department, name=name, email=email, certificate=name, leader=False, **changed
    )


def an_inspection(records: dict[str, dict[str, Any]] | None = None, **changed: Any) -> Inspection:
    records = {"yjglj": {}, "scjgj": {}} | (records or {})
    given = {
        "code": "2024-1-D01",
        "subject": {"name": "某某化工"},
        "planned_on": day("07-09"),
        "team": [],
        "records": [
            DepartmentRecord(department=department, **{"version": 0, "follow_ups": []} | fields)
            for department, fields in records.items()
        ],
    }
    return Inspection(**(given | changed))


def wanted(
    duty: str,
    inspection: Inspection | None = None,
    department: str = "",
    round: Round | None = None,
    as_of: str = "07-01",
    **options: Any,
) -> Wanted | None:
    """What is wanted of that duty, of the one department where it is named."""
    duties = Duties(PLAN, CALENDAR, day(as_of), **options)
    found = [
        each
        for each in duties.of(round or a_round(), [], [inspection or an_inspection()])
        if each.duty == duty and each.object.endswith(department)
    ]
    assert len(found) <= 1
    return found[0] if found else None


def due(*asked: Any, **options: Any) -> str:
    found = wanted(*asked, **options)
    assert found is not None
    return found.due.on.isoformat()


@pytest.mark.parametrize(
    ("ended_on", "due_on"),
    [
        ("07-09", "2024-08-06"),
        ("09-10", "2024-10-14"),  # 中秋、国庆, 9-14, 9-29 and 10-12 made up
        ("09-14", "2024-10-18"),  # a make-up Saturday is day 0 like any other
        ("09-30", "2024-11-01"),
        ("10-01", "2024-11-01"),  # a day off as well
        ("10-12", "2024-11-08"),
        ("12-31", "2025-02-05"),  # 1 January and the Spring Festival off, 26 January made up
    ],
)
def test_publication_is_counted_from_the_end_of_the_inspection(ended_on: str, due_on: str) -> None:
    # The result formed later, and recording took its time: neither starts this clock.
    late = {"version": 1, "formed_on": day("12-31"), "recorded_on": day("12-31")}
    inspection = an_inspection({"yjglj": late}, ended_on=day(ended_on))
    assert due("publish", inspection, "yjglj") == due_on
    assert due("publish", inspection, "scjgj") == due_on


@pytest.mark.parametrize("duty", ["decide_referral", "refer"])
@pytest.mark.parametrize(
    ("formed_on", "due_on"),
    [
        ("07-09", "2024-07-18"),
        ("09-13", "2024-09-25"),  # 9-14 counts
        ("09-14", "2024-09-26"),  # and is day 0 here
        ("09-26", "2024-10-11"),  # 9-29 counts, National Day's week does not
        ("09-30", "2024-10-15"),  # 10-12 counts
    ],
)
def test_referral_is_counted_from_the_forming_of_the_result(
    duty: str, formed_on: str, due_on: str
) -> None:
    record = {"version": 1, "adverse": True, "formed_on": day(formed_on), "referral_needed": "需"}
    inspection = an_inspection({"scjgj": record}, ended_on=day("07-01"))
    assert due(duty, inspection) == due_on


def test_a_result_that_waited_for_a_test_report_has_two_clocks() -> None:
    record = {
        "version": 1,
        "adverse": True,
        "formed_on": day("07-25"),
        "test_report": "检〔2024〕7号",
        "recorded_on": day("07-25"),
    }
    inspection = an_inspection({"yjglj": record}, ended_on=day("07-09"))
    assert due("publish", inspection, "yjglj") == "2024-08-06"
    assert due("decide_referral", inspection) == "2024-08-05"


def test_a_department_without_an_adverse_result_owes_no_word_on_referral() -> None:
    clean = {"version": 1, "adverse": False, "formed_on": day("07-09")}
    inspection = an_inspection({"yjglj": clean}, ended_on=day("07-09"))
    assert wanted("decide_referral", inspection) is None
    assert wanted("refer", inspection) is None


@pytest.mark.parametrize(("needed", "refers"), [("", False), ("不需", False), ("需", True)])
def test_what_is_not_to_be_referred_owes_no_referral(needed: str, refers: bool) -> None:
    record = {"version": 1, "adverse": True, "formed_on": day("07-09"), "referral_needed": needed}
    assert bool(wanted("refer", an_inspection({"yjglj": record}))) is refers


def test_sent_meets_the_referral_and_receipt_does_not_count() -> None:
    record = {"version": 1, "adverse": True, "formed_on": day("07-09"), "referral_needed": "需"}
    sent = Referral(sent_on=day("07-19"), received_on=None)
    found = wanted("refer", an_inspection({"yjglj": record | {"referral": sent}}))
    assert found
    assert found.met_on == day("07-19")


@pytest.mark.parametrize("ends_on", ["09-28", "09-30", "10-01", "12-31"])
def test_the_windows_end_is_never_moved_even_where_it_is_a_day_off(ends_on: str) -> None:
    found = wanted("inspect", round=a_round(ends_on=day(ends_on)))
    assert found
    assert found.due.on == day(ends_on)
    assert (found.working_days, found.due.provisional) == (None, False)


def test_the_record_is_due_three_working_days_after_the_planned_visit() -> None:
    inspection = an_inspection(planned_on=day("09-13"))
    assert due("record", inspection, "yjglj") == "2024-09-19"
    found = wanted("record", inspection, "scjgj")
    assert found
    assert found.source == "内部时限"


@pytest.mark.parametrize(
    ("planned_on", "due_on"),
    [("07-09", "2024-07-08"), ("09-18", "2024-09-14"), ("10-08", "2024-09-30")],
)
def test_the_notice_is_to_be_served_a_working_day_before_the_visit(
    planned_on: str, due_on: str
) -> None:
    assert due("notify", an_inspection(planned_on=day(planned_on))) == due_on


@pytest.mark.parametrize(
    ("served_on", "ended_on", "met_on", "closed_on"),
    [
        (None, None, None, None),
        ("07-05", None, "07-05", None),
        ("07-05", "07-09", "07-05", None),
        ("07-09", "07-09", "07-09", None),  # on the day itself: late, but before it was over
        ("07-10", "07-09", None, "07-09"),  # served when it was over: missed
        (None, "07-09", None, "07-09"),
    ],
)
def test_a_notice_counts_only_until_the_visit_is_over(
    served_on: str | None, ended_on: str | None, met_on: str | None, closed_on: str | None
) -> None:
    notice = Notice(served_on=served_on and day(served_on))
    found = wanted("notify", an_inspection(notice=notice, ended_on=ended_on and day(ended_on)))
    assert found
    assert found.met_on == (met_on and day(met_on))
    assert found.closed_on == (closed_on and day(closed_on))
    assert found.closed_why == ("未在检查前送达" if closed_on else "")


def test_an_inspection_that_is_not_announced_owes_no_notice() -> None:
    assert wanted("notify", an_inspection(unannounced=True)) is None
    assert wanted("inspect", an_inspection(unannounced=True)) is not None


def test_an_inspection_given_up_closes_what_it_owed_and_publishes_nothing() -> None:
    dropped = an_inspection(dropped_on=day("08-01"))
    for duty, department in (
        ("notify", ""), ("inspect", ""), ("record", "yjglj"), ("record", "scjgj"),
    ):  # fmt: skip
        found = wanted(duty, dropped, department)
        assert found
        assert (found.met_on, found.closed_on, found.closed_why) == (None, day("08-01"), "未实施")
    assert wanted("publish", dropped) is None


def test_entered_is_not_yet_published() -> None:
    entered = Publication(entered_on=day("07-10"), published_on=None)
    inspection = an_inspection(
        {"yjglj": {"version": 1, "publication": entered}}, ended_on=day("07-09")
    )
    found = wanted("publish", inspection, "yjglj")
    assert found
    assert found.met_on is None


def follow_up(**changed: Any) -> Wanted:
    one = FollowUp(item="yj-1", opened_on=day("07-09"), **{"outcome": ""} | changed)
    found = wanted("follow_up", an_inspection({"yjglj": {"version": 1, "follow_ups": [one]}}))
    assert found
    return found


def test_a_follow_up_is_due_by_the_day_that_the_order_names() -> None:
    ordered = follow_up(order_due_on=day("08-10"))  # a Saturday: the order says so
    assert (ordered.due.on, ordered.working_days) == (day("08-10"), None)
    unordered = follow_up(order_due_on=None)
    assert (unordered.due.on, unordered.working_days) == (day("08-06"), 20)
    assert ordered.object == "2024-1-D01/yjglj/yj-1"


def test_a_follow_up_that_a_correction_made_needless_is_closed_and_not_done() -> None:
    done = follow_up(closed_on=day("08-01"), outcome="已整改")
    assert (done.met_on, done.closed_on) == (day("08-01"), None)
    needless = follow_up(closed_on=day("08-01"), outcome=NEEDLESS)
    assert (needless.met_on, needless.closed_on) == (None, day("08-01"))


@pytest.mark.parametrize(
    ("opens_on", "due_on"), [("06-25", "06-25"), ("06-29", "07-01"), ("10-01", "10-08")]
)
def test_a_draw_is_due_on_the_rounds_day_or_the_next_working_day(
    opens_on: str, due_on: str
) -> None:
    round = a_round(opens_on=day(opens_on))
    draw = Draw(round=round, grade="B", sealed_at=None)
    (found,) = Duties(PLAN, CALENDAR, day("06-20")).of(round, [draw], [])
    assert (found.duty, found.object, found.due.on) == ("draw", "2024-1-B", day(due_on))
    assert (found.person, found.inspection) == (PLAN.coordinator.name, "")


def test_the_first_of_a_departments_inspectors_answers_for_it() -> None:
    team = [member("scjgj", "乙"), member("scjgj", "丙"), member("yjglj", "甲")]
    found = wanted("record", an_inspection(team=team), "scjgj")
    assert found
    assert (found.person, found.email) == ("乙", "乙@scjgj.example")
    assert (wanted("inspect", an_inspection(team=team)) or found).person == "甲"


def test_who_left_the_team_answers_no_more_and_then_the_head_does() -> None:
    left = datetime(2024, 7, 1, tzinfo=SHANGHAI)
    team = [member("scjgj", "乙", left_at=left), member("scjgj", "丙", email="")]
    found = wanted("record", an_inspection(team=team), "scjgj")
    assert found
    assert (found.person, found.email) == ("丙", "head@scjgj.example")
    found = wanted("record", an_inspection(team=team[:1]), "scjgj")
    assert found
    assert (found.person, found.email) == ("市场监管局负责人", "head@scjgj.example")


def test_a_due_day_beyond_the_known_notices_is_provisional() -> None:
    last = CALENDAR.covered_through
    inspection = an_inspection(ended_on=last, planned_on=last)
    found = wanted("publish", inspection, "yjglj")
    assert found
    assert found.due.on > last
    assert found.due.provisional
    assert found.due.calendar_version == CALENDAR.version


def test_granted_time_moves_the_one_duty_it_was_granted_for() -> None:
    grounds = ("延〔2024〕1号", "行政处罚法第六十条", "局长", day("07-10"))
    grants = {("publish", "2024-1-D01/yjglj"): [Extension(5, *grounds)]}
    inspection = an_inspection(ended_on=day("07-09"))
    assert due("publish", inspection, "yjglj", grants=grants) == "2024-08-13"
    assert due("publish", inspection, "scjgj", grants=grants) == "2024-08-06"


@pytest.mark.parametrize(
    ("as_of", "suspended"),
    [("07-14", False), ("07-15", True), ("07-19", True), ("07-20", False)],
)
def test_a_suspension_rests_on_its_days_alone(as_of: str, suspended: bool) -> None:
    grounds = ("中〔2024〕1号", "安全生产法", "局长", day("07-10"))
    pause = Suspension(day("07-15"), day("07-19"), *grounds)
    grants = {("publish", "2024-1-D01/yjglj"): [pause]}
    found = wanted(
        "publish", an_inspection(ended_on=day("07-09")), "yjglj", as_of=as_of, grants=grants
    )
    assert found
    assert found.suspended is suspended
    assert found.due.on == day("08-13")


# ---- by the clock: suspected crime --------------------------------------------------------------


def minute(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}").replace(tzinfo=SHANGHAI)


def suspected(reported_at: str, **changed: Any) -> Inspection:
    given = {"handlers": ["张三", "李四"], "decision": "", "reported_at": minute(reported_at)}
    crime = CrimeReport(**(given | changed))
    return an_inspection({"yjglj": {"crime": crime}}, team=[member("yjglj", "李四")])


@pytest.mark.parametrize(
    ("reported_at", "due_at"),
    [
        ("07-09 00:00", "07-13 00:00"),  # the day of the report is day 0, at any hour of it
        ("07-09 23:59", "07-13 00:00"),
        ("07-12 16:30", "07-16 00:00"),  # Friday: Saturday and Sunday count
        ("07-11 16:30", "07-15 00:00"),  # Thursday: the last is a Sunday, and stays
        ("09-29 09:00", "10-03 00:00"),  # the last lies in National Day, and stays
        ("10-01 09:00", "10-05 00:00"),
    ],
)
def test_the_head_has_three_days_days_off_or_not(reported_at: str, due_at: str) -> None:
    found = wanted("crime_decide", suspected(reported_at))
    assert found is not None
    assert (found.due.at, found.due.on) == (
        minute(due_at),
        (minute(due_at) - timedelta(minutes=1)).date(),
    )
    assert (found.started_at, found.natural_days, found.working_days) == (
        minute(reported_at),
        3,
        None,
    )
    assert found.person == "应急局负责人"
    assert "第310号" in found.source
    assert not found.due.provisional


def test_the_transfer_is_due_24_hours_after_the_approval_to_the_minute() -> None:
    inspection = suspected("07-11 16:30", decision="批准", decided_at=minute("07-12 23:50"))
    decide, transfer = wanted("crime_decide", inspection), wanted("crime_transfer", inspection)
    assert decide is not None
    assert transfer is not None
    assert (decide.met_on, decide.met_at) == (day("07-12"), minute("07-12 23:50"))
    assert (transfer.due.at, transfer.due.on) == (minute("07-13 23:50"), day("07-13"))
    assert (transfer.person, transfer.hours) == ("李四", 24)  # the first who is on the team


def test_without_a_handler_on_the_team_the_head_owes_the_transfer() -> None:
    inspection = suspected(
        "07-11 16:30", decision="批准", decided_at=minute("07-12 09:00"), handlers=["王五", "赵六"]
    )
    found = wanted("crime_transfer", inspection)
    assert found is not None
    assert found.person == "应急局负责人"


@pytest.mark.parametrize("decision", ["", "不批准"])
def test_what_is_not_approved_is_not_transferred(decision: str) -> None:
    at = minute("07-12 09:00") if decision else None
    inspection = suspected("07-11 16:30", decision=decision, decided_at=at)
    assert wanted("crime_transfer", inspection) is None


def test_midnight_belongs_to_the_day_that_it_ends() -> None:
    inspection = suspected("07-09 08:00", decision="批准", decided_at=minute("07-13 00:00"))
    found = wanted("crime_decide", inspection)
    assert found is not None
    assert (found.met_on, found.due.on) == (day("07-12"), day("07-12"))


def test_it_does_not_replace_another_referral() -> None:
    inspection = suspected("07-11 16:30")
    record = inspection.record("yjglj")
    inspection.ended_on = day("07-09")
    record.adverse, record.formed_on, record.referral_needed = True, day("07-09"), "需"
    assert due("refer", inspection) == "2024-07-18"


# ---- the refusal to sign ------------------------------------------------------------------------


@pytest.mark.parametrize("attestation", ["签字", "盖章", "无人可签", ""])
def test_only_a_refusal_to_sign_is_reported(attestation: str) -> None:
    inspection = an_inspection(ended_on=day("07-09"), attestation=attestation)
    assert wanted("report_refusal", inspection) is None


def test_a_refusal_is_reported_once_by_the_leader_two_working_days_later() -> None:
    team = [member("yjglj", "张三"), member("scjgj", "王五")]
    team[0].leader = True
    inspection = an_inspection(ended_on=day("07-11"), attestation="拒签", team=team)
    found = wanted("report_refusal", inspection)
    assert found is not None
    assert (found.object, found.person, found.due.on) == ("2024-1-D01", "张三", day("07-15"))
    assert found.source == "内部时限（方案第六.5条，《中华人民共和国安全生产法》第六十八条）"
    inspection.refusal = RefusalReport(reported_on=day("07-12"))
    met = wanted("report_refusal", inspection)
    assert met is not None
    assert met.met_on == day("07-12")


# ---- the round as a whole -----------------------------------------------------------------------


def of_round(
    draws: list[Draw], inspections: list[Inspection], brief: Brief | None = None
) -> dict[str, Wanted]:
    duties = Duties(PLAN, CALENDAR, day("07-01"))
    return {each.duty: each for each in duties.of_round(a_round(), draws, inspections, brief)}


def sealed(**changed: Any) -> Draw:
    at = datetime(2024, 6, 25, 9, tzinfo=SHANGHAI)
    return Draw(id=1, grade="D", source="draw-1", sealed_at=at, round=a_round(), **changed)


def visited(*recorded_on: str | None, **changed: Any) -> Inspection:
    days = [day(text) if text else None for text in recorded_on]
    records = [DepartmentRecord(recorded_on=each, follow_ups=[]) for each in days]
    return Inspection(draw_id=1, records=records, **changed)


def test_a_draw_is_to_be_revealed_from_its_last_record_on() -> None:
    inspections = [visited("07-09", "07-12"), visited("07-10", "07-10")]
    found = of_round([sealed()], inspections)["reveal"]
    assert (found.object, found.started_on, found.due.on) == (
        "2024-1-D",
        day("07-12"),
        day("07-17"),
    )
    revealed = sealed(revealed_at=minute("07-15 09:00"))
    assert of_round([revealed], inspections)["reveal"].met_on == day("07-15")


def test_one_given_up_needs_no_record_and_counts_from_its_day() -> None:
    inspections = [visited("07-09", "07-09"), visited(None, None, dropped_on=day("07-20"))]
    assert of_round([sealed()], inspections)["reveal"].started_on == day("07-20")


def test_while_a_record_is_missing_nothing_is_to_be_revealed() -> None:
    assert "reveal" not in of_round([sealed()], [visited("07-09", None)])


def test_an_external_draw_has_nothing_to_reveal() -> None:
    draw = sealed()
    draw.source = "外部抽取"
    assert "reveal" not in of_round([draw], [visited("07-09", "07-09")])


def test_an_empty_draw_is_to_be_revealed_from_its_seal_on() -> None:
    assert of_round([sealed()], [])["reveal"].started_on == day("06-25")


def test_the_brief_is_counted_from_the_windows_end_whatever_is_late() -> None:
    found = of_round([], [visited(None, None)])["brief"]
    assert (found.object, found.started_on, found.due.on) == (
        "2024-1",
        day("09-30"),
        day("11-08"),
    )
    assert (found.person, found.department, found.inspection) == ("联席会议办公室", "", "")
    assert of_round([], [visited(None)], Brief(sent_on=day("11-01")))["brief"].met_on == day(
        "11-01"
    )


def test_a_round_without_inspections_needs_no_brief() -> None:
    assert of_round([sealed()], []).keys() == {"reveal"}
