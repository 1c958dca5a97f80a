"""What is said at a round table is written down on a tablet, row by row; the line goes and comes back, and nothing is lost."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import round_table
from tests.stories.hands import Visits, choose, done, press
from tests.stories.system import System, until
from tests.stories.test_lost_line import AWAY, line, notice, warned_of
from tests.stories.test_two_officers import violations

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TABLET = {"width": 768, "height": 1024}
LABEL = "意見を書きとめる"
SAID = (
    ("課題", "冬の道が暗く、部活の帰りに危ない", "保護者", "道路の担当に伝えると答えた"),
    ("資源", "使われていない倉庫が三棟ある", "農業者", ""),
    ("要望", "バスの時刻を一本遅らせてほしい", "高校生", "町と話すと答えた"),
)
WORDS = "使ってくれたら、うれしい"
KINDS = {"課題": "issue", "資源": "resource", "要望": "request"}


def noted(page: Page, number: int, said: tuple[str, str, str, str]) -> None:
    row = page.get_by_role("group", name=f"{number}行目")
    choose(row, "種類", said[0])
    for label, text in zip(("意見の要旨", "発言者の区分", "その場での答え"), said[1:], strict=True):
        row.get_by_label(label).fill(text)


def rows(stored: Any) -> list[tuple[Any, ...]]:
    found = ((stored or {}).get("notes") or {}).get("items") or []
    return [tuple(row.get(key) or "" for key in ("kind", "summary", "speaker_class", "answer")) for row in found]


def kept(system: System, case: int) -> list[tuple[Any, ...]]:
    return rows(system.value("SELECT (SELECT form FROM working WHERE case_id = %s)", case))


def words_kept(system: System, case: int) -> Any:
    """The very words of the second row; what was sent first after the line came back may be from before they were typed."""
    return system.value("SELECT (SELECT form #>> '{notes,items,1,verbatim}' FROM working WHERE case_id = %s)", case)


def test_notes_outlive_the_line(system: System, visit: Visits) -> None:
    with system.db.connection() as conn:
        case = round_table.invited(conn, system.who)
    page = visit("bureau", width=TABLET["width"])
    page.set_viewport_size(TABLET)  # type: ignore[arg-type]
    page.goto(f"/cases/{case}/actions/take_notes")
    first = page.get_by_role("group", name="1行目")
    expect(first.get_by_label("言葉のまま")).to_be_hidden()
    noted(page, 1, SAID[0])
    line(page, "に自動で残しました")
    page.context.set_offline(True)
    for number, said in enumerate(SAID[1:], start=2):
        press(page, "意見を足す", stays=True)
        expect(page.get_by_role("group", name=f"{number}行目")).to_be_visible(timeout=20_000)
        noted(page, number, said)
    notice(page, AWAY)
    second = page.get_by_role("group", name="2行目")
    second.get_by_text("ほかの欄").click()
    second.get_by_label("言葉のまま").fill(WORDS)
    press(page, LABEL, stays=True)
    notice(page, "まだ送っていません")
    assert page.get_by_role("group", name="3行目").get_by_label("意見の要旨").input_value() == SAID[2][1]
    assert warned_of(page)
    assert len(kept(system, case)) == 1
    page.context.set_offline(False)
    whole = [(KINDS[said[0]], *said[1:]) for said in SAID]
    until(lambda: kept(system, case) == whole and words_kept(system, case) == WORDS)
    line(page, "に自動で残しました")  # the page knows it too; before, it asks whether one wants to leave
    assert page.evaluate("document.documentElement.scrollWidth") <= TABLET["width"]
    assert violations(page) == []
    page.reload()
    assert page.get_by_role("group", name="2行目").get_by_label("言葉のまま").input_value() == WORDS
    press(page, LABEL)
    done(page, LABEL)
    assert rows(system.value("SELECT form FROM cases WHERE id = %s", case)) == whole
    assert system.whole()
