"""Draws: one risk grade of one round, committed, frozen, sealed, and one day revealed."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, and_, or_
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Json, Key, Line, Prose
from models.round import Round

DRAW_1 = "draw-1"
EXTERNAL = "外部抽取"


class Draw(Base):
    """A draw (抽取). It holds its secret until the reveal; nothing sealed in it ever changes.

    One of source 外部抽取 was made elsewhere and is without proof: it has no freeze and no seed.
    """

    __tablename__ = "draw"
    __table_args__ = (UniqueConstraint("round_id", "grade"),)

    id: Mapped[Key]
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    grade: Mapped[Code]
    source: Mapped[Line] = mapped_column(default=DRAW_1)
    document: Mapped[Line] = mapped_column(default="")  # of 外部抽取: by what it is known
    secret: Mapped[Code]
    commitment: Mapped[Code]
    committed_at: Mapped[datetime]
    public_value_rule: Mapped[Prose]
    ratio: Mapped[Code | None]  # from the freeze on: what was frozen
    ratio_reason: Mapped[Line] = mapped_column(default="")
    # The freeze object in its canonical form: megabytes, so read only where it is asked for.
    frozen: Mapped[Prose | None] = mapped_column(deferred=True)
    freeze_digest: Mapped[Code | None]
    frozen_at: Mapped[datetime | None]
    public_value: Mapped[Line] = mapped_column(default="")
    public_value_by: Mapped[Json] = mapped_column(default=list)
    public_value_at: Mapped[datetime | None]
    seed: Mapped[Code | None]
    pool: Mapped[int] = mapped_column(default=0)
    count: Mapped[int] = mapped_column(default=0)
    sealed_at: Mapped[datetime | None]
    revealed_at: Mapped[datetime | None]

    round: Mapped[Round] = relationship(lazy="joined", innerjoin=True)

    @property
    def proven(self) -> bool:
        """Whether anybody can recompute it."""
        return self.source == DRAW_1

    @cached_property
    def freeze(self) -> dict[str, Any]:
        """The freeze object; only for a frozen draw."""
        return dict(json.loads(self.frozen or ""))

    @property
    def digest_of_frozen(self) -> str:
        """The digest of the freeze object as it is stored, recomputed; only for a frozen draw."""
        return sha256((self.frozen or "").encode()).hexdigest()

    @property
    def code(self) -> str:
        """Names the draw wherever it is spoken of, such as `2024-1-D`."""
        return f"{self.round.code}-{self.grade}"

    @property
    def waits_for_public_value(self) -> bool:
        """Frozen under a rule that asks for a public value not yet entered (待公共值)."""
        return bool(self.frozen_at and self.public_value_rule and not self.public_value)

    @hybrid_property
    def ready(self) -> bool:
        """Frozen, not sealed yet, and waiting for nothing but its seal; in queries as well."""
        return bool(self.frozen_at) and not self.sealed_at and not self.waits_for_public_value

    @ready.inplace.expression
    @classmethod
    def _ready(cls) -> ColumnElement[bool]:
        return and_(
            cls.frozen_at.is_not(None),
            cls.sealed_at.is_(None),
            or_(cls.public_value_rule == "", cls.public_value != ""),
        )

    def percent(self) -> Decimal:
        """The frozen ratio, in percent."""
        return Decimal(self.ratio or "0")


class DrawnSubject(Base):
    """A winning ticket: a drawn subject or, with `alternate`, one of the 递补名单, by position."""

    __tablename__ = "drawn_subject"
    __table_args__ = (UniqueConstraint("draw_id", "alternate", "position"),)

    id: Mapped[Key]
    draw_id: Mapped[int] = mapped_column(ForeignKey("draw.id"))
    position: Mapped[int]
    alternate: Mapped[bool]
    code: Mapped[Code]
    ticket: Mapped[Code]


class TeamMember(Base):
    """A place in a team (检查小组), leader's (组长) included. `left_at` once given up by 递补."""

    __tablename__ = "team_member"
    __table_args__ = (UniqueConstraint("inspection_id", "certificate"),)

    id: Mapped[Key]
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspection.id"), index=True)
    department: Mapped[Code]
    certificate: Mapped[Code]
    name: Mapped[Line]
    email: Mapped[Line]
    position: Mapped[int]
    leader: Mapped[bool]
    joined_by: Mapped[Line] = mapped_column(default="抽取")
    left_at: Mapped[datetime | None]


# Which columns of a draw stay as they are, from when on (draw-1, steps 1, 2, 3, 7 and 9).
_LOCKED: dict[str, tuple[str, ...]] = {
    "OLD.id IS NOT NULL": ("id", "round_id", "grade", "secret", "commitment"),
    "OLD.frozen_at IS NOT NULL OR OLD.sealed_at IS NOT NULL": (
        *("source", "document", "committed_at", "public_value_rule", "ratio", "ratio_reason"),
        *("frozen", "freeze_digest", "frozen_at", "pool"),
    ),
    "OLD.public_value <> '' OR OLD.sealed_at IS NOT NULL": (
        *("public_value", "public_value_by", "public_value_at"),
    ),
    "OLD.sealed_at IS NOT NULL": ("seed", "count", "sealed_at"),
    "OLD.revealed_at IS NOT NULL": ("revealed_at",),
}
_FINAL = "抽取一经冻结、封存，不能更改、重抽或删除"


def _changed(differs: str, cast: str) -> str:
    """Whether an update changes a locked column; `cast`: PostgreSQL cannot compare JSON itself."""
    return " OR ".join(
        f"({since}) AND ({' OR '.join(_differing(columns, differs, cast))})"
        for since, columns in _LOCKED.items()
    )


def _differing(columns: Sequence[str], differs: str, cast: str) -> Iterator[str]:
    for column in columns:
        kind = cast if column == "public_value_by" else ""
        yield f'OLD."{column}"{kind} {differs} NEW."{column}"{kind}'


SEALED: dict[str, Sequence[str]] = {
    "sqlite": (
        f"CREATE TRIGGER draw_final BEFORE UPDATE ON draw WHEN {_changed('IS NOT', '')} "
        f"BEGIN SELECT RAISE(ABORT, '{_FINAL}'); END",
        f"CREATE TRIGGER draw_kept BEFORE DELETE ON draw "
        f"BEGIN SELECT RAISE(ABORT, '{_FINAL}'); END",
        f"CREATE TRIGGER drawn_subject_final BEFORE UPDATE ON drawn_subject "
        f"BEGIN SELECT RAISE(ABORT, '{_FINAL}'); END",
        f"CREATE TRIGGER drawn_subject_kept BEFORE DELETE ON drawn_subject "
        f"BEGIN SELECT RAISE(ABORT, '{_FINAL}'); END",
        f"CREATE TRIGGER drawn_subject_whole BEFORE INSERT ON drawn_subject "
        f"WHEN (SELECT sealed_at FROM draw WHERE id = NEW.draw_id) IS NOT NULL "
        f"BEGIN SELECT RAISE(ABORT, '{_FINAL}'); END",
    ),
    "postgresql": (
        f"CREATE OR REPLACE FUNCTION draw_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_FINAL}'; END $$",
        f"CREATE TRIGGER draw_final BEFORE UPDATE ON draw FOR EACH ROW "
        f"WHEN ({_changed('IS DISTINCT FROM', '::text')}) EXECUTE FUNCTION draw_refuse()",
        "CREATE TRIGGER draw_kept BEFORE DELETE OR TRUNCATE ON draw "
        "FOR EACH STATEMENT EXECUTE FUNCTION draw_refuse()",
        "CREATE TRIGGER drawn_subject_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON drawn_subject "
        "FOR EACH STATEMENT EXECUTE FUNCTION draw_refuse()",
        f"CREATE OR REPLACE FUNCTION drawn_subject_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF EXISTS (SELECT 1 FROM draw WHERE sealed_at IS NOT NULL "
        f"AND id IN (SELECT draw_id FROM added)) "
        f"THEN RAISE EXCEPTION '{_FINAL}'; END IF; RETURN NULL; END $$",
        "CREATE TRIGGER drawn_subject_whole AFTER INSERT ON drawn_subject "
        "REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION drawn_subject_refuse()",
    ),
}
"""What the database itself refuses, whoever asks: triggers by dialect, to be made in order."""
