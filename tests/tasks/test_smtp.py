import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from models.base import SHANGHAI
from models.mail import Mail, compose, message_id
from models.settings import Settings
from tasks.smtp import (
    Account,
    Folder,
    Permanent,
    Server,
    Temporary,
    Unavailable,
    account,
    transport,
)

USER, PASSWORD = "office@weidong.example", "p@ss:%/word"


def mail(to: str = "zhang@yjglj.example", text: str = "请办理。\n.\n..完\n") -> Message:
    row = Mail(
        id=1,
        key=f"letter:{to}",
        name="张三",
        email=to,
        subject="致张三",
        text=text,
        html="<p>请办理。</p>",
        frozen_at=datetime(2024, 7, 1, 9, tzinfo=SHANGHAI),
        message_id=message_id(f"letter:{to}", USER),
    )
    return compose(row, "办公室", USER)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://localhost", Account("smtp", "localhost", 25)),
        ("smtp://localhost:2525", Account("smtp", "localhost", 2525)),
        ("smtps://mail.gov.cn", Account("smtps", "mail.gov.cn", 465)),
        (
            "smtp+starttls://office%40weidong.example:p%40ss%3A%25%2Fword@mail.gov.cn",
            Account("smtp+starttls", "mail.gov.cn", 587, USER, PASSWORD),
        ),
    ],
)
def test_an_smtp_url_is_read_with_its_percent_signs(url: str, expected: Account) -> None:
    assert account(url) == expected


@pytest.mark.parametrize(
    "url", ["http://a.cn", "smtp://", "smtp://a.cn:0", "smtp://a.cn:x", "smtp://u:secret@:25"]
)
def test_a_wrong_smtp_url_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(ValueError, match="SHUANGSUIJI_SMTP_URL") as refused:
        account(url)
    assert "secret" not in str(refused.value)


def test_an_account_never_shows_its_password() -> None:
    assert PASSWORD not in repr(Account("smtp", "a.cn", 25, USER, PASSWORD))


def test_without_an_smtp_url_mails_are_files(tmp_path: Path) -> None:
    way = transport(Settings(home=tmp_path, smtp_url=""))
    assert isinstance(way, Folder)
    way.send(mail())
    way.send(mail())
    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == mail()["Message-ID"].strip("<>") + ".eml"


def test_a_folder_that_cannot_be_written_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(Unavailable, match="邮件文件夹"):
        Folder(tmp_path / "mail").send(mail())


KEPT = Account("smtps", "mail.gov.cn", 465, USER, PASSWORD)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", KEPT),
        ("smtp://localhost", Account("smtp", "localhost", 25, USER, PASSWORD)),
        ("smtp://other:secret@localhost", Account("smtp", "localhost", 25, "other", "secret")),
    ],
)
def test_a_kept_account_fills_in_what_the_url_leaves_open(url: str, expected: Account) -> None:
    way = transport(Settings(smtp_url=url), KEPT)
    assert isinstance(way, Server)
    assert way.account == expected


class Office:
    """Keeps what it is sent; answers by the local part of the recipient's address."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.answers: dict[str, str] = {}
        self.connections = 0
        self.sender_answer = "250 OK"
        self.hook: Callable[[SMTP], None] | None = None

    async def handle_EHLO(
        self, _: SMTP, session: Session, __: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        return answers

    async def handle_MAIL(
        self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.sender_answer

    async def handle_RCPT(
        self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get(f"RCPT {address}", "250 OK")
        if answer == "drop":
            server.transport.abort()  # type: ignore[union-attr]
        elif answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:
        answer = self.answers.get(f"DATA {envelope.rcpt_tos[0]}", "250 OK")
        if answer.startswith("2") or answer == "drop":
            self.taken.append(bytes(envelope.content or b""))
        if answer == "drop":
            server.transport.abort()  # type: ignore[union-attr]
        return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Serve = Callable[..., tuple[Office, int]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[Controller] = []

    def start(**options: Any) -> tuple[Office, int]:
        office = Office()
        port = free_port()
        controller = Controller(office, hostname="127.0.0.1", port=port, **options)
        controller.start()
        running.append(controller)
        return office, port

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem "
    command += "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate / "cert.pem"))


def plain(port: int, **options: Any) -> Server:
    return Server(Account("smtp", "127.0.0.1", port), timeout=2, **options)


@pytest.mark.server
def test_mails_arrive_whole_over_one_connection(serve: Serve) -> None:
    office, port = serve()
    way = plain(port)
    for number in range(5):
        way.send(mail(f"p{number}@yjglj.example"))
    way.close()
    assert office.connections == 1
    assert len(office.taken) == 5
    read = message_from_bytes(office.taken[0], policy=default)
    text, html = read.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == "请办理。\n.\n..完\n"
    assert html.get_content().strip() == "<p>请办理。</p>"


@pytest.mark.server
@pytest.mark.parametrize(
    ("at", "answer", "fault"),
    [
        ("RCPT", "550 no such user", Permanent),
        ("RCPT", "450 mailbox busy", Temporary),
        ("DATA", "554 looks like spam", Permanent),
        ("DATA", "451 try later", Temporary),
        ("RCPT", "421 closing", Temporary),
    ],
)
def test_permanent_and_temporary_answers_are_told_apart_and_stop_no_other(
    serve: Serve, at: str, answer: str, fault: type[Exception]
) -> None:
    office, port = serve()
    office.answers[f"{at} bad@yjglj.example"] = answer
    way = plain(port)
    way.send(mail("a@yjglj.example"))
    with pytest.raises(fault, match=answer[:3]):
        way.send(mail("bad@yjglj.example"))
    way.send(mail("b@yjglj.example"))
    way.close()
    assert len(office.taken) == 2


@pytest.mark.server
@pytest.mark.parametrize("at", ["RCPT", "DATA"])
def test_a_connection_lost_in_the_middle_is_temporary(serve: Serve, at: str) -> None:
    office, port = serve()
    office.answers[f"{at} bad@yjglj.example"] = "drop"
    way = plain(port)
    with pytest.raises(Temporary, match="连接中断"):
        way.send(mail("bad@yjglj.example"))
    way.send(mail("b@yjglj.example"))
    way.close()
    assert office.connections == 2


@pytest.mark.server
def test_a_connection_closed_while_idle_costs_no_mail_a_try(serve: Serve) -> None:
    office, port = serve()
    way = plain(port)
    way.send(mail("a@yjglj.example"))
    assert way._connection is not None
    way._connection.sock.shutdown(2)
    way.send(mail("b@yjglj.example"))
    way.close()
    assert len(office.taken) == 2


@pytest.mark.server
def test_a_server_that_refuses_the_sender_takes_nothing_from_us(serve: Serve) -> None:
    office, port = serve()
    office.sender_answer = "553 not yours"
    way = plain(port)
    with pytest.raises(Unavailable, match="553"):
        way.send(mail())
    way.close()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="连不上邮件服务器"):
        plain(1).send(mail())


@pytest.mark.server
def test_a_silent_server_times_out() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        way = Server(Account("smtp", "127.0.0.1", silent.getsockname()[1]), timeout=0.2)
        with pytest.raises(Unavailable, match="连不上邮件服务器"):
            way.send(mail())


def authenticate(*arguments: Any) -> AuthResult:
    given = arguments[4]
    good = isinstance(given, LoginPassword) and (given.login, given.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=good, handled=False)


@pytest.mark.server
@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("security", ["smtps", "smtp+starttls"])
@pytest.mark.parametrize(
    ("password", "fault"),
    [(PASSWORD, ""), ("wrong", "拒绝连接或登录"), ("密码", "只能是 ASCII")],
)
def test_tls_and_login(
    serve: Serve,
    server_context: ssl.SSLContext,
    trusting: ssl.SSLContext,
    security: Any,
    password: str,
    fault: str,
) -> None:
    login = {"authenticator": authenticate, "auth_required": True}
    if security == "smtps":
        office, port = serve(ssl_context=server_context, auth_require_tls=False, **login)
    else:
        office, port = serve(tls_context=server_context, require_starttls=True, **login)
    way = Server(Account(security, "127.0.0.1", port, USER, password), timeout=2, context=trusting)
    if not fault:
        way.send(mail())
        assert len(office.taken) == 1
    else:
        with pytest.raises(Unavailable, match=fault):
            way.send(mail())
    way.close()


@pytest.mark.server
def test_a_certificate_nobody_vouches_for_is_refused(
    serve: Serve, server_context: ssl.SSLContext
) -> None:
    _, port = serve(tls_context=server_context)
    way = Server(Account("smtp+starttls", "127.0.0.1", port), timeout=2)
    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        way.send(mail())


@pytest.mark.server
def test_a_server_without_starttls_is_refused(serve: Serve) -> None:
    _, port = serve()
    way = Server(Account("smtp+starttls", "127.0.0.1", port, USER, PASSWORD), timeout=2)
    with pytest.raises(Unavailable, match="STARTTLS"):
        way.send(mail())
