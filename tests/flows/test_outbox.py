"""The sender as flows run it: the account kept in Prefect, and when it is not asked."""

import socket
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from models.base import SHANGHAI
from models.database import writing
from models.mail import letter
from models.settings import settings

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore:Requiring AUTH")]
USER, PASSWORD = "office@weidong.example", "p@ss word"
NOW = datetime(2024, 7, 1, 9, tzinfo=SHANGHAI)


class PostOffice:
    """Takes mail of whoever has logged in, and keeps from whom and to whom."""

    def __init__(self) -> None:
        self.taken: list[tuple[str | None, list[str]]] = []
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        self.taken.append((envelope.mail_from, envelope.rcpt_tos))
        return "250 OK"


def known(*given: Any) -> AuthResult:
    login = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=given[4] == login, handled=False)


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    office = PostOffice()
    controller = Controller(
        office,
        hostname="127.0.0.1",
        port=office.port,
        authenticator=known,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    yield office
    controller.stop()


@pytest.fixture
def block(prefect: Any) -> Iterator[Any]:
    """Keeps an account in Prefect, for the test."""
    from prefect_email import EmailServerCredentials

    from flows.outbox import BLOCK

    def keep(**fields: Any) -> None:
        EmailServerCredentials(username=USER, password=PASSWORD, **fields).save(
            BLOCK, overwrite=True
        )

    yield keep
    EmailServerCredentials.delete(BLOCK)


@pytest.fixture
def waiting(office: Any) -> None:
    with writing() as session:
        session.connection().exec_driver_sql("UPDATE mail SET state = 'void'")
        letter(
            session,
            key="one",
            name="张三",
            email="zhang@yjglj.example",
            day=NOW.date(),
            subject="致张三",
            text="请办理。",
        )


TOLD = [(USER, ["zhang@yjglj.example"])]


def sent() -> int:
    """How many mails a run of a flow sends."""
    from prefect import flow

    from flows.outbox import deliver

    return flow(lambda: deliver(NOW).sent, name="发信")()


@pytest.mark.usefixtures("waiting")
def test_without_an_smtp_url_mail_goes_by_the_account_kept_in_prefect(
    post_office: PostOffice, block: Any
) -> None:
    block(smtp_server="127.0.0.1", smtp_type="INSECURE", smtp_port=post_office.port)
    assert sent() == 1
    assert post_office.taken == TOLD


@pytest.mark.usefixtures("waiting")
def test_user_and_password_may_be_kept_apart_from_the_url(
    post_office: PostOffice, block: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHUANGSUIJI_SMTP_URL", f"smtp://127.0.0.1:{post_office.port}")
    block(smtp_server="gmail")  # not asked for
    assert sent() == 1
    assert post_office.taken == TOLD


@pytest.mark.usefixtures("waiting", "prefect")
def test_without_an_account_mails_are_files() -> None:
    before = len(list(settings().mail_folder.glob("*.eml")))
    assert sent() == 1
    assert len(list(settings().mail_folder.glob("*.eml"))) == before + 1
