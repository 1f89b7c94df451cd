"""Draw certificates: one page a draw, among the office's own papers."""

from datetime import datetime
from io import BytesIO
from typing import Any

from docx import Document
from sqlalchemy import select

from models.base import SHANGHAI
from models.database import reading
from models.draw import Draw
from models.inspection import Inspection
from models.paper_file import PaperFile
from tasks.certificate import prepare_certificates

AT = datetime(2024, 6, 25, 10, tzinfo=SHANGHAI)


def words(content: bytes) -> str:
    document = Document(BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def test_each_sealed_draw_gets_one_certificate_that_names_the_drawn(drawn: Any) -> None:
    assert prepare_certificates("2024-1", AT) == 4
    assert prepare_certificates("2024-1", AT) == 0
    with reading() as session:
        draw = session.scalars(select(Draw).where(Draw.grade == "D", Draw.round_id == 1)).one()
        codes = session.scalars(
            select(Inspection.subject_code).where(Inspection.draw_id == draw.id)
        ).all()
        files = session.scalars(select(PaperFile).order_by(PaperFile.object)).all()
    assert [file.object for file in files] == [f"2024-1-{grade}" for grade in "ABCD"]
    content = (drawn.home / "papers" / files[-1].path).read_bytes()
    said = words(content)
    for text in (draw.freeze_digest, draw.commitment, "29户", "20%", "6户", "应急局负责人", *codes):
        assert text in said
    assert "2024年6月25日9时00分" in said
    assert [
        part.content_type for part in Document(BytesIO(content)).part.package.iter_parts()
    ].count("image/png") == 1


def test_nothing_is_filed_before_the_seal(office: Any) -> None:
    assert prepare_certificates("2024-1", AT) == 0
    assert office.files() == {}


def test_the_certificates_and_the_rotation_stay_among_the_papers(drawn: Any) -> None:
    prepare_certificates("2024-1", AT)
    names = sorted(drawn.files())
    assert all(name.startswith("papers/2024-1/") for name in names)
    assert "papers/2024-1/轮换情况.csv" in names
    assert len(names) == 5
