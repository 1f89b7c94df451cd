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
    replacement,
    round,
    subject,
)
from models.base import Base
from models.draw import SEALED
from models.ledger import APPEND_ONLY
from models.replacement import KEPT

__all__ = ["TRIGGERS", "Base"]

# What the database itself refuses, by dialect; made anew whenever the tables change.
TRIGGERS = {
    dialect: (*APPEND_ONLY[dialect], *SEALED[dialect], *KEPT[dialect])
    for dialect in ("sqlite", "postgresql")
}
