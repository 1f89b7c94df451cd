"""Imports every module that has tables, so that `Base.metadata` is whole."""

from models import (  # noqa: F401
    alert,
    draw,
    grant,
    holiday,
    inspection,
    leave,
    ledger,
    mail,
    notice,
    obligation,
    paper_file,
    plan,
    publication,
    referral,
    round,
    subject,
)
from models.base import Base

__all__ = ["Base"]
