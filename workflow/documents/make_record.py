"""Makes the template of records of one case (docx), as an office gets it before it changes anything:

    python -m workflow.documents.make_record [FILE]

The same program gives the same bytes.
"""

import io
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import Table

from workflow.documents.declared import SHIPPED
from workflow.documents.make_template import same_bytes

NAME = "papers/record.docx"
FACE = "ＭＳ 明朝"
HEAVY = "ＭＳ ゴシック"
MADE = datetime(2026, 4, 1)  # noqa: DTZ001 - Word's properties know no zone


def make() -> bytes:
    """The template as bytes: title, facts, then every section with its paragraphs and its table."""
    book = Document()
    page = book.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = Mm(25)
    page.top_margin = page.bottom_margin = Mm(22)
    normal = book.styles["Normal"]
    normal.font.name, normal.font.size = FACE, Pt(10.5)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), FACE)
    normal.paragraph_format.space_after = Pt(2)
    _line(book, "{{ paper.title }}", size=15, bold=True).alignment = WD_ALIGN_PARAGRAPH.CENTER
    _line(book, "{{ office }} {{ made_on }}", size=9.5).alignment = WD_ALIGN_PARAGRAPH.RIGHT
    facts = book.add_table(rows=3, cols=2)
    _rows(facts, ("{%tr for label, text in paper.head %}", "{{ label }}|{{ text }}", "{%tr endfor %}"), (30, 130))
    _line(book, "{%p for section in paper.sections %}")
    heading = _line(book, "{{ loop.index }} {{ section.heading }}", size=11.5, bold=True)
    heading.paragraph_format.space_before, heading.paragraph_format.keep_with_next = Pt(10), True
    _line(book, "{%p for line in section.lines %}")
    _line(book, "{{ line }}").paragraph_format.left_indent = Mm(5)
    _line(book, "{%p endfor %}")
    _line(book, "{%p if section.rows %}")
    table = book.add_table(rows=4, cols=3)
    head, body = (("{%tc for name in section.columns %}", "{{ name }}", "{%tc endfor %}"), ("{%tc for cell in row %}", "{{ cell }}", "{%tc endfor %}"))  # fmt: skip
    for row, cells in ((0, head), (2, body)):
        for place, text in enumerate(cells):
            paragraph = _write(table.rows[row].cells[place].paragraphs[0], text, 9.5, bold=row == 0)
            paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
    _write(table.rows[1].cells[0].paragraphs[0], "{%tr for row in section.rows %}", 9.5)
    _write(table.rows[3].cells[0].paragraphs[0], "{%tr endfor %}", 9.5)
    table.style = book.styles["Table Grid"]
    _mark(table, 0, "w:tblHeader")  # on every page that the table reaches
    _mark(table, 2, "w:cantSplit")
    _line(book, "{%p endif %}")
    _line(book, "{%p endfor %}")
    _line(book, "{{ paper.foot }}", size=9)
    book.core_properties.author = "Tobidashi"
    book.core_properties.created = book.core_properties.modified = MADE
    written = io.BytesIO()
    book.save(written)
    return same_bytes(written.getvalue())


def _mark(table: Table, row: int, name: str) -> None:
    table.rows[row]._tr.get_or_add_trPr().append(OxmlElement(name))


def _line(book: Any, text: str, *, size: float = 10.5, bold: bool = False) -> Any:
    return _write(book.add_paragraph(), text, size, bold=bold)


def _write(paragraph: Any, text: str, size: float, *, bold: bool = False) -> Any:
    run = paragraph.add_run(text)
    run.font.size, run.font.bold = Pt(size), bold
    face = HEAVY if bold else FACE
    run.font.name = face
    run._element.rPr.rFonts.set(qn("w:eastAsia"), face)
    return paragraph


def _rows(table: Table, lines: tuple[str, ...], widths: tuple[int, ...]) -> None:
    table.autofit = False
    for row, text in zip(table.rows, lines, strict=True):
        for cell, words, width in zip(row.cells, [*text.split("|"), ""], widths, strict=False):
            cell.width = Mm(width)
            _write(cell.paragraphs[0], words, 10.5, bold=words == "{{ label }}")


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED / NAME
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(make())
