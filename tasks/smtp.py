"""Ways out for mail: an SMTP server over one connection, or `.eml` files in a folder."""

import smtplib
import ssl
from dataclasses import dataclass, replace
from email.message import Message
from email.utils import parseaddr
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import unquote, urlsplit

from models.settings import Settings
from tasks.paper import write

TIMEOUT_SECONDS = 10
PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


class Failure(Exception):
    """A mail that did not go out. `code` is the server's, or 0 where the connection failed."""

    def __init__(self, code: int, answer: str) -> None:
        super().__init__(f"{code} {answer}" if code else answer)
        self.code = code
        self.answer = answer


class Temporary(Failure):
    """This mail failed now, and may be tried again later (4xx, connection lost)."""


class Permanent(Failure):
    """This mail was refused for good (5xx), or cannot be written at all."""


class Unavailable(Failure):
    """No mail can go out: the server cannot be reached, or refuses us. No mail's own fault."""


class Transport(Protocol):
    """A way out. `sender` is the address it must send from, empty where any will do."""

    @property
    def sender(self) -> str: ...

    def send(self, message: Message) -> None:
        """Hand over one message to one recipient. Raises Temporary, Permanent or Unavailable."""

    def close(self) -> None: ...


class Folder:
    """Writes each mail as an `.eml` file named by its Message-ID; a repeat replaces itself."""

    sender = ""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: Message) -> None:
        name = message["Message-ID"].strip("<>").replace("/", "_")
        try:
            write(self._path / f"{name}.eml", message.as_bytes())
        except OSError as error:
            raise Unavailable(0, f"写不进邮件文件夹：{error}") from error

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True)
class Account:
    """Where and as whom mail is handed over."""

    security: Literal["smtp", "smtps", "smtp+starttls"]
    host: str
    port: int
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Account({self.security}://{self.host}:{self.port})"  # never the password


def account(url: str) -> Account:
    """Read `smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`, percent-encoded.

    ValueError with one Chinese line, without the password, where it is none of these.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise ValueError(
            "SHUANGSUIJI_SMTP_URL 应为 smtp://、smtps:// 或 smtp+starttls:// 开头的地址，"
            "如 smtp+starttls://用户:密码@主机:端口，用户和密码中的特殊字符用百分号编码"
        )
    return Account(
        parts.scheme,  # type: ignore[arg-type]
        parts.hostname,
        port or PORTS[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


class Server:
    """An SMTP server; one connection, made for the first mail, kept and renewed as needed."""

    def __init__(
        self,
        account: Account,
        *,
        timeout: float = TIMEOUT_SECONDS,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.account = account
        self._timeout = timeout
        self._context = context or ssl.create_default_context()
        self._connection: smtplib.SMTP | None = None

    @property
    def sender(self) -> str:
        """The account itself where it is an address: most servers let it send as nobody else."""
        return self.account.user if "@" in self.account.user else ""

    def send(self, message: Message) -> None:
        kept = self._connection is not None
        try:
            self._hand_over(message)
        except _Gone as gone:
            # A server may close a connection that was idle. Before a mail has begun, just try anew.
            if not (kept and gone.before):
                raise gone.failure from gone
            try:
                self._hand_over(message)
            except _Gone as again:
                raise again.failure from again

    def _hand_over(self, message: Message) -> None:
        sender, recipient = (parseaddr(message[header])[1] for header in ("From", "To"))
        content = message.as_bytes()
        connection = self._connection or self._connect()
        stage = "MAIL"
        try:
            code, answer = connection.mail(sender)
            if code == 250:
                stage = "RCPT"
                code, answer = connection.rcpt(recipient)
            if code in (250, 251):
                stage = "DATA"
                code, answer = connection.data(content)
                if code == 250:
                    return
        except smtplib.SMTPDataError as error:
            code, answer = error.smtp_code, error.smtp_error  # type: ignore[assignment]
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            self._drop()
            raise _Gone(stage == "MAIL", f"连接中断（{stage}）：{error}") from error
        self._refused(stage, code, answer)

    def _refused(self, stage: str, code: int, answer: bytes | str) -> None:
        said = answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
        if code == 421:  # the server is closing the connection
            self._drop()
            if stage == "MAIL":
                raise _Gone(True, said)
            raise Temporary(code, said)
        self._reset()
        if stage == "MAIL":  # it will not take mail from us, whoever it is for
            raise Unavailable(code, said)
        raise (Permanent if code >= 500 else Temporary)(code, said)

    def _connect(self) -> smtplib.SMTP:
        to = self.account
        try:
            connection = self._open()
            try:
                if to.security == "smtp+starttls":
                    connection.starttls(context=self._context)
                if to.user:
                    connection.login(to.user, to.password)
                else:
                    connection.ehlo_or_helo_if_needed()
            except BaseException:
                connection.close()
                raise
        except smtplib.SMTPResponseException as error:
            said = error.smtp_error
            said = said.decode(errors="replace") if isinstance(said, bytes) else said
            raise Unavailable(error.smtp_code, f"邮件服务器拒绝连接或登录：{said}") from error
        except UnicodeEncodeError as error:
            raise Unavailable(0, "邮件服务器的用户和密码只能是 ASCII 字符") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(0, f"连不上邮件服务器 {to.host}:{to.port}：{error}") from error
        self._connection = connection
        return connection

    def _open(self) -> smtplib.SMTP:
        to = self.account
        if to.security == "smtps":
            return smtplib.SMTP_SSL(to.host, to.port, timeout=self._timeout, context=self._context)
        return smtplib.SMTP(to.host, to.port, timeout=self._timeout)

    def _reset(self) -> None:
        try:
            assert self._connection is not None
            self._connection.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def close(self) -> None:
        """Say goodbye; a server that is gone already is no error."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.quit()
            except (smtplib.SMTPException, OSError):
                connection.close()


class _Gone(Exception):
    """The connection went away, `before` any mail had begun on it or in the middle of one."""

    def __init__(self, before: bool, answer: str) -> None:
        super().__init__(answer)
        self.before = before
        self.failure = Temporary(0, answer)


def transport(settings: Settings, kept: Account | None = None) -> Transport:
    """The way out: the SMTP URL's; what it leaves open, as `kept` has it; else `.eml` files."""
    if not settings.smtp_url:
        return Server(kept) if kept else Folder(settings.mail_folder)
    given = account(settings.smtp_url)
    if kept and not given.user:
        given = replace(given, user=kept.user, password=kept.password)
    return Server(given)
