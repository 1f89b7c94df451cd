"""Draws: one risk grade of one round, committed, frozen, sealed, and one day revealed."""

import json
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Json, Key, Line, Prose
from models.round import Round

DRAW_1 = "draw-1"
EXTERNAL = "外部抽取"


class Draw(Base):
    """A draw (抽取). It holds its secret until the reveal; nothing sealed in it ever changes."""

    __tablename__ = "draw"
    __table_args__ = (UniqueConstraint("round_id", "grade"),)

    id: Mapped[Key]
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    grade: Mapped[Code]
    source: Mapped[Line] = mapped_column(default=DRAW_1)
    secret: Mapped[Code]
    commitment: Mapped[Code]
    committed_at: Mapped[datetime]
    public_value_rule: Mapped[Prose]
    ratio: Mapped[Code | None]  # from the freeze on: what was frozen
    ratio_reason: Mapped[Line] = mapped_column(default="")
    frozen: Mapped[Prose | None]  # the freeze object in its canonical form
    freeze_digest: Mapped[Code | None]
    frozen_at: Mapped[datetime | None]
    public_value: Mapped[Line] = mapped_column(default="")
    public_value_by: Mapped[Json] = mapped_column(default=list)
    seed: Mapped[Code | None]
    pool: Mapped[int] = mapped_column(default=0)
    count: Mapped[int] = mapped_column(default=0)
    sealed_at: Mapped[datetime | None]
    revealed_at: Mapped[datetime | None]

    round: Mapped[Round] = relationship(lazy="joined", innerjoin=True)

    @cached_property
    def freeze(self) -> dict[str, Any]:
        """The freeze object; only for a frozen draw."""
        return dict(json.loads(self.frozen or ""))

    @property
    def code(self) -> str:
        """Names the draw wherever it is spoken of, such as `2024-1-D`."""
        return f"{self.round.code}-{self.grade}"

    @property
    def waits_for_public_value(self) -> bool:
        """Frozen under a rule that asks for a public value not yet entered (待公共值)."""
        return bool(self.frozen_at and self.public_value_rule and not self.public_value)

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


class Replacement(Base):
    """One inspector in place of another (递补, step 8 of the protocol); kept for ever."""

    __tablename__ = "replacement"

    id: Mapped[Key]
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspection.id"), index=True)
    department: Mapped[Code]
    out_certificate: Mapped[Code]
    in_certificate: Mapped[Code]
    reason: Mapped[Prose]
    decided_by: Mapped[Line]
    decided_at: Mapped[datetime]
    direct: Mapped[bool] = mapped_column(default=False)
