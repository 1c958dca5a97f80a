"""The pages of a round table, an opinion and a coordination: made of their declarations, each with what its reader fills in."""

from collections.abc import Callable

import pytest

from tests.round_table import NOTES, PLAN, act, hold, invited, planned
from tests.workflow.test_round_table import children, following, table  # noqa: F401 - fixtures
from tests.workflow.web.browsing import Browser, browser_of, visible
from tests.workflow.web.conftest import Web
from workflow.db import type_connection


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Callable[[int], Browser]:
    return lambda person: browser_of(web, conn, person)


def test_each_page_asks_for_what_its_act_writes(conn, who, browse, following):  # noqa: F811 - fixture
    opinion, coordination = children(conn, following)[0], children(conn, following)[-1]
    bureau, headquarters = browse(who.bureau), browse(who.headquarters)
    assert "ラウンドテーブルミーティングを計画する" in visible(
        bureau.get("/cases/new?process=round_table&origin=office")
    )
    page = bureau.get(f"/cases/{opinion}/actions/handle")
    for name in ("handling.way", "handling.owner", "handling.municipality", "handling.due", "asking.text"):
        assert f'name="{name}' in page
    sent = headquarters.get(f"/cases/{coordination}/actions/distribute")
    assert "農政部" in visible(sent)
    case = visible(browse(who.municipality).get(f"/cases/{following}"))
    assert "農道と観光について意見があった。" in case
    assert "丘上太郎" not in case


def test_an_act_that_lacks_only_what_its_page_writes_has_its_page_open(conn, who, browse, following):  # noqa: F811 - fixture
    opinion, bureau = children(conn, following)[0], browse(who.bureau)
    assert f'href="/cases/{opinion}/actions/handle"' in bureau.get(f"/cases/{opinion}")
    meeting = bureau.get(f"/cases/{following}")
    assert f"/cases/{following}/actions/tell_region" not in meeting, "what others have to end keeps its page shut"
    assert "まだ終わっていない意見・調整が4件あります" in visible(meeting)


def test_a_case_stands_on_the_day_its_deadline_ends(conn, who, browse, table):  # noqa: F811 - fixture
    for person, action in ((who.bureau, "ask_decision"), (who.director, "approve"), (who.bureau, "invite")):
        act(conn, person, table, action)
    assert "きょうまで" in visible(browse(who.bureau).get(f"/cases/{table}"))


def test_the_meeting_leads_to_the_karte_of_each_municipality(conn, who, browse):
    both = PLAN | {"plan": PLAN["plan"] | {"municipalities": "014591 014583"}}
    case = planned(conn, who, both)
    bureau = browse(who.bureau)
    page = bureau.get(f"/cases/{case}")
    for code, name in (("014591", "美瑛町"), ("014583", "東川町")):
        assert f'<a href="/municipalities/{code}">{name}のカルテ</a>' in page
        assert name in visible(bureau.get(f"/municipalities/{code}"))
    for person, action in ((who.bureau, "ask_decision"), (who.director, "approve"), (who.bureau, "invite")):
        act(conn, person, case, action)
    seen = browse(who.municipality).get(f"/cases/{case}")
    assert "/municipalities/014591" in seen
    assert "/municipalities/014583" not in seen, "a karte that the reader has not is not named"


def test_the_page_of_notes_shows_what_is_written_while_people_speak_and_folds_the_rest(conn, who, browse):
    case = invited(conn, who)
    page = browse(who.bureau).get(f"/cases/{case}/actions/take_notes")
    quick, _, folded = page.partition('<details class="task__more">')
    for name in ("kind", "summary", "speaker_class", "answer"):
        assert f'name="notes.items.0.{name}"' in quick
    for name in ("speaker", "verbatim", "field", "municipality", "public"):
        assert f'name="notes.items.0.{name}"' in folded
    assert "people.items" not in page, "nothing else stands in the way"


def test_the_papers_are_offered_on_the_page_as_far_as_one_may_take_them(conn, who, browse):
    case = invited(conn, who)
    assert "/records/" not in browse(who.bureau).get(f"/cases/{case}")
    hold(conn, who, case, NOTES)
    page = browse(who.bureau).get(f"/cases/{case}")
    for key in ("report", "report_public", "opinions", "opinions_public"):
        assert f"/cases/{case}/records/{key}" in page
    assert "/records/" not in browse(who.headquarters).get(f"/cases/{case}")
