"""The workbook as a reader finds it: cells read back, figures that agree on every sheet, text that stays text."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from states.text import visible
from tests.factory import drive, opened
from tests.workflow.documents.year import Bureau
from workflow import reports
from workflow.documents import make_template
from workflow.documents.cells import LONGEST, put, stored
from workflow.documents.declared import SHIPPED, DocumentProblem, report
from workflow.documents.declared import reports as reports_declared
from workflow.erase import erase
from workflow.settings import settings

KEYS = ("dispatch", "year-end")


def compiled(bureau: Bureau, year: int, office: str = "hk-kamikawa") -> tuple[Workbook, dict[str, Any]]:
    data, summary = reports.year_end(bureau.conn, *KEYS, office, year)
    return openpyxl.load_workbook(io.BytesIO(data)), summary


def named(book: Workbook, name: str) -> Any:
    """What stands in a named cell."""
    ((sheet, area),) = book.defined_names[name].destinations
    return book[sheet][area.split(":")[0].replace("$", "")].value


def table(book: Workbook, sheet: str, name: str = "") -> list[dict[str, Any]]:
    """Rows of a sheet for machines, or of a named row, by heading."""
    if not name:
        first, *rows = book[sheet].iter_rows(values_only=True)
        return [dict(zip(map(str, first), row, strict=True)) for row in rows]
    ((_, area),) = book.defined_names[name].destinations
    cells = book[sheet][area.replace("$", "")]
    head = [str(book[sheet].cell(cells[0][0].row - 1, cell.column).value) for cell in cells[0]]
    return [dict(zip(head, [cell.value for cell in row], strict=True)) for row in cells]


FORM = "様式第2号"


def test_a_dispatch_over_31_march_stands_in_both_years_with_its_days_split(bureau: Bureau) -> None:
    bureau.reported(bureau.crossing())
    for year, new, expected in ((2024, 1, [2, 1]), (2025, 0, [2, 2])):
        book, summary = compiled(bureau, year)
        rows = table(book, "データ")
        assert [row["延べ人日[人日]"] for row in rows] == expected
        assert (named(book, "count"), named(book, "count_continued")) == (new, 1 - new)
        assert (sum(row["件数[件]"] for row in rows), sum(row["継続[件]"] for row in rows)) == (new, 1 - new)
        assert (named(book, "persons"), named(book, "person_days"), named(book, "expected_days")) == (
            2,
            sum(expected),
            0,
        )
        assert summary["figures"]["person_days"] == sum(expected)
        (line,) = table(book, FORM, "lines")
        assert line["延べ人日[人日]"] == sum(expected)
        assert line["実人数[人]"] == 2
        assert ("新規" if new else "継続") in line["区分・対象業務"]
        assert "年度をまたぐ" in line["備考"]
    assert (rows[0]["派遣期間(自)"], rows[0]["派遣期間(至)"]) == ("2025-04-01", "2025-04-11")
    assert (rows[0]["全期間(自)"], rows[0]["全期間(至)"]) == ("2025-03-24", "2025-04-11")
    assert named(compiled(bureau, 2026)[0], "count") == 0


def test_decided_before_april_and_gone_after_it_is_new_in_the_year_of_its_first_day(bureau: Bureau) -> None:
    case_id = bureau.decided("2025-03-03", ["2025-04-10"], period=("2025-04-10", "2025-04-11"))
    bureau.ended(bureau.begun(case_id, "2025-04-10"), "2025-04-12")
    assert compiled(bureau, 2024)[1]["figures"]["count"] == 0
    assert compiled(bureau, 2025)[1]["figures"]["count"] == 1


@pytest.fixture
def full_year(bureau: Bureau) -> Bureau:
    """Two finished cases with the same person, one under way with days to come, and one of each that is not counted."""
    bureau.reported(bureau.crossing())
    second = bureau.decided(
        "2025-05-07", ["2025-06-02〜2025-06-03"], period=("2025-06-02", "2025-06-03"), ground="request.other"
    )
    bureau.ended(bureau.begun(second, "2025-06-02"), "2025-06-04")
    withdrawn = bureau.decided("2025-06-10", ["2025-07-01"], period=("2025-07-01", "2025-07-02"), title="取り下げる件")
    drive(bureau.conn, bureau.who, withdrawn, "withdraw")
    declined = opened(bureau.conn, bureau.who, title="派遣しない件")
    drive(bureau.conn, bureau.who, declined, "submit", "receive", "propose_team", "put_to_director", "decline")
    not_accepted = opened(bureau.conn, bureau.who, title="宛先の違う件")
    refusal = {"ground": "wrong_addressee", "reason": "宛先が違うため。"}
    drive(bureau.conn, bureau.who, not_accepted, "submit", ("not_accept", {"inputs": refusal}))
    waiting = ["2025-09-01〜2025-09-02", "2025-09-02"]
    bureau.decided("2025-07-01", waiting, period=("2025-09-01", "2025-09-03"), title="これから行く件")
    third = bureau.decided("2025-07-01", ["2025-07-14〜2025-07-18", "2025-07-14"], period=("2025-07-14", "2025-07-18"))
    bureau.begun(third, "2025-07-14")
    bureau.on("2025-07-15")
    return bureau


def test_figures_agree_on_every_sheet(full_year: Bureau) -> None:
    book, summary = compiled(full_year, 2025)
    rows, lines = table(book, "データ"), table(book, FORM, "lines")
    assert len(lines) == len({row["番号"] for row in rows}) == 3
    assert named(book, "count") == sum(row["件数[件]"] for row in rows) == 2
    assert named(book, "count_continued") == sum(row["継続[件]"] for row in rows) == 1
    assert (
        named(book, "persons")
        == sum(row["実人数[人]"] for row in rows)
        == len({row["派遣職員番号"] for row in rows})
        == 2
    )
    days = sum(row["延べ人日[人日]"] for row in rows)
    assert named(book, "person_days") == days == sum(line["延べ人日[人日]"] for line in lines) == 4 + 2 + 6
    assert named(book, "expected_days") == sum(row["うち見込み[人日]"] for row in rows) == 3
    for name in ("offices", "origins", "kinds"):
        *parts, total = table(book, "総括", name)
        for heading in ("件数[件]", "ほかに継続[件]", "延べ人日[人日]", "うち見込み[人日]"):
            assert sum(part[heading] for part in parts) == total[heading]
        assert total["実人数[人]"] == 2
    for name, heading in (("kinds", "対象業務の区分"), ("origins", "契機")):
        assert {part[heading]: part["件数[件]"] for part in table(book, "総括", name)[:-1]} == {
            label: figures["count"] for label, figures in summary[f"by_{name}"].items()
        }
    under_way = next(line for line in lines if "見込み" in (line["備考"] or ""))
    assert "見込み 3人日" in under_way["備考"]
    assert [row["復命の提出"] for row in rows if row["状態"] == "報告待ち"] == ["未"]


def test_what_was_not_dispatched_is_listed_apart_and_not_counted(full_year: Bureau) -> None:
    book, summary = compiled(full_year, 2025)
    apart = {row["業務名"]: row for row in table(book, "数えなかった案件", "apart")}
    assert {title: row["数えない訳"] for title, row in apart.items()} == {
        "取り下げる件": "取下げ", "宛先の違う件": "不受理", "派遣しない件": "派遣しない", "これから行く件": "派遣準備中",
    }  # fmt: skip
    assert apart["これから行く件"]["予定[人日]"] == 3
    counts = {row["数えない訳"]: row["件数[件]"] for row in table(book, "数えなかった案件", "reasons")}
    assert counts == summary["not_counted"] == {
        "取下げ": 1, "不受理": 1, "派遣しない": 1, "中止": 0, "行った日なし": 0, "派遣準備中": 1, "変更の判断中": 0, "変更の協議中": 0,
    }  # fmt: skip
    assert all("これから" not in str(line["業務名・業務概要"]) for line in table(book, FORM, "lines"))
    assert sum(compiled(full_year, 2024)[1]["not_counted"].values()) == 0


def test_all_offices_together(full_year: Bureau) -> None:
    book, summary = compiled(full_year, 2025, "all")
    *offices, total = table(book, "総括", "offices")
    assert len(offices) == 14
    assert {row["振興局"]: row["件数[件]"] for row in offices if row["件数[件]"]} == {"上川総合振興局": 2}
    assert total["件数[件]"] == summary["figures"]["count"] == 2
    assert book.sheetnames[0] == "総括"  # headquarters reads it first
    with pytest.raises(DocumentProblem, match="hk-nowhere"):
        compiled(full_year, 2025, "hk-nowhere")


def test_the_sheet_for_machines_keeps_its_rules(full_year: Bureau) -> None:
    book, _ = compiled(full_year, 2025)
    sheet = book["データ"]
    assert not sheet.merged_cells.ranges
    assert not any(row.hidden for row in sheet.row_dimensions.values())
    assert [cell.value for cell in sheet[1]] == [column.heading for column in report(*KEYS)[1].data]
    for row in table(book, "データ"):
        assert row["派遣先市町村コード"] == "014591"
        assert isinstance(row["派遣先市町村コード"], str)
        assert isinstance(row["延べ人日[人日]"], int)
        assert row["派遣先団体名"] is None  # blank, not "" and not "None"
        assert row["年度"] == 2025
    assert {row["項目"] for row in table(book, "データの説明")} >= {"件数", "実人数", "延べ人日", "件数[件]"}
    assert all(cell.value != "None" for sheet in book.worksheets for row in sheet.iter_rows() for cell in row)


def test_the_form_prints_on_one_width_of_a4_with_its_headings_on_every_page(full_year: Bureau) -> None:
    sheet: Worksheet = compiled(full_year, 2025)[0][FORM]
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.sheet_properties.pageSetUpPr is not None
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.print_title_rows == "$9:$9"
    assert sheet.HeaderFooter.oddFooter.center.text == "&P / &N"  # type: ignore[union-attr]
    assert sheet.HeaderFooter.oddHeader.right.text == "令和7年度 上川総合振興局"  # type: ignore[union-attr]
    assert sheet["A1"].value == "別記様式第2号"
    assert len([cell for cell in sheet[9] if cell.value]) == 10
    for row in range(10, 13):
        assert sheet.row_dimensions[row].height
        for column in range(1, 11):
            assert sheet.cell(row, column).border.left.style == "thin"


def test_definitions_stand_on_the_form(bureau: Bureau) -> None:
    text = named(compiled(bureau, 2025)[0], "definitions")
    assert all(word in text for word in ("件数", "継続", "実人数", "延べ人日", "見込み", "3月31日"))


def test_a_year_without_a_dispatch_says_so(bureau: Bureau) -> None:
    book, _ = compiled(bureau, 2023)
    (line,) = table(book, FORM, "lines")
    assert line["番号"] == "該当なし"
    assert table(book, "データ") == []
    assert named(book, "person_days") == 0


# ── text stays text ─────────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = [
    '=HYPERLINK("http://example.invalid","押す")', "+81", "-5度", "@SUM(1+1)*cmd|' /C calc'!A0", "\t=1+1", "#N/A", "=", "＝全角",
    "=1+1\n=2+2", "'=1", "_x000D_の字", "1e5", "TRUE", "2026-04-01", "髙橋﨑𠮷辻󠄀", "\u202e逆向き", "👨‍👩‍👧‍👦 家族", "﷽", "a\u200bb",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_formula(text: str) -> None:
    book = Workbook()
    put(book.worksheets[0]["A1"], text)
    data = io.BytesIO()
    book.save(data)
    with zipfile.ZipFile(data) as parts:
        assert b"<f" not in parts.read("xl/worksheets/sheet1.xml")
    cell = openpyxl.load_workbook(data).worksheets[0]["A1"]
    assert cell.data_type == "s"
    assert cell.value == visible(text).replace("_x000D_", "_x005F_x000D_")
    assert cell.quotePrefix == text.startswith(("=", "+", "-", "@", "\t"))


def test_a_case_full_of_hostile_text_becomes_a_workbook_without_formulas(bureau: Bureau) -> None:
    title, purpose = '=HYPERLINK("http://example.invalid")', "@SUM(1+1)*cmd\n\t=1+1 で始まる行"
    case_id = bureau.decided(
        "2025-05-07", ["2025-06-02"], period=("2025-06-02", "2025-06-02"), title=title, purpose=purpose,
        tasks=[{"text": "=1+1 _x000D_", "role": "advice"}], source="+81 から", contact={"name": "-髙﨑𠮷", "department": "@課"},
    )  # fmt: skip
    bureau.ended(bureau.begun(case_id, "2025-06-02"), "2025-06-03")
    long = "=" + "あ" * 11_000
    bureau.reported(case_id, result={"results": long, "issues": "改行\r\nあり", "follow_up": "#REF!"})
    data, _ = reports.year_end(bureau.conn, *KEYS, "hk-kamikawa", 2025)
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        for name in parts.namelist():
            assert b"<f>" not in parts.read(name)
            assert not name.startswith(("xl/externalLinks", "xl/vba"))
    book = openpyxl.load_workbook(io.BytesIO(data))
    (row,) = table(book, "データ")
    assert row["業務名"] == title
    assert row["成果"] == long
    assert row["今後の対応"] == "#REF!"
    assert row["課題"] == "改行\nあり"
    assert row["きっかけ"] == "+81 から"
    for sheet in book.worksheets:
        assert all(cell.data_type in ("s", "n") for cells in sheet.iter_rows() for cell in cells)
    (line,) = table(book, FORM, "lines")
    assert line["業務名・業務概要"] == f"{title}\n=1+1 _x005F_x000D_"  # as stored: it is read as _x000D_ by Excel
    assert "全文は「データ」のシート" in line["成果・課題・今後の対応"]
    assert book[FORM].row_dimensions[10].height == pytest.approx(409, abs=20)


def test_a_text_longer_than_a_cell_is_cut_with_a_mark() -> None:
    cut = stored("𠮷" * 20_000)
    assert len(cut.encode("utf-16-le")) // 2 <= LONGEST
    assert cut.endswith("ここまで)")
    assert stored("あ" * LONGEST) == "あ" * LONGEST


def test_an_erased_part_is_shown_as_erased(bureau: Bureau) -> None:
    case_id = bureau.reported(bureau.crossing())
    row = bureau.conn.execute(
        "SELECT seq, ord FROM content WHERE case_id = %s AND kind = 'form:result'", (case_id,)
    ).fetchall()
    seq = erase(bureau.db, bureau.who.records, case_id, row, ground="誤って入った")
    book, _ = compiled(bureau, 2025)
    assert table(book, "データ")[0]["成果"] == f"消去済み(記録{seq}号)"
    assert table(book, FORM, "lines")[0]["成果・課題・今後の対応"] == f"消去済み(記録{seq}号)"
    assert "結果報告 未提出" not in str(table(book, FORM, "lines")[0]["備考"])


# ── a template that an office replaced ──────────────────────────────────────────────────────────────────────────────


def test_the_shipped_template_is_what_its_program_makes() -> None:
    found = list(reports_declared())
    assert found
    for _, declared in found:
        assert parts((SHIPPED / declared.template).read_bytes()) == parts(make_template.make(declared))


def parts(book: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(book)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Workbook], None]], None]:
    """Change the template as an office does, in its data directory."""
    monkeypatch.setenv("TOBIDASHI_DATA", str(tmp_path))
    settings.cache_clear()

    def change(edit: Callable[[Workbook], None]) -> None:
        book = openpyxl.load_workbook(SHIPPED / "dispatch/year_end.xlsx")
        edit(book)
        path = tmp_path / "templates/dispatch/year_end.xlsx"
        path.parent.mkdir(parents=True)
        book.save(path)

    return change


@pytest.fixture(autouse=True)
def settings_anew() -> Any:
    yield
    settings.cache_clear()


def test_an_office_may_move_names_and_columns(full_year: Bureau, own: Any) -> None:
    def edit(book: Workbook) -> None:
        sheet = book[FORM]
        sheet["C10"], sheet["B10"] = sheet["B10"].value, sheet["C10"].value
        sheet["J10"] = None
        sheet["A13"] = "署名"
        sheet.merge_cells("A14:C14")
        sheet["A14"] = "局長"
        sheet.row_dimensions[14].height = 40
        book.defined_names["persons"].attr_text = f"'{FORM}'!$B$13"

    own(edit)
    book, _ = compiled(full_year, 2025)
    sheet = book[FORM]
    assert "市町村の要請" in sheet["B10"].value
    assert sheet["C10"].value == "美瑛町"
    assert sheet["J10"].value is None
    # Three lines took one row: what stood below has moved by two, and its name with it.
    assert (sheet["A15"].value, sheet["A16"].value) == ("署名", "局長")
    assert [str(area) for area in sheet.merged_cells.ranges if area.min_row > 9] == ["A16:C16"]
    assert sheet.row_dimensions[16].height == 40
    assert named(book, "persons") == sheet["B15"].value == 2


@pytest.mark.parametrize("name", ["lines", "fiscal_year", "person_days", "definitions", "apart"])
def test_a_lost_name_is_named(bureau: Bureau, own: Any, name: str) -> None:
    def edit(book: Workbook) -> None:
        del book.defined_names[name]

    own(edit)
    with pytest.raises(DocumentProblem, match=f"「{name}」という名前の定義がありません"):
        compiled(bureau, 2025)


def test_a_broken_name_and_an_unknown_column_and_merged_rows_are_named(
    bureau: Bureau, own: Any, tmp_path: Path
) -> None:
    def broken(book: Workbook) -> None:
        book.defined_names["office"].attr_text = "#REF!"

    def unknown(book: Workbook) -> None:
        book[FORM]["A10"] = "{ばんごう}"

    def merged(book: Workbook) -> None:
        book[FORM].merge_cells("A10:B10")

    for edit, sentence in ((broken, "「office」"), (unknown, "ばんごう"), (merged, "セルが結合されています")):
        own(edit)
        with pytest.raises(DocumentProblem, match=sentence):
            compiled(bureau, 2025)
        (tmp_path / "templates/dispatch/year_end.xlsx").unlink()
        (tmp_path / "templates/dispatch").rmdir()
        (tmp_path / "templates").rmdir()


def test_a_file_that_is_no_workbook_is_named(bureau: Bureau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOBIDASHI_DATA", str(tmp_path))
    settings.cache_clear()
    path = tmp_path / "templates/dispatch/year_end.xlsx"
    path.parent.mkdir(parents=True)
    path.write_text("これはブックではない", encoding="utf-8")
    with pytest.raises(DocumentProblem, match=r"dispatch/year_end\.xlsx"):
        compiled(bureau, 2025)
