"""A map beside a request, a question and its answer, and what the offices keep to themselves. The town without JavaScript."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.factory import opened
from tests.papers import PDF, PNG
from tests.stories.hands import PHONE, Visits, look_up, press, told
from tests.stories.system import System
from workflow import outbox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TITLE = "集落の地図づくりへの助言"
SECRET = "本庁の回答は庁内だけで見る"


def add(page: Page, path: Path, label: str, scope: str = "") -> None:
    """Fill the form of a file and send it."""
    form = page.locator("#files details.disclosure")
    if form.get_attribute("open") is None:
        form.locator("summary").click()
    if scope:
        page.get_by_role("group", name="だれが見るか").get_by_label(scope).check()
    page.get_by_label("何のファイルか").fill(label)
    page.locator("input[type=file]").set_input_files(path)
    press(page.locator("#files"), "ファイルを添える")


def taken(page: Page, name: str) -> bytes:
    """The file behind its link, as the browser saves it."""
    with page.expect_download() as download:
        page.get_by_role("link", name=name, exact=True).click()
    assert download.value.suggested_filename == name
    return Path(download.value.path()).read_bytes()


def test_files_and_remarks_go_with_a_case(system: System, visit: Visits, tmp_path: Path) -> None:
    picture, answer, wrong = tmp_path / "集落の地図(案).png", tmp_path / f"{SECRET}.pdf", tmp_path / "地図を開く.exe"
    picture.write_bytes(PNG)
    answer.write_bytes(PDF)
    wrong.write_bytes(b"MZ")
    with system.db.connection() as conn:
        case_id = opened(conn, system.who, title=TITLE)

    town = visit("municipality", width=PHONE, script=False)
    town.goto(f"/cases/{case_id}/edit")
    town.get_by_label("件名").fill(f"{TITLE}(書きかけ)")
    press(town, "保存して、ファイルを添える")
    add(town, wrong, "集落の位置")
    assert "開くと動くおそれがあるため受け取れません" in told(town)
    assert town.get_by_label("何のファイルか").input_value() == "集落の位置"
    add(town, picture, "集落の位置")
    town.get_by_text("提出するときに、いっしょに届きます。").wait_for()
    town.get_by_role("link", name="様式に戻って続きを書く", exact=True).click()
    assert town.get_by_label("件名").input_value() == f"{TITLE}(書きかけ)"
    assert picture.name in told(town)
    town.get_by_label("件名").fill(TITLE)
    press(town, "確認へ進む")
    press(town, "要請を提出する")

    bureau = visit("bureau")
    look_up(bureau, TITLE)
    assert taken(bureau, picture.name) == PNG
    bureau.locator("#files summary").filter(has_text="ファイルを添える").click()
    bureau.evaluate("document.querySelector('input[type=file]').dataset.limit = 10")
    bureau.locator("input[type=file]").set_input_files(answer)
    assert "大きすぎます" in bureau.evaluate("document.querySelector('input[type=file]').validationMessage")
    bureau.reload()
    add(bureau, answer, SECRET, "局内だけに置く")
    bureau.get_by_text("だれがいつ添えたかを、記録に残しました。").wait_for()
    assert taken(bureau, answer.name) == PDF
    bureau.get_by_label("局内だけに書く").fill(SECRET)
    press(bureau, "局内に書き込む")
    bureau.get_by_text("局内の担当に知らせます。").wait_for()
    bureau.get_by_label("美瑛町と共有して書く").fill("縮尺を教えてください。\n  二千五百分の一でしょうか。")
    press(bureau, "美瑛町と共有して書き込む")
    assert SECRET in told(bureau)
    outbox.deliver(system.db)

    town.goto("/mailbox")
    assert "「やりとり」に新しい書き込みがあります" in told(town)
    assert "縮尺" not in told(town)
    look_up(town, TITLE)
    assert "縮尺を教えてください。" in told(town)
    assert SECRET not in town.content()
    assert town.evaluate("document.documentElement.scrollWidth") <= PHONE
    town.get_by_label("共有して書く").fill("はい、そのとおりです。")
    press(town.locator("#remarks"), "上川総合振興局と共有して書き込む")
    assert "はい、そのとおりです。" in told(town)

    bureau.reload()
    assert "はい、そのとおりです。" in told(bureau)
    assert system.whole()
