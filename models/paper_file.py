"""Papers that were made: which, of what, in which version, and where."""

from datetime import date

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Key, Line


class PaperFile(Base):
    """A paper (文书) in the file, by kind, object (`2024-1-D03` or `2024-1-D03/yjglj`), version."""

    __tablename__ = "paper_file"
    __table_args__ = (UniqueConstraint("kind", "object", "version"),)

    id: Mapped[Key]
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    kind: Mapped[Code]
    object: Mapped[Code]
    version: Mapped[int]
    path: Mapped[Line]  # below Settings.papers_folder
    sha256: Mapped[Code]
    made_on: Mapped[date]
