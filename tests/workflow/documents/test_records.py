"""Records of one case: a text and a table that hold what was composed, whatever stands in it."""

import io
from datetime import date
from pathlib import Path

import pytest
from docx import Document
from openpyxl import load_workbook

from states.documents import Section, Subject, Written
from states.places import Directory
from workflow.documents import declared, make_record, records
from workflow.documents.declared import DocumentProblem

HOSTILE = "{{ 7*7 }} <b>太字</b> & \u202e右から"
ROWS = (("1", "保護者", HOSTILE, "=1+1"), ("2", "髙﨑・𠮷川（仮名）", "長い" * 300, ""))
WRITTEN = Written(
    "みなみふらのラウンドテーブルミーティング 実施結果報告書", (("日時", "令和5年7月11日(火)"), ("テーマ", "足\n通学")),
    (Section("出席者", ("道側: 振興局長",)), Section("主な意見", (), ("番号", "だれ", "内容", "局の発言"), ROWS, (8, 20, 60, 40)), Section("所感")), "作成 地域政策課",
)  # fmt: skip
SUBJECT = Subject("上川-円卓-R5-001", "", {}, (), "上川総合振興局", "北海道", date(2026, 11, 23), Directory.from_csv())


def test_a_text_says_what_was_composed_and_nothing_runs_in_it() -> None:
    book = Document(io.BytesIO(records.text(WRITTEN, SUBJECT)))
    lines = [line.text for line in book.paragraphs]
    assert lines[0] == WRITTEN.title
    assert "北海道上川総合振興局 令和8年11月23日" in lines
    assert [line for line in lines if line[:1].isdigit()] == ["1 出席者", "2 主な意見", "3 所感"]
    facts, said = book.tables
    assert [cell.text for cell in facts.rows[0].cells] == ["日時", "令和5年7月11日(火)"]
    assert [cell.text for cell in said.rows[1].cells][2] == "{{ 7*7 }} <b>太字</b> & ⟦U+202E⟧右から"
    assert [cell.text for cell in said.rows[2].cells][1] == "髙﨑・𠮷川（仮名）"
    assert not any("{%" in cell.text for table in book.tables for row in table.rows for cell in row.cells)


def test_a_table_holds_texts_that_stay_texts() -> None:
    book = load_workbook(io.BytesIO(records.table(WRITTEN, SUBJECT)))
    (sheet,) = book.worksheets
    assert sheet.title == "主な意見"
    assert [cell.value for cell in sheet[4]] == ["番号", "だれ", "内容", "局の発言"]
    assert (sheet["D5"].value, sheet["D5"].data_type) == ("=1+1", "s")
    assert sheet["B6"].value == "髙﨑・𠮷川（仮名）"


def test_the_shipped_template_is_what_the_program_makes() -> None:
    assert (declared.SHIPPED / records.TEMPLATE).read_bytes() == make_record.make()


def test_a_template_of_an_office_that_breaks_or_reaches_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in ("{{ nobody_knows }}", "{{ ''.__class__.__mro__ }}", "{% for x in %}"):
        book = Document()
        book.add_paragraph(words)
        book.save(str(tmp_path / "record.docx"))
        monkeypatch.setattr(declared, "template_path", lambda name: tmp_path / "record.docx")
        with pytest.raises(DocumentProblem, match=r"record\.docx"):
            records.text(WRITTEN, SUBJECT)
