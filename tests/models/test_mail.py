from collections.abc import Iterator
from datetime import date, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from calendars import WorkingCalendar
from models.base import SHANGHAI
from models.database import engine_for, writing
from models.mail import Mail, compose, letter, message_id, one_line, usable

NOW = datetime(2024, 7, 1, 8, 30, tzinfo=SHANGHAI)
DAY = date(2024, 7, 1)


def frozen(**changed: Any) -> Mail:
    values = {
        "id": 1,
        "key": "letter:a",
        "name": "张三",
        "email": "zhang@yjglj.example",
        "subject": "【双随机催办】逾期 2 项（2024-07-01）",
        "text": "张三：\n\n请办理。\n.\n",
        "html": "<p>张三，请办理。</p>",
        "frozen_at": NOW,
        "message_id": message_id("letter:a", "office@weidong.example"),
    }
    return Mail(**(values | changed))


def sent(mail: Mail) -> Any:
    message = compose(mail, "联席会议办公室", "office@weidong.example", "real@weidong.example")
    return message_from_bytes(message.as_bytes(), policy=default)


def test_a_mail_reads_back_as_it_was_written() -> None:
    message = sent(frozen())
    assert message["Subject"] == "【双随机催办】逾期 2 项（2024-07-01）"
    assert message["From"].addresses[0].display_name == "联席会议办公室"
    assert message["To"].addresses[0].display_name == "张三"
    assert message["To"].addresses[0].addr_spec == "zhang@yjglj.example"
    assert message["Reply-To"].addresses[0].addr_spec == "real@weidong.example"
    assert message["Date"].datetime == NOW
    text, html = message.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == "张三：\n\n请办理。\n.\n"
    assert html.get_content().strip() == "<p>张三，请办理。</p>"


def test_the_same_mail_is_the_same_bytes_at_every_try() -> None:
    first = compose(frozen(), "办公室", "office@weidong.example").as_bytes()
    assert compose(frozen(), "办公室", "office@weidong.example").as_bytes() == first


def test_a_message_id_belongs_to_one_key_of_one_office() -> None:
    one = message_id("digest:2024-07-01:a@b.cn", "office@weidong.example")
    assert one == message_id("digest:2024-07-01:a@b.cn", "office@weidong.example")
    assert one != message_id("digest:2024-07-02:a@b.cn", "office@weidong.example")
    assert one != message_id("digest:2024-07-01:a@b.cn", "office@xinhua.example")
    assert one.endswith("@weidong.example>")


@pytest.mark.parametrize("field", ["name", "subject"])
@pytest.mark.parametrize("bad", ["张三\r\nBcc: all@x.cn", "张三\nX: y", "张三\0", "a\x7fb"])
def test_a_line_break_never_reaches_a_header(field: str, bad: str) -> None:
    with pytest.raises(ValueError, match="邮件头"):
        compose(frozen(**{field: bad}), "办公室", "office@weidong.example")


@settings(max_examples=40)
@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=200))
def test_whatever_name_and_subject_say_no_header_is_added(name: str, subject: str) -> None:
    mail = frozen(name=name, subject=subject)
    try:
        message = compose(mail, "办公室", "office@weidong.example")
        read = message_from_bytes(message.as_bytes(), policy=default)
    except ValueError:
        return
    assert set(read.keys()) == set(message.keys())
    assert [each.addr_spec for each in read["To"].addresses] == ["zhang@yjglj.example"]


@pytest.mark.parametrize(
    ("email", "good"),
    [
        ("zhang.san+x@yjglj.pds.gov.cn", True),
        ("a@b.cn", True),
        ("", False),
        ("zhang@", False),
        ("zhang@localhost", False),
        ("zhang..san@b.cn", False),
        (".zhang@b.cn", False),
        ("张三@b.cn", False),
        ("a@b.cn, c@d.cn", False),
        ("a@b.cn\n", False),
        ("a b@c.cn", False),
        ("<a@b.cn>", False),
        ("a" * 250 + "@b.cn", False),
    ],
)
def test_only_plain_addresses_are_usable(email: str, good: bool) -> None:
    assert usable(email) == good


def test_one_line_keeps_chinese_as_it_is() -> None:
    assert one_line("张三（安监）") == "张三（安监）"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2024, 9, 14), date(2024, 9, 14)),  # make-up Saturday
        (date(2024, 9, 15), date(2024, 9, 18)),
        (date(2024, 10, 1), date(2024, 10, 8)),
        (date(2024, 7, 6), date(2024, 7, 8)),
    ],
)
def test_mails_go_out_on_working_days(day: date, expected: date) -> None:
    assert WorkingCalendar.china().first_working_day(day) == expected


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path / 'mail.db'}"
    Mail.metadata.create_all(engine_for(url), tables=[Mail.metadata.tables["mail"]])
    yield url
    engine_for(url).dispose()


def ask(session: Session, **changed: Any) -> bool:
    values = {
        "key": "draw:2024-1:head",
        "name": "应急局负责人",
        "email": "head@yjglj.example",
        "day": DAY,
        "subject": "抽取承诺",
        "text": "见附件。",
    }
    return letter(session, **(values | changed))


def test_a_letter_is_asked_for_once_however_often_it_is_asked(url: str) -> None:
    with writing(url) as session:
        assert ask(session)
        assert not ask(session, subject="另一个")
    with writing(url) as session:
        assert not ask(session)
        assert session.scalars(select(Mail)).one().subject == "抽取承诺"


@pytest.mark.parametrize("email", ["", "head@", "a@b.cn\r\nBcc: c@d.cn"])
def test_a_letter_to_nowhere_is_shown_as_undeliverable(url: str, email: str) -> None:
    with writing(url) as session:
        ask(session, email=email)
        mail = session.scalars(select(Mail)).one()
        assert mail.state == "undeliverable"
        assert mail.error
        assert mail.email == ""


@pytest.mark.parametrize("field", ["name", "subject", "key"])
def test_a_letter_with_a_broken_header_is_refused(url: str, field: str) -> None:
    with writing(url) as session, pytest.raises(ValueError, match="邮件头"):
        ask(session, **{field: "a\r\nBcc: c@d.cn"})
