"""Papers as files: a Word template of tasks/papers/ filled in through docxtpl, saved in one step.

The office may change every template in Word. What stands in it: `{{ number }}`, named after the
fields of the paper's model; `{{ issued_on|day }}` and `{{ served_at|moment }}`, Chinese dates;
`{{ "书面"|tick(manner) }}`, a box to tick; `{{ qr(freeze_digest) }}`, a QR code.
"""

import os
from collections.abc import Collection, Hashable
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

import segno
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from jinja2 import Environment, StrictUndefined, Template, TemplateError
from jinja2.nodes import Template as Tree
from markupsafe import Markup, escape

from models.paper import LISTED_ON_CERTIFICATE, Paper, chinese_day, chinese_moment

TEMPLATES = Path(__file__).with_name("papers")
EPOCH = datetime(1980, 1, 1, tzinfo=UTC)
"""The date of everything inside a file (the earliest a zip can say): equal papers, equal bytes."""


class TemplateBroken(Exception):
    """A template of tasks/papers/ is missing or was edited so that it cannot be filled in."""


def render(paper: Paper) -> bytes:
    """The paper as a .docx file; equal papers give equal bytes.

    Every text is printed as it stands, `<`, `&` and `{{ }}` included. Raises TemplateBroken, with
    one Chinese line, where the template asks for what the paper does not have.
    """
    source = TEMPLATES / f"{paper.kind}.docx"
    try:
        template = DocxTemplate(BytesIO(source.read_bytes()))
        template.render(dict(paper) | {"qr": partial(_qr, template)}, _ENVIRONMENT)
    except (OSError, BadZipFile, TemplateError, AttributeError, TypeError) as error:
        raise TemplateBroken(f"文书模板 {source.name} 无法填写：{error}") from error
    properties = template.docx.core_properties
    properties.title = paper.kind
    properties.author = properties.last_modified_by = ""
    properties.created = properties.modified = EPOCH
    saved = BytesIO()
    template.save(saved)
    return _without_clock(saved)


def write(path: Path, content: bytes) -> None:
    """Save `content` as `path`, wholly or not at all, also when the power fails halfway.

    Folders are made as needed; an older file of that name is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid4().hex}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:  # The new name, too, is to survive a power cut.
        os.fsync(folder)
    finally:
        os.close(folder)


class _Environment(Environment):
    """Compiles each template once: docxtpl would do it for each paper, two thirds of its time."""

    def __init__(self) -> None:
        super().__init__(autoescape=True, undefined=StrictUndefined, finalize=_verbatim)
        self.globals.update(listed=LISTED_ON_CERTIFICATE)
        self.filters.update(day=chinese_day, moment=chinese_moment, tick=_tick)
        self.compiled: dict[Hashable, Template] = {}

    def from_string(self, source: str | Tree, *_: Any, **__: Any) -> Template:
        if source not in self.compiled:
            self.compiled[source] = super().from_string(source)
        return self.compiled[source]


def _qr(template: DocxTemplate, text: str) -> InlineImage:
    image = BytesIO()
    segno.make_qr(text, error="m").save(image, kind="png", scale=6)
    return InlineImage(template, image, width=Mm(30))


def _verbatim(value: object) -> object:
    # docxtpl turns `{_{` in what was filled in into `{{`: hide the braces from it.
    if isinstance(value, str) and not isinstance(value, Markup):
        return Markup(str(escape(value)).replace("{", "&#123;").replace("}", "&#125;"))
    return value


def _tick(option: str, chosen: str | Collection[str] | None) -> str:
    ticked = option == chosen if isinstance(chosen, str) else option in (chosen or ())
    return ("☑" if ticked else "□") + option


_ENVIRONMENT = _Environment()


def _without_clock(docx: BytesIO) -> bytes:
    """The same zip, its entries in a fixed order and all of one date."""
    fixed = BytesIO()
    with ZipFile(docx) as source, ZipFile(fixed, "w") as target:
        for name in sorted(source.namelist()):  # [Content_Types].xml sorts first, as readers like
            entry = ZipInfo(name, EPOCH.timetuple()[:6])
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = 3  # or the file would tell the operating system it was made on
            target.writestr(entry, source.read(name))
    return fixed.getvalue()
