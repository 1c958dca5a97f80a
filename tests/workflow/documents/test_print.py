"""Paper: the workbook through LibreOffice and a letter through Chromium, as pages of A4."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from tests.workflow.documents.year import Bureau
from workflow import reports
from workflow.documents import letters
from workflow.documents.declared import SHIPPED

A4 = (595, 842)  # points


def size(page: Any) -> tuple[int, int]:
    return round(float(page.mediabox.width)), round(float(page.mediabox.height))


def flat(page: Any) -> str:
    """Words of a page without the breaks that its layout brings."""
    return "".join(page.extract_text().split())


def test_the_form_is_one_page_wide_with_headings_on_each(bureau: Bureau, libreoffice: str, tmp_path: Path) -> None:
    bureau.reported(bureau.crossing())
    long = "集落の聞き取りから、空き家の所有者の意向が分かった。" * 15
    for month in range(6, 12):
        days = (f"2025-{month:02}-02〜2025-{month:02}-04", f"2025-{month:02}-03")
        case_id = bureau.decided("2025-05-07", days, period=(f"2025-{month:02}-02", f"2025-{month:02}-04"))
        bureau.ended(bureau.begun(case_id, f"2025-{month:02}-02"), f"2025-{month:02}-05")
        bureau.reported(case_id, result={"results": long, "issues": "冬の住まいの見学が要る。"})
    data, _ = reports.year_end(bureau.conn, "dispatch", "year-end", "hk-kamikawa", 2025)
    pages = on_paper(data, libreoffice, tmp_path)
    assert {size(page) for page in pages} == {(A4[1], A4[0])}
    form = [text for page in pages if "成果・課題・今後の対応" in (text := flat(page))]
    assert 1 < len(form) < len(pages)
    assert "別記様式第2号" in form[0]
    for number, text in enumerate(form, start=1):
        assert "番号派遣先" in text or ("番号" in text and "派遣先" in text)
        assert f"{number}/{len(pages)}" in text
    # The whole text of every line is on paper: nothing is cut off by a row that is too low.
    assert "".join(form).count("空き家の所有者の意向が分かった") == 6 * 15
    assert "".join(form).count("冬の住まいの見学が要る") == 6


def test_all_offices_begin_with_their_summary_on_one_page(bureau: Bureau, libreoffice: str, tmp_path: Path) -> None:
    bureau.reported(bureau.crossing())
    data, _ = reports.year_end(bureau.conn, "dispatch", "year-end", "all", 2025)
    pages = on_paper(data, libreoffice, tmp_path)
    assert {size(page) for page in pages} == {(A4[1], A4[0])}
    first = flat(pages[0])
    for words in (
        "総括表",
        "令和7年度",
        "上川総合振興局",
        "根室振興局",
        "市町村の要請",
        "各種計画等の策定への参画、助言",
    ):
        assert words in first, words
    assert f"1/{len(pages)}" in first
    assert "総括表" not in flat(pages[1])


def on_paper(data: bytes, libreoffice: str, folder: Path) -> Any:
    """The pages of a workbook as LibreOffice prints it."""
    book = folder / "report.xlsx"
    book.write_bytes(data)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [libreoffice, profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(book)]
    subprocess.run(command, check=True, capture_output=True, timeout=110)
    return PdfReader(folder / "report.pdf").pages


def test_a_letter_fills_one_sheet(bureau: Bureau, browser: Browser, tmp_path: Path) -> None:
    case_id = bureau.decided("2025-05-07", ["2025-06-02", "2025-06-03"], period=("2025-06-02", "2025-06-04"))
    page_file = tmp_path / "letter.html"
    html = letters.render(bureau.conn, case_id, "decision_notice", None)
    page_file.write_text(html.replace("/static/letter.css", (SHIPPED / "static/letter.css").as_uri()), encoding="utf-8")
    with browser.new_page() as page:
        page.goto(page_file.as_uri())
        paper = tmp_path / "letter.pdf"
        page.pdf(path=paper, prefer_css_page_size=True)
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    (sheet,) = PdfReader(paper).pages
    assert abs(size(sheet)[0] - A4[0]) <= 1
    assert abs(size(sheet)[1] - A4[1]) <= 1
    text = flat(sheet)
    assert "美瑛町" in text
    assert "記録の控え" in text
    assert "まだ綴じられていません" not in text


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_NO_WARNINGS", "1")
