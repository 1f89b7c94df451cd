"""Filing: papers rendered and written outside any transaction, then entered in one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.paper import Paper
from models.paper_file import PaperFile
from models.round import Round
from models.settings import settings
from tasks.paper import render, write
from tasks.steps import steps


@dataclass(frozen=True)
class Draft:
    """A paper to be made of an object (`2024-1-D03` or `2024-1-D03/yjglj`) in one version."""

    paper: Paper
    object: str
    version: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What no two papers in the file share."""
        return (self.paper.kind, self.object, self.version)


@dataclass(frozen=True)
class Made:
    """A paper that stands on disk."""

    draft: Draft
    path: str
    sha256: str


def make(round_code: str, drafts: Sequence[Draft]) -> list[Made]:
    """Write the papers below the papers' folder; made again, they replace themselves."""
    made = []
    for draft in steps("制作文书", drafts):
        content = render(draft.paper)
        name = f"{draft.object.replace('/', '-')}-v{draft.version}.docx"
        path = Path(round_code) / draft.paper.kind / name
        write(settings().papers_folder / path, content)
        made.append(Made(draft, str(path), hashlib.sha256(content).hexdigest()))
    return made


def enter(session: Session, round: Round, made: Sequence[Made], made_on: date) -> list[Draft]:
    """Enter papers in the file, in a transaction that holds the round; returns the new ones."""
    known = {
        (kind, object, version)
        for kind, object, version in session.execute(
            select(PaperFile.kind, PaperFile.object, PaperFile.version).where(
                PaperFile.round_id == round.id
            )
        )
    }
    new = [one for one in made if one.draft.key not in known]
    session.add_all(
        PaperFile(
            round_id=round.id,
            kind=one.draft.paper.kind,
            object=one.draft.object,
            version=one.draft.version,
            path=one.path,
            sha256=one.sha256,
            made_on=made_on,
        )
        for one in new
    )
    return [one.draft for one in new]


def filed(session: Session, round: Round, kind: str) -> set[tuple[str, int]]:
    """Object and version of each paper of a kind that the round's file holds."""
    rows = session.execute(
        select(PaperFile.object, PaperFile.version).where(
            PaperFile.round_id == round.id, PaperFile.kind == kind
        )
    )
    return {(object, version) for object, version in rows}
