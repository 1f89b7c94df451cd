import itertools
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from models.alert import Alert
from models.base import SHANGHAI
from models.database import reading, writing
from models.mail import Delivery, Mail, letter
from models.obligation import Obligation
from models.plan import read_plan
from models.settings import SHIPPED_PLAN
from tasks import outbox, smtp
from tasks.mail import DeliveryFigures, deliver
from tasks.obligation import sweep
from tasks.outbox import MAX_TRIES, outgoing, pause_after

PLAN = read_plan(SHIPPED_PLAN)
DAY = date(2024, 7, 12)  # Friday
NOW = datetime.combine(DAY, time(8, 30), tzinfo=SHANGHAI)


class Scripted:
    """A way out that fails as told, by address, and keeps what it took."""

    sender = ""

    def __init__(self, *, fail: dict[str, Exception] | None = None) -> None:
        self.fail = fail or {}
        self.taken: list[Message] = []

    def send(self, message: Message) -> None:
        if fault := self.fail.get(parseaddr(message["To"])[1]):
            raise fault
        self.taken.append(message)

    def close(self) -> None: ...

    @property
    def addresses(self) -> list[str]:
        return [parseaddr(message["To"])[1] for message in self.taken]


class Office:
    """A database with the shipped plan and one round."""

    def __init__(self, url: str) -> None:
        self.url = url

    def owe(self, **changed: Any) -> None:
        with writing(self.url) as session:
            number = session.scalar(select(func.count(Obligation.id))) or 0
            given = {
                "duty": "refer",
                "object": f"2024-1/{number}/yjglj",
                "inspection": f"2024-1/{number}",
                "round_id": 1,
                "about": "某某化工有限公司",
                "department": "yjglj",
                "person": "张三",
                "email": "zhang@yjglj.example",
                "started_on": date(2024, 7, 3),
                "working_days": 7,
                "source": "方案第七.2条",
                "due_on": DAY,
                "due_at": NOW,
                "provisional": False,
                "calendar_version": "holidays-1",
                "next_alert_on": DAY,
            }
            session.add(Obligation(**(given | changed)))

    def write(self, *names: str, day: date = DAY) -> None:
        with writing(self.url) as session:
            for name in names:
                letter(
                    session,
                    key=name,
                    name=name,
                    email=f"{name}@yjglj.example",
                    day=day,
                    subject=f"致{name}",
                    text="请办理。",
                )

    def deliver(
        self, transport: smtp.Transport, at: datetime = NOW, **options: Any
    ) -> DeliveryFigures:
        return deliver(at, transport, url=self.url, **options)

    def mails(self) -> list[Mail]:
        with reading(self.url) as session:
            return list(session.scalars(select(Mail).order_by(Mail.id)))

    def log(self) -> list[tuple[int, int, str, int]]:
        with reading(self.url) as session:
            rows = session.scalars(select(Delivery).order_by(Delivery.id))
            return [(row.mail_id, row.attempt, row.outcome, row.code) for row in rows]


@pytest.fixture
def office(bare_url: str) -> Office:
    return Office(bare_url)


def test_what_waits_is_sent_once(office: Office) -> None:
    office.write("a", "b", "c")
    way = Scripted()
    assert office.deliver(way).sent == 3
    assert office.deliver(way).sent == 0
    assert way.addresses == ["a@yjglj.example", "b@yjglj.example", "c@yjglj.example"]
    assert {mail.state for mail in office.mails()} == {"sent"}
    assert office.log() == [(1, 1, "sent", 250), (2, 1, "sent", 250), (3, 1, "sent", 250)]


def test_a_mail_waits_for_its_day(office: Office) -> None:
    office.write("a", day=DAY + timedelta(days=3))
    assert office.deliver(Scripted()).sent == 0
    assert office.deliver(Scripted(), NOW + timedelta(days=3)).sent == 1


@pytest.mark.parametrize(
    ("day", "sent"),
    [
        (date(2024, 9, 14), 1),  # make-up Saturday
        (date(2024, 9, 15), 0),
        (date(2024, 10, 1), 0),
        (date(2024, 7, 13), 0),
    ],
)
def test_nothing_goes_out_on_a_day_off(office: Office, day: date, sent: int) -> None:
    office.write("a")
    figures = office.deliver(Scripted(), datetime.combine(day, time(9), tzinfo=SHANGHAI))
    assert figures.sent == sent
    assert bool(figures.stopped) != bool(sent)


def test_a_bad_address_stops_no_other(office: Office) -> None:
    office.write("a", "b", "c")
    way = Scripted(fail={"b@yjglj.example": smtp.Permanent(550, "no such user")})
    figures = office.deliver(way)
    assert (figures.sent, figures.undeliverable) == (2, 1)
    assert [mail.state for mail in office.mails()] == ["sent", "undeliverable", "sent"]
    assert office.mails()[1].error == "550 no such user"
    assert (2, 1, "permanent", 550) in office.log()


def test_a_name_unfit_for_a_header_stops_no_other(office: Office) -> None:
    office.write("a", "b")
    with writing(office.url) as session:
        session.execute(update(Mail).where(Mail.id == 1).values(name="a\r\nBcc: x@y.cn"))
    figures = office.deliver(Scripted())
    assert (figures.sent, figures.undeliverable) == (1, 1)


def test_a_temporary_failure_is_tried_again_later_as_the_same_mail(office: Office) -> None:
    office.owe()
    sweep(DAY, NOW, url=office.url)
    way = Scripted(fail={"zhang@yjglj.example": smtp.Temporary(451, "greylisted")})
    assert office.deliver(way).retried == 1
    first = office.mails()[0]
    way.fail = {}
    assert office.deliver(way, NOW + timedelta(minutes=4)).sent == 0
    monday = NOW + timedelta(days=3)
    assert office.deliver(way, monday).sent == 1
    again = office.mails()[0]
    assert (again.subject, again.text, again.html) == (first.subject, first.text, first.html)
    assert way.taken[0]["Message-ID"] == first.message_id
    assert parsedate_to_datetime(way.taken[0]["Date"]) == NOW


def test_after_enough_tries_a_mail_is_shown_as_undeliverable(office: Office) -> None:
    office.write("a")
    way = Scripted(fail={"a@yjglj.example": smtp.Temporary(452, "mailbox full")})
    at, tries = NOW, 0
    while (mail := office.mails()[0]).state == "pending":
        assert tries < 20
        office.deliver(way, at)
        tries += 1
        at = (office.mails()[0].next_try_at or at) + timedelta(seconds=1)
    assert tries == MAX_TRIES
    assert mail.error == "452 mailbox full"
    assert len(office.log()) == tries


def test_pauses_grow_to_over_ten_hours_in_all() -> None:
    pauses = [pause_after(tries) for tries in range(1, MAX_TRIES)]
    assert pauses[0] == timedelta(minutes=5)
    assert all(later == 2 * earlier for earlier, later in itertools.pairwise(pauses))
    assert sum(pauses, timedelta()) > timedelta(hours=10)


def test_a_server_that_takes_nothing_costs_no_mail_a_try(office: Office) -> None:
    office.write("a", "b")
    down = smtp.Unavailable(0, "连不上")
    figures = office.deliver(Scripted(fail={"a@yjglj.example": down}))
    assert figures == DeliveryFigures(stopped="连不上")
    assert [(mail.state, mail.attempts) for mail in office.mails()] == [("pending", 0)] * 2
    assert office.deliver(Scripted()).sent == 2


class Killed(BaseException):
    """What a killed process never gets to raise."""


def test_a_claim_of_a_dead_process_is_taken_over_after_its_lease(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.write("a", "b")
    with monkeypatch.context() as dying:
        dying.setattr(outbox, "note", lambda *_: None)
        with pytest.raises(Killed):
            office.deliver(Scripted(fail={"b@yjglj.example": Killed()}))  # type: ignore[dict-item]
    assert [mail.state for mail in office.mails()] == ["claimed", "claimed"]
    way = Scripted()
    assert office.deliver(way, NOW + timedelta(seconds=55)).sent == 0
    assert office.deliver(way, NOW + timedelta(seconds=62)).sent == 2
    # "a" had gone out unmarked: once more, under the same Message-ID.
    assert len({message["Message-ID"] for message in way.taken}) == 2


def test_a_process_that_is_stopped_gives_its_claims_back(office: Office) -> None:
    office.write("a", "b", "c")
    with pytest.raises(Killed):
        office.deliver(Scripted(fail={"b@yjglj.example": Killed()}))  # type: ignore[dict-item]
    assert [mail.state for mail in office.mails()] == ["sent", "claimed", "pending"]


def test_whoever_sent_a_mail_marks_it_even_if_its_claim_was_taken_over(office: Office) -> None:
    office.write("a")

    class Slow(Scripted):
        def send(self, message: Message) -> None:
            with writing(office.url) as session:
                session.execute(update(Mail).values(claimed_by="other"))
            super().send(message)

    assert office.deliver(Slow()).sent == 1
    assert office.mails()[0].state == "sent"


def test_a_lost_claim_cannot_undo_what_another_sent(office: Office) -> None:
    office.write("a")

    class Overtaken(Scripted):
        def send(self, message: Message) -> None:
            with writing(office.url) as session:
                session.execute(update(Mail).values(state="sent", claimed_by=""))
            raise smtp.Temporary(0, "连接中断")

    office.deliver(Overtaken())
    assert office.mails()[0].state == "sent"


def test_a_clock_set_back_sends_nothing_twice(office: Office) -> None:
    office.write("a", day=date(2024, 7, 1))
    way = Scripted()
    office.deliver(way)
    office.deliver(way, NOW - timedelta(hours=1))
    office.deliver(way, NOW - timedelta(days=1))
    assert len(way.taken) == 1


def test_a_digest_tells_most_overdue_first_and_only_what_is_still_to_do(office: Office) -> None:
    office.owe(about="今日公司")
    office.owe(about="逾期公司", due_on=date(2024, 7, 10))
    office.owe(about="已办公司")
    office.owe(about="改期公司")
    sweep(DAY, NOW, url=office.url)
    with writing(office.url) as session:
        done, moved = (
            update(Obligation).where(Obligation.about == about)
            for about in ("已办公司", "改期公司")
        )
        session.execute(done.values(met_on=DAY))
        session.execute(moved.values(due_version=2, due_on=date(2024, 8, 1)))
    way = Scripted()
    office.deliver(way)
    mail = office.mails()[0]
    assert mail.subject == "【双随机催办】逾期 1 项，今日到期 1 项（2024-07-12）"
    for content in (mail.text, mail.html):
        assert 0 < content.index("逾期公司") < content.index("今日公司")
        assert "已办公司" not in content
        assert "改期公司" not in content


def test_a_digest_with_nothing_left_to_do_is_not_sent(office: Office) -> None:
    office.owe()
    sweep(DAY, NOW, url=office.url)
    with writing(office.url) as session:
        session.execute(update(Obligation).values(met_on=DAY))
    way = Scripted()
    assert office.deliver(way).void == 1
    assert way.taken == []
    assert office.mails()[0].state == "void"


def test_a_digest_says_what_is_due_when_and_how_it_was_counted(office: Office) -> None:
    office.owe(provisional=True, person="")
    sweep(DAY, NOW, url=office.url)
    office.deliver(Scripted())
    text = office.mails()[0].text
    for told in (
        "某某化工有限公司 — 移送",
        "【今天到期】",
        "2024年7月12日（周五）（暂定）",
        "2024年7月3日（周三）起算（当日不计），第 7 个工作日",
        "区应急管理局 （尚无责任人）",
        "方案第七.2条；逾期未移送的，依法追究责任",
        "移送（转办）有管辖权的部门处理",
        "填报或报送联席会议办公室（电话 0375-0000000，coordinator@weidong.example）",
        "2024-1/0/yjglj",
        "尚无责任人",
        "holidays-1",
    ):
        assert told in text


def test_names_in_a_digest_cannot_break_its_html(office: Office) -> None:
    office.owe(about="<script>alert(1)</script>有限公司")
    sweep(DAY, NOW, url=office.url)
    office.deliver(Scripted())
    assert "<script>" not in office.mails()[0].html


def test_a_long_digest_tells_the_rest_in_a_line_each(office: Office) -> None:
    for number in range(45):
        office.owe(about=f"公司{number}号")
    sweep(DAY, NOW, url=office.url)
    office.deliver(Scripted())
    mail = office.mails()[0]
    assert "另有 5 项" in mail.text
    assert all(
        f"公司{number}号" in content for number in range(45) for content in (mail.text, mail.html)
    )


def test_a_dry_run_shows_what_would_go_out_and_changes_nothing(office: Office) -> None:
    office.owe()
    sweep(DAY, NOW, url=office.url)
    office.write("a")
    with reading(office.url) as session:
        shown = outgoing(session, NOW)
    assert [(mail.email, mail.subject) for mail in shown] == [
        ("zhang@yjglj.example", "【双随机催办】今日到期 1 项（2024-07-12）"),
        ("a@yjglj.example", "致a"),
    ]
    assert {mail.state for mail in office.mails()} == {"pending"}
    assert office.mails()[0].frozen_at is None
    with reading(office.url) as session:
        assert outgoing(session, NOW + timedelta(days=1)) == []


def test_an_address_refused_for_good_is_told_through_the_head_next_time(office: Office) -> None:
    office.owe(next_alert_on=date(2024, 7, 10))
    sweep(date(2024, 7, 10), NOW - timedelta(days=2), url=office.url)
    office.deliver(
        Scripted(fail={"zhang@yjglj.example": smtp.Permanent(550, "no such user")}),
        NOW - timedelta(days=2),
    )
    sweep(DAY, NOW, url=office.url)
    with reading(office.url) as session:
        alert = session.scalars(select(Alert).where(Alert.level == "due")).first()
    assert alert is not None
    assert (alert.email, alert.why) == ("head@yjglj.example", "张三的邮箱近日无法送达")


def test_without_a_server_mails_are_files_that_a_repeat_replaces(
    office: Office, tmp_path: Path
) -> None:
    office.write("a")
    folder = tmp_path / "mail"
    office.deliver(smtp.Folder(folder))
    with writing(office.url) as session:
        session.execute(update(Mail).values(state="pending"))
    office.deliver(smtp.Folder(folder))
    (file,) = folder.iterdir()
    message = message_from_bytes(file.read_bytes(), policy=default)
    assert message["Subject"] == "致a"
    assert message["From"].addresses[0].addr_spec == "coordinator@weidong.example"


def test_two_senders_at_once_share_the_work(office: Office) -> None:
    office.write(*(f"p{number}" for number in range(60)))
    other = Scripted()

    class Meanwhile(Scripted):
        def __init__(self, then: Callable[[], object]) -> None:
            super().__init__()
            self.then = [then]

        def send(self, message: Message) -> None:
            if self.then:
                self.then.pop()()
            super().send(message)

    one = Meanwhile(lambda: office.deliver(other))
    office.deliver(one)
    assert len(one.addresses) + len(other.addresses) == 60
    assert not set(one.addresses) & set(other.addresses)
    assert other.addresses
