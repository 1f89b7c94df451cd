"""Imports every module that has tables, so that `Base.metadata` is whole."""

from models import (  # noqa: F401
    alert,
    brief,
    crime,
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
    refusal,
    replacement,
    round,
    subject,
)
from models.base import Base
from models.draw import SEALED
from models.ledger import APPEND_ONLY
from models.publication import KEPT as PUBLICATIONS_KEPT
from models.replacement import KEPT as REPLACEMENTS_KEPT

__all__ = ["TRIGGERS", "Base"]

# What the database itself refuses, by dialect; made anew whenever the tables change.
TRIGGERS = {
    dialect: tuple(
        statement
        for triggers in (APPEND_ONLY, SEALED, REPLACEMENTS_KEPT, PUBLICATIONS_KEPT)
        for statement in triggers[dialect]
    )
    for dialect in ("sqlite", "postgresql")
}
