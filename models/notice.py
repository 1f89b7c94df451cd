"""Notices to subjects and the record that each was served."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Line, Prose
from models.entry import Entry

Manner = Literal["书面", "电话", "传真", "电子"]


class Notice(Base):
    """A notice of inspection (告知书) that was issued, and its service (送达) once served.

    `version` is the team's that it names: it is made again when somebody else takes a place.
    """

    __tablename__ = "notice"

    id: Mapped[Key]
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspection.id"), unique=True)
    number: Mapped[Line] = mapped_column(unique=True)
    issued_on: Mapped[date]
    version: Mapped[int] = mapped_column(default=1)
    served_on: Mapped[date | None]
    manner: Mapped[Code] = mapped_column(default="")
    served_by: Mapped[Line] = mapped_column(default="")
    received_by: Mapped[Line] = mapped_column(default="")
    place: Mapped[Line] = mapped_column(default="")
    note: Mapped[Prose] = mapped_column(default="")
    entered_at: Mapped[datetime | None]
    entered_by: Mapped[Line] = mapped_column(default="")


_NOT_SHOWN = "提交后不在界面显示；退回补正的须重填"


class ServiceEntry(Entry):
    """How one notice was served: manner, day, by whom, to whom (送达回执)."""

    inspection: str = Field(alias="检查编号", min_length=1, description="如 2024-1-D03")
    manner: Manner = Field(alias="送达方式")
    served_on: date = Field(alias="送达日期")
    served_by: str = Field(alias="送达人", min_length=1)
    received_by: str = Field(alias="签收人或接听人", min_length=1, description=_NOT_SHOWN)
    place: str = Field(alias="送达地点", default="", description=_NOT_SHOWN)
    note: str = Field(alias="备注", default="", description=_NOT_SHOWN)
