"""Leave in an office: entered by form, ended by form, and what the sweeps then do."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from models.base import SHANGHAI
from models.database import reading, writing
from models.draw import TeamMember
from models.entry import EntryRefused
from models.inspection import Inspection
from models.leave import LeaveEntry, ReturnEntry
from models.mail import Mail, letter
from models.obligation import Obligation
from tasks import duty
from tasks.leave import end_leave, enter_leave
from tasks.ledger import verify
from tasks.mail import deliver
from tasks.obligation import sweep

# The first reminders of the notices to be served before the visits of 8 July.
FIRST, SECOND = date(2024, 7, 3), date(2024, 7, 5)
HEAD = "应急局负责人"


def at(day: date, hour: int = 9) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=SHANGHAI)


def entry(person: str, **changes: Any) -> LeaveEntry:
    given = {
        "department": "区应急管理局",
        "person": person,
        "first_on": FIRST,
        "last_on": date(2024, 7, 31),
        "delegate": "代办人",
        "delegate_email": "acting@yjglj.example",
        "reason": "年休假",
        "entered_by": "王主任",
    }
    return LeaveEntry(**(given | changes))


def back(person: str, on: date, **changes: Any) -> ReturnEntry:
    given = {"department": "yjglj", "person": person, "back_on": on, "entered_by": "王主任"}
    return ReturnEntry(**(given | changes))


def leader() -> tuple[str, str]:
    """Who has to serve the notice of the first visit: name and address."""
    with reading() as session:
        row = session.scalars(
            select(Obligation).where(Obligation.duty == "notify").order_by(Obligation.next_alert_on)
        ).first()
        assert row is not None
        return row.person, row.email


def told(office: Any, person: str, day: date) -> set[tuple[str, str]]:
    """Whom that morning's sweep tells of the duties of that person, by role: address and why."""
    duty.update_all_duties(at(day))
    sweep(day, at(day))
    owed = {row["id"] for row in office.rows()["obligation"] if row["person"] == person}
    return {
        (row["email"], row["why"])
        for row in office.rows()["alert"]
        if row["obligation_id"] in owed
        and row["role"] == "responsible"
        and row["mail_id"]
        and str(row["raised_on"]) == str(day)
    }


def test_the_delegate_is_told_while_somebody_is_away_and_the_person_once_back(drawn: Any) -> None:
    person, email = leader()
    said = enter_leave(entry(person), at(FIRST - timedelta(days=1)))
    assert said == f"{person}（区应急管理局） 2024-07-03 至 2024-07-31 请假，由代办人代办"
    why = f"{person}请假，由代办人代办"
    assert told(drawn, person, FIRST) == {("acting@yjglj.example", why)}
    deliver(at(FIRST))
    (digest,) = [row for row in drawn.rows()["mail"] if row["email"] == "acting@yjglj.example"]
    assert (digest["name"], digest["state"]) == ("代办人", "sent")
    assert why in digest["text"]
    assert end_leave(back(person, SECOND), at(FIRST, 17)) == (
        f"{person}（区应急管理局） 2024-07-05 起销假"
    )
    assert told(drawn, person, SECOND) == {(email, "")}


def test_without_a_delegate_the_head_is_told_and_the_coordinator_why(drawn: Any) -> None:
    person, _ = leader()
    enter_leave(entry(person, delegate="", delegate_email=""), at(FIRST))
    why = f"{person}请假，无人代办"
    assert told(drawn, person, FIRST) == {("head@yjglj.example", why)}
    notes = {row["why"] for row in drawn.rows()["alert"] if row["role"] == "coordinator"}
    assert f"{why}，已转{HEAD}" in notes


def test_who_acts_for_the_coordinator_is_told_instead_and_why(drawn: Any) -> None:
    person, _ = leader()
    office = "联席会议办公室"
    enter_leave(entry(person, delegate="", delegate_email=""), at(FIRST))
    enter_leave(entry(office, department=office, delegate="值班员"), at(FIRST))
    told(drawn, person, FIRST)
    (note,) = {
        (row["recipient"], row["why"])
        for row in drawn.rows()["alert"]
        if row["role"] == "coordinator" and person in row["why"]
    }
    acting = f"{person}请假，无人代办，已转{HEAD}；{office}请假，由值班员代办"
    assert note == ("值班员", acting)


def test_a_leave_taken_back_before_it_began_sends_nobody_s_mail_away(drawn: Any) -> None:
    person, email = leader()
    enter_leave(entry(person), at(date(2024, 7, 1)))
    end_leave(back(person, FIRST), at(date(2024, 7, 2)))
    assert told(drawn, person, FIRST) == {(email, "")}


def test_each_entry_is_a_row_of_its_own_with_its_place_in_the_ledger(drawn: Any) -> None:
    person, _ = leader()
    enter_leave(entry(person), at(FIRST))
    enter_leave(entry(person, last_on=SECOND), at(FIRST, 10))
    end_leave(back(person, date(2024, 7, 4), reason="提前返岗"), at(FIRST, 11))
    rows = drawn.rows()
    assert [(row["first_on"], row["last_on"], row["delegate"]) for row in rows["leave"]] == [
        ("2024-07-03", "2024-07-31", "代办人"),
        ("2024-07-03", "2024-07-05", "代办人"),
        ("2024-07-04", "2024-07-31", person),
    ]
    kept = [row for row in rows["ledger"] if "假" in row["action"]]
    assert [(row["action"], row["subject"], row["actor"]) for row in kept] == [
        ("登记请假", f"yjglj/{person}", "王主任"),
        ("登记请假", f"yjglj/{person}", "王主任"),
        ("登记销假", f"yjglj/{person}", "王主任"),
    ]
    assert verify()[1] is None


def test_a_form_sent_twice_is_entered_once(drawn: Any) -> None:
    person, _ = leader()
    said = enter_leave(entry(person), at(FIRST))
    once = drawn.rows()
    assert enter_leave(entry(f" {person} ", department="yjglj"), at(FIRST, 10)) == said
    assert drawn.rows() == once
    ended = end_leave(back(person, SECOND), at(FIRST, 11))
    once = drawn.rows()
    assert end_leave(back(person, SECOND), at(FIRST, 12)) == ended
    assert drawn.rows() == once
    enter_leave(entry(person), at(FIRST, 13))  # away after all: not the first entry once more
    assert len(drawn.rows()["leave"]) == 3


@pytest.mark.parametrize(
    ("department", "person"),
    [("区应急管理局", HEAD), ("联席会议办公室", "联席会议办公室"), ("yjglj", "外单位的人")],
)
def test_whoever_is_told_of_anything_can_be_away(drawn: Any, department: str, person: str) -> None:
    with writing() as session:  # somebody of a team who is in no register
        some = select(Obligation.id).where(Obligation.department == "yjglj").limit(1)
        session.execute(
            update(Obligation).where(Obligation.id.in_(some)).values(person="外单位的人")
        )
    enter_leave(entry(person, department=department), at(FIRST))
    (row,) = drawn.rows()["leave"]
    assert row["person"] == person


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"person": "查无此人"}, "区应急管理局没有“查无此人”"),
        ({"department": "财政局"}, "没有“财政局”这个部门"),
        ({"last_on": date(2024, 7, 2)}, "请假止日 2024-07-02 早于起日 2024-07-03"),
        ({"first_on": date(2024, 6, 1), "last_on": date(2024, 7, 2)}, "已经过去"),
        ({"delegate": HEAD}, "代办人不能是请假人本人"),
        ({"delegate_email": "acting@"}, "代办人邮箱“acting@”无效"),
        ({"delegate_email": "gone@yjglj.example"}, "近日无法送达"),
    ],
)
def test_what_cannot_stand_leaves_nothing_behind(
    drawn: Any, changes: dict[str, Any], why: str
) -> None:
    with writing() as session:
        letter(
            session,
            key="lost",
            name="某人",
            email="gone@yjglj.example",
            day=FIRST,
            subject="信",
            text="信",
        )
        gone = update(Mail).where(Mail.email == "gone@yjglj.example")
        session.execute(gone.values(state="undeliverable"))
    before = drawn.rows()
    with pytest.raises(EntryRefused, match=why):
        enter_leave(entry(**({"person": HEAD} | changes)), at(FIRST))
    with pytest.raises(EntryRefused, match="没有请假"):
        end_leave(back(HEAD, FIRST), at(FIRST))
    assert drawn.rows() == before


def test_who_is_away_acts_for_nobody_and_is_named(drawn: Any) -> None:
    person, _ = leader()
    with reading() as session:
        other = session.scalars(
            select(TeamMember.name)
            .join(Inspection)
            .where(TeamMember.department == "yjglj", TeamMember.name != person)
        ).first()
    assert other
    enter_leave(entry(other, first_on=SECOND, last_on=SECOND), at(FIRST))
    with pytest.raises(
        EntryRefused, match=f"代办人{other}（区应急管理局） 2024-07-05 也请假（由代"
    ):
        enter_leave(entry(person, delegate=other), at(FIRST))
    # Where they go later on, after it was entered, the head is told.
    enter_leave(entry(person, delegate=other, last_on=date(2024, 7, 4)), at(FIRST))
    enter_leave(entry(other), at(FIRST, 10))
    assert told(drawn, person, FIRST) == {
        ("head@yjglj.example", f"{person}请假，代办人{other}也请假")
    }
