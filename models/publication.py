"""Publication: one record per department and inspection, in the shape of the national system."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic import Field
from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Json, Key, Line, Prose
from models.entry import Entry, EntryRefused
from models.plan import Plan


class PublicationVersion(Base):
    """One content that was prepared for publication (公示版本), why, and when it was public.

    Content stays as it was; `published_on` is None for one that was corrected before it was public.
    """

    __tablename__ = "publication_version"
    __table_args__ = (UniqueConstraint("publication_id", "number"),)

    id: Mapped[Key]
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"))
    number: Mapped[int]
    content: Mapped[Json]
    prepared_on: Mapped[date]
    reason: Mapped[Prose] = mapped_column(default="")  # of the correction that called for it
    published_on: Mapped[date | None]


class Publication(Base):
    """The publication (公示) of one department's results. Entered (录入) is not yet published.

    `content` is what is to be public now. `published_on` is the first day on which any version of
    it was: a correction does not move it.
    """

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

    versions: Mapped[list[PublicationVersion]] = relationship(
        lazy="selectin", order_by=PublicationVersion.number
    )

    def prepare(self, content: dict[str, Any], on: date, reason: str) -> None:
        """Let `content` be what is to be public from now on; the same again is no new version."""
        self.content, self.prepared_on = content, on
        if not self.versions or self.versions[-1].content != content:
            number = len(self.versions) + 1
            self.versions.append(
                PublicationVersion(number=number, content=content, prepared_on=on, reason=reason)
            )

    def republications(self) -> list[tuple[date, date | None]]:
        """For each correction of what was public: its day, and that of its publication, if any.

        One corrected again before it was public is counted from the first correction.
        """
        found: list[tuple[date, date | None]] = []
        public: PublicationVersion | None = None
        since: date | None = None
        for version in self.versions:
            if public is not None:
                since = None if version.content == public.content else since or version.prepared_on
            if version.published_on is not None:
                if since is not None:
                    found.append((since, version.published_on))
                public, since = version, None
        return [*found, (since, None)] if since else found


class PublicationEntry(Entry):
    """A department's word that its results are entered (录入) and, apart, public (公示)."""

    inspection: str = Field(alias="检查编号", min_length=1, description="如 2024-1-D03")
    department: str = Field(alias="部门", min_length=1)
    entered_on: date = Field(alias="录入日期", description="录入平台的日期")
    published_on: str = Field(
        alias="公示日期", default="", description="如 2024-08-02；还没有公示的留空"
    )
    entered_by: str = Field(alias="录入人", min_length=1)
    correction: str = Field(alias="更正理由", default="")


def publish(publication: Publication, published_on: date, correction: str) -> None:
    """Let the content that was prepared by that day be public from that day on.

    What was public before stays. EntryRefused where a day that was entered before is changed, or
    an earlier one added, without the reason of the correction.
    """
    prepared = [one for one in publication.versions if one.prepared_on <= published_on]
    version = prepared[-1] if prepared else publication.versions[0]
    if version.published_on == published_on:
        return
    public = [one.published_on for one in publication.versions if one.published_on is not None]
    if public and (version.published_on or published_on < max(public)) and not correction:
        raise EntryRefused(f"已于 {max(public)} 公示；更正公示日期须写明更正理由")
    version.published_on = published_on
    publication.published_on = min(
        one.published_on for one in publication.versions if one.published_on is not None
    )


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


_REFUSAL = "公示内容的各个版本永久保存，不能更改或删除"
_CHANGED = " OR ".join(
    f"OLD.{column} {{differs}} NEW.{column}"
    for column in ("publication_id", "number", "prepared_on")
)
KEPT: dict[str, Sequence[str]] = {
    "sqlite": (
        "CREATE TRIGGER publication_version_final BEFORE UPDATE ON publication_version "
        f"WHEN {_CHANGED.format(differs='IS NOT')} OR OLD.content IS NOT NEW.content "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
        "CREATE TRIGGER publication_version_kept BEFORE DELETE ON publication_version "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION publication_version_refuse() RETURNS trigger "
        f"LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        "CREATE TRIGGER publication_version_final BEFORE UPDATE ON publication_version "
        f"FOR EACH ROW WHEN ({_CHANGED.format(differs='IS DISTINCT FROM')} "
        "OR OLD.content::text IS DISTINCT FROM NEW.content::text) "
        "EXECUTE FUNCTION publication_version_refuse()",
        "CREATE TRIGGER publication_version_kept BEFORE DELETE OR TRUNCATE ON publication_version "
        "FOR EACH STATEMENT EXECUTE FUNCTION publication_version_refuse()",
    ),
}
"""Triggers by dialect, to be made in order."""
