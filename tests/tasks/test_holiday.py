"""Holiday notices: imported or refused whole, every open due day counted anew, or asked for."""

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import pytest
from sqlalchemy import select

import tasks.holiday
from models.alert import Alert
from models.base import SHANGHAI
from models.database import migrate, reading, writing
from models.entry import EntryRefused
from models.holiday import ImportedNotice
from models.ledger import Event as Entry
from models.ledger import LedgerEntry, append, first_bad
from models.mail import Mail
from models.obligation import Obligation
from models.plan import Plan
from tasks.holiday import NoticeRefused, ask_for_notice, read_text
from tasks.obligation import sweep
from tasks.plan import load_plan
from tasks.round import lock

# The three that count beyond the last firm day, by inspection/department; and the brief.
MOVED = ["公示 2026-1-D02/yjglj", "公示 2026-1-D02/scjgj", "公示 2026-1-D03/scjgj"]
MOVED += ["公示 2026-1-D04/yjglj", "公示 2026-1-D04/scjgj", "专项简报 2026-1"]


def morning(day: date) -> datetime:
    return datetime.combine(day, time(8, 30), tzinfo=SHANGHAI)


def ledger(action: str) -> list[LedgerEntry]:
    with reading() as session:
        return list(session.scalars(select(LedgerEntry).where(LedgerEntry.action == action)))


def letters(like: str) -> list[Mail]:
    with reading() as session:
        query = select(Mail).where(Mail.key.startswith(f"letter:{like}")).order_by(Mail.id)
        return list(session.scalars(query))


@pytest.mark.parametrize(
    ("number", "due_on", "provisional", "alert_on"),
    [
        (1, date(2026, 12, 11), False, date(2026, 12, 9)),
        # 4 January is the 20th; 7 calendar days earlier is 28 December, two working days before
        # that the 24th. Then likewise from 12 January, and from 16 February, when 5 and 8
        # February are off by law alone.
        (2, date(2027, 1, 4), True, date(2026, 12, 24)),
        (3, date(2027, 1, 12), True, date(2026, 12, 31)),
        (4, date(2027, 2, 16), True, date(2027, 2, 3)),
    ],
)
def test_a_term_that_leaves_the_firm_days_is_provisional_and_alerted_a_week_earlier(
    eve: Any, stored: Any, number: int, due_on: date, provisional: bool, alert_on: date
) -> None:
    row = stored("publish", f"2026-1-D0{number}/scjgj")
    assert (row.due_on, row.provisional, row.next_alert_on) == (due_on, provisional, alert_on)


def test_the_sweep_alerts_a_provisional_due_day_a_week_earlier(winter: Any, stored: Any) -> None:
    for day, level in ((date(2027, 2, 2), ""), (date(2027, 2, 3), "before-2")):
        sweep(day, morning(day))
        assert stored("publish", "2026-1-D04/yjglj").alerted_level == level


def test_an_import_counts_every_open_due_day_anew(imported: Any, stored: Any) -> None:
    assert sorted(imported.done.moved) == [
        "专项简报 2026-1：2027-03-09（暂定） → 2027-03-12",
        "公示 2026-1-D02/scjgj：2027-01-04（暂定） → 2027-01-04",
        "公示 2026-1-D02/yjglj：2027-01-04（暂定） → 2027-01-04",
        "公示 2026-1-D03/scjgj：2027-01-12（暂定） → 2027-01-12",
        "公示 2026-1-D04/scjgj：2027-02-16（暂定） → 2027-02-18",
        "公示 2026-1-D04/yjglj：2027-02-16（暂定） → 2027-02-18",
    ]
    row = stored("publish", "2026-1-D04/yjglj")
    assert (row.due_on, row.provisional, row.due_version) == (date(2027, 2, 18), False, 2)
    assert row.calendar_version == imported.done.version
    assert row.due_at == datetime(2027, 2, 19, tzinfo=SHANGHAI)
    # No week earlier any more, but two working days before.
    assert (row.next_alert_on, row.alerted_level) == (date(2027, 2, 16), "")


def test_old_day_new_day_and_reason_are_in_the_ledger(imported: Any) -> None:
    (entry,) = ledger("导入节假日安排通知")
    assert (entry.actor, entry.subject) == ("王五", "国办发明电〔2026〕99号")
    assert len(entry.detail["off"]) == 29
    changes = {entry.subject: entry for entry in ledger("期限变更")}
    assert sorted(changes) == sorted(MOVED)
    detail = changes["公示 2026-1-D04/yjglj"].detail
    days = [(detail[when]["due_on"], detail[when]["provisional"]) for when in ("before", "after")]
    assert days == [("2027-02-16", True), ("2027-02-18", False)]
    assert detail["why"] == "导入 国办发明电〔2026〕99号"
    with reading() as session:
        assert first_bad(session.scalars(select(LedgerEntry).order_by(LedgerEntry.id))) is None


def test_what_is_met_or_firm_is_left_as_it_is(eve: Any, imported: Any) -> None:
    before = {row["id"]: row for row in eve.rows()["obligation"]}
    after = {row["id"]: row for row in imported.rows()["obligation"]}
    changed = {row["object"] for key, row in after.items() if row != before[key]}
    assert changed == {name.split()[1] for name in MOVED}
    met = [row for row in after.values() if row["provisional"]]
    assert [(row["object"], str(row["met_on"])) for row in met] == [
        ("2026-1-D03/yjglj", "2026-12-31")
    ]


def test_a_missed_due_day_stays_missed(imported: Any, stored: Any) -> None:
    missed = stored("publish", "2026-1-D02/yjglj")
    assert missed.missed_on == ["2027-01-04"]
    assert missed.was_overdue(date(2027, 1, 20))
    assert stored("publish", "2026-1-D04/yjglj").missed_on == []


def test_a_level_that_an_import_brings_forward_is_told_on_its_day(
    winter: Any, import_2027: Any
) -> None:
    """Due on 2026-12-11; the 35th working day over is 1 February, or 31 January, a Sunday that the
    notice makes up for 春节. By the import of 29 January the levels before it were told."""
    sweep(date(2027, 1, 28), morning(date(2027, 1, 28)))
    import_2027(day=date(2027, 1, 29))
    for day in (date(2027, 1, 29), date(2027, 1, 30), date(2027, 1, 31), date(2027, 2, 1)):
        sweep(day, morning(day))
    with reading() as session:
        query = select(Alert).join(Obligation, Obligation.id == Alert.obligation_id)
        told = session.scalars(
            query.where(
                Obligation.duty == "publish",
                Obligation.object == "2026-1-D01/yjglj",
                Alert.role == "head",
                Alert.level.in_(["weekly-5", "weekly-6"]),
            ).order_by(Alert.id)
        )
        assert [(one.level, one.raised_on) for one in told] == [
            ("weekly-5", date(2027, 1, 28)),  # of 25 January
            ("weekly-6", date(2027, 1, 31)),
        ]


def test_each_person_concerned_gets_one_mail(imported: Any) -> None:
    mails = letters("calendar:")
    assert imported.done.mails == len(mails) == len({mail.email.lower() for mail in mails})
    told = Counter(line for mail in mails for line in mail.text.splitlines() if "→" in line)
    assert told == Counter(imported.done.moved)
    assert all(mail.day == date(2027, 1, 20) for mail in mails)
    assert all("国办发明电〔2026〕99号" in mail.text for mail in mails)


def test_people_with_one_address_between_them_get_one_mail_with_everything(
    winter: Any, import_2027: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = tasks.holiday.settle

    def sharing(*given: Any, **options: Any) -> Any:
        moves = settle(*given, **options)
        for move in moves:
            if move.row.department == "scjgj":
                move.row.email = "Office@scjgj.example"
        return moves

    monkeypatch.setattr(tasks.holiday, "settle", sharing)
    import_2027()
    (mail,) = [mail for mail in letters("calendar:") if mail.email == "Office@scjgj.example"]
    assert mail.text.count("→") == 3
    assert mail.name.count("、") == 2


def test_no_mail_says_whom_an_unrevealed_draw_took(imported: Any) -> None:
    names = {row["about"] for row in imported.rows()["obligation"] if row["inspection"]}
    assert not [name for mail in letters("calendar:") for name in names if name in mail.text]


def test_an_amendment_counts_them_anew_on_top(winter: Any, stored: Any, import_2027: Any) -> None:
    import_2027()
    done = import_2027(day=date(2027, 1, 26), amendment=True)
    assert sorted(done.moved) == [
        "专项简报 2026-1：2027-03-12 → 2027-03-15",
        "公示 2026-1-D04/scjgj：2027-02-18 → 2027-02-19",
        "公示 2026-1-D04/yjglj：2027-02-18 → 2027-02-19",
    ]
    row = stored("publish", "2026-1-D04/yjglj")
    assert (row.due_version, row.calendar_version) == (3, done.version)
    assert len(letters("calendar:国办发明电〔2027〕98号:")) == 3


def test_an_amendment_of_a_year_that_is_not_known_is_refused(eve: Any, import_2027: Any) -> None:
    before = eve.rows()
    with pytest.raises(
        EntryRefused, match="尚无 2027 年的全年通知，不能导入 国办发明电〔2027〕98号"
    ):
        import_2027(amendment=True)
    assert eve.rows() == before


def test_the_same_notice_is_not_imported_twice(imported: Any, import_2027: Any) -> None:
    before = imported.rows()
    with pytest.raises(EntryRefused, match="国办发明电〔2026〕99号 已经导入过"):
        import_2027(day=date(2027, 1, 21))
    assert imported.rows() == before


def test_a_wrong_notice_is_refused_with_every_reason_and_nothing_is_written(
    eve: Any, import_2027: Any
) -> None:
    before = eve.rows()
    text = import_2027.text.replace("共9天", "共8天").replace("5月8日（周六）", "5月8日（周日）")
    with pytest.raises(NoticeRefused) as refused:
        import_2027(text=text)
    assert len(refused.value.reasons) == 2
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith("国办发明电〔2026〕99号 未导入，2 处不符：")
    assert all(reason in message for reason in refused.value.reasons)
    assert eve.rows() == before


@pytest.mark.parametrize("confirmed_by", [["张三"], ["张三", "张三"], ["张三", " 张 三 "]])
def test_one_person_alone_cannot_confirm_a_doubtful_notice(
    eve: Any, import_2027: Any, confirmed_by: list[str]
) -> None:
    with pytest.raises(NoticeRefused):
        import_2027(text=import_2027.text.replace("共9天", "共8天"), confirmed_by=confirmed_by)


def test_two_can_and_it_is_kept_who_they_were(winter: Any, import_2027: Any) -> None:
    text = import_2027.text.replace("共9天", "共8天")
    import_2027(text=text, confirmed_by=["张三", "李四"])
    with reading() as session:
        row = session.scalars(select(ImportedNotice)).one()
    assert (row.text, row.issued_on, row.imported_by) == (text, date(2026, 11, 24), "王五")
    assert row.confirmed_by == ["张三", "李四"]
    assert "放假天数写作 8，实为 9" in row.reasons[0]
    assert ledger("导入节假日安排通知")[0].detail["confirmed_by"] == ["张三", "李四"]


def test_text_that_is_no_notice_is_refused(eve: Any, import_2027: Any) -> None:
    with pytest.raises(EntryRefused, match="国办发明电〔2026〕99号：通知中没有读到任何放假日期"):
        import_2027(text="各单位：")


def test_an_import_that_fails_half_way_leaves_nothing(
    winter: Any, import_2027: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = winter.rows()
    asked = []

    def full(*_: Any, **given: Any) -> None:
        asked.append(given["email"])
        if len(asked) == 2:
            raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(tasks.holiday, "letter", full)
        with pytest.raises(OSError, match="disk full"):
            import_2027()
    assert winter.rows() == before
    assert len(import_2027().moved) == 6


def test_an_import_that_is_killed_half_way_leaves_nothing(
    winter: Any, import_2027: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = winter.rows()
    child = os.fork()
    if not child:
        monkeypatch.setattr(
            tasks.holiday, "letter", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        )
        try:
            import_2027()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert winter.rows() == before
    assert len(import_2027().moved) == 6


@pytest.mark.server
def test_an_import_and_a_stage_at_the_same_time_both_get_through(
    postgresql: str, registered: Any, winter_plan: Plan, import_2027: Any, tmp_path: Path
) -> None:
    office = type(registered)(tmp_path / "base", postgresql).copy(tmp_path / "home")
    held = Event()

    def stage() -> None:
        with writing() as session:
            lock(session, "2026-1")
            held.set()
            sleep(1)  # the import has begun by then, and must not hold the ledger
            append(session, morning(date(2027, 1, 20)), "系统", [Entry("试", "2026-1", {})])

    with office.here(), ThreadPoolExecutor() as threads:
        migrate()
        load_plan(winter_plan, morning(date(2026, 10, 26)))
        staged = threads.submit(stage)
        assert held.wait(10)
        assert import_2027().number == "国办发明电〔2026〕99号"
        staged.result()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_text_is_read_in_any_encoding_an_office_uses(
    tmp_path: Path, import_2027: Any, encoding: str
) -> None:
    file = tmp_path / "通知.txt"
    file.write_bytes(import_2027.text.encode(encoding))
    assert read_text(file) == import_2027.text


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00\x01\xff"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "通知.txt"
    if content:
        file.write_bytes(content)
    with pytest.raises(EntryRefused, match=r"^通知\.txt：.*"):
        read_text(file)


def test_next_years_notice_is_asked_for_once_a_day_until_it_is_there(
    winter: Any, import_2027: Any
) -> None:
    tones = {
        date(2026, 10, 24): None,
        date(2026, 10, 25): "提醒",
        date(2026, 11, 30): "提醒",
        date(2026, 12, 1): "加急",
        date(2027, 1, 20): "加急",
    }
    for day, tone in tones.items():
        assert [ask_for_notice(morning(day)) for _ in range(2)] == [tone, tone]
    import_2027()
    assert ask_for_notice(morning(date(2027, 1, 21))) is None
    asked = letters("ask-notice:")
    assert [(mail.day, mail.subject) for mail in asked] == [
        (day, f"〔{tone}〕请导入 2027 年节假日安排通知") for day, tone in tones.items() if tone
    ]
    assert {mail.email for mail in asked} == {"coordinator@weidong.example"}
    assert all("--number 国办发明电〔2026〕…号" in mail.text for mail in asked)
