"""The sender as flows run it: by the account that the office keeps in Prefect, where it does."""

from datetime import datetime

from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect_email.credentials import EmailServerCredentials, SMTPServer, SMTPType

from models.settings import settings
from tasks import mail, smtp
from tasks.mail import DeliveryFigures
from tasks.smtp import Account

# The name of the block that holds the account.
BLOCK = "shuangsuiji"
_SECURITY = {
    SMTPType.SSL: "smtps",
    SMTPType.STARTTLS: "smtp+starttls",
    SMTPType.INSECURE: "smtp",
}


def deliver(at: datetime) -> DeliveryFigures:
    """One delivery of the outbox, see `tasks.mail.deliver`, with the account of the block if any.

    What `SHUANGSUIJI_SMTP_URL` says goes before: the block fills in what it leaves open, the server
    or only user and password.
    """
    way = smtp.transport(settings(), account())
    try:
        return mail.deliver(at, way)
    finally:
        way.close()


def account() -> Account | None:
    """The account in the block (凭据); None where there is none, or no run of a flow to ask in."""
    if FlowRunContext.get() is None:
        return None
    try:
        block = EmailServerCredentials.load(BLOCK)
    except ValueError as error:
        if isinstance(error.__cause__, ObjectNotFound):
            return None
        raise
    server, security = block.smtp_server, block.smtp_type
    assert isinstance(security, SMTPType)  # as its own check makes it
    return Account(
        _SECURITY[security],  # type: ignore[arg-type]
        server.value if isinstance(server, SMTPServer) else server,
        block.smtp_port or security.value,
        block.username or "",
        block.password.get_secret_value(),
    )
