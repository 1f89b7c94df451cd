"""Publication: one record per department and inspection, in the shape of the national system."""

from datetime import date, datetime
from typing import Any

from pydantic import Field
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json, Key, Line
from models.entry import Entry
from models.plan import Plan


class Publication(Base):
    """The publication (公示) of one department's results. Entered (录入) is not yet published."""

    __tablename__ = "publication"

    id: Mapped[Key]
    record_id: Mapped[int] = mapped_column(ForeignKey("department_record.id"), unique=True)
    content: Mapped[Json]
    version: Mapped[int]  # of the record that it shows, and
    ended_on: Mapped[date]  # the inspection's end that it shows
    prepared_on: Mapped[date]
    entered_on: Mapped[date | None]
    published_on: Mapped[date | None]
    entered_by: Mapped[Line] = mapped_column(default="")
    entered_at: Mapped[datetime | None]


class PublicationEntry(Entry):
    """A department's word that its results are entered (录入) and, apart, public (公示)."""

    inspection: str = Field(alias="检查编号", min_length=1)
    department: str = Field(alias="部门", min_length=1)
    entered_on: date = Field(alias="录入日期")
    published_on: str = Field(alias="公示日期", default="")
    entered_by: str = Field(alias="录入人", min_length=1)


def national_record(
    plan: Plan,
    *,
    round_number: int,
    department: str,
    subject_name: str,
    subject_code: str,
    ended_on: date,
    results: list[dict[str, Any]],
) -> dict[str, Any]:
    """The record of one authority and inspection as the national system names its fields.

    The eight fields are those read off the national platform, `raninsPlaneName` spelt so; whom it
    is about stands beside them as `entName` and `uniscid`.
    """
    items = {item.code: item.name for item in plan.items}
    return {
        "raninsPlanId": plan.number,
        "raninsPlaneName": plan.title,
        "raninsTaskId": plan.task_number(round_number),
        "raninsTaskName": f"{plan.subjects}“双随机、一公开”部门联合检查（第{round_number}轮）",
        "raninsTypeName": plan.type_name,
        "insAuth": plan.full_name(department),
        "insDate": ended_on.isoformat(),
        "entName": subject_name,
        "uniscid": subject_code,
        "details": [
            {
                "seqno": number,
                "raninsItemName": items[result["item"]],
                "raninsCheckResName": plan.result(result["result"]).text,
            }
            for number, result in enumerate(results, start=1)
        ],
    }
