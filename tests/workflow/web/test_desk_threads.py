"""What comes of a voice at the desk: opinion → consultation, opinion → agenda of the council, consultation → round table, by the pages."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from states.kernel import Refused
from tests import council, desk, factory
from tests.workflow.web.browsing import Browser, browser_of, visible
from tests.workflow.web.conftest import Web
from workflow import cases, thread, verify
from workflow.db import type_connection
from workflow.loading import load

pytestmark = pytest.mark.usefixtures("at")
Browse = Callable[[int], Browser]
VOICE, SPEAKER = "農道に車が停まって作業ができない", "丘上太郎（仮名）"
WHY = "窓口で続けて聞き取るため。"


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Browse:
    return lambda person_id: browser_of(web, conn, person_id)


def begun(officer: Browser, case: int, way: str) -> int:
    """The draft that the button of the page begins."""
    there = officer.send(f"/cases/{case}/derive/{way}", {f"why-{way}": WHY, "key": str(uuid4())}).headers["location"]
    assert "から起こした下書きです" in officer.get(there)
    return int(there.split("/")[2])


def put_in(officer: Browser, draft: int, action: str) -> None:
    officer.send(f"/cases/{draft}/actions/{action}", {"version": "0", "key": str(uuid4())})


def line(conn: Any, person: int, case: int) -> list[int]:
    """The cases of the thread that lie on one way, from the beginning on."""
    told = thread.of_case(conn, factory.reader(conn, person), case)
    found: list[int] = []
    below = told.roots
    while below:
        found.append(below[0].node.id)
        below = below[0].below
    return found


def test_an_opinion_for_the_desk_becomes_a_consultation_and_hears_its_end(
    conn: Any, who: factory.Cast, browse: Browse
) -> None:
    opinion = desk.opinion(conn, who, "desk", VOICE, answer="町と相談すると答えた。")
    officer = browse(who.bureau)
    assert "相談として受け付ける" in officer.get(f"/cases/{opinion}")
    draft = begun(officer, opinion, "desk")
    form = cases.look(conn, who.bureau, draft).form
    assert form["matter"] == {
        "subject": VOICE,
        "body": f"{VOICE}\nその場での答え: 町と相談すると答えた。",
        "municipality_name": "美瑛町",
    }
    assert form["receipt"] == {"channel": "meeting", "municipality_code": who.place, "field": "tourism"}
    assert SPEAKER not in str(form), "who spoke stays with the round table"
    put_in(officer, draft, "receive")
    assert visible(officer.get(f"/cases/{draft}/thread")).count(VOICE) >= 2
    desk.answered(conn, who, draft)
    desk.act(conn, who.bureau, draft, "close", result="solved")
    assert "地域づくり総合相談が「完了した」で終わりました" in officer.get(f"/cases/{opinion}")
    assert not browse(who.municipality).client.get(f"/cases/{opinion}").is_success


def test_an_opinion_for_the_council_comes_on_the_agenda_of_a_session(
    db: Any, conn: Any, who: factory.Cast, browse: Browse
) -> None:
    opinion = desk.opinion(conn, who, "council", VOICE)
    officer = browse(who.bureau)
    topic = begun(officer, opinion, "topic")
    put_in(officer, topic, "propose")
    assert "上川-議題-R8-001" in officer.get(f"/cases/{topic}")
    session = council.called(conn, who, council.body(conn, who))
    number = load(conn, session, who.bureau).row.number
    sent = {"version": "1", "key": str(uuid4()), "input.session": str(load(conn, opinion, who.bureau).row.number)}
    assert "その番号の会議が見つかりません" in visible(
        officer.send(f"/cases/{topic}/actions/put_on_agenda", sent, 422).text
    )
    officer.send(f"/cases/{topic}/actions/put_on_agenda", sent | {"key": str(uuid4()), "input.session": str(number)})
    (table,) = conn.execute("SELECT parent_id FROM cases WHERE id = %s", (opinion,)).fetchone()
    assert line(conn, who.bureau, topic) == [table, opinion, topic, session]
    page = visible(officer.get(f"/cases/{session}/thread"))
    assert VOICE in page
    council.act(conn, who.bureau, topic, "record_outcome", text="町と道で駐車の場所を探すこととした。")
    assert "連携会議の議題の候補が「会議で扱った」で終わりました" in officer.get(f"/cases/{opinion}")
    assert VOICE in officer.get(f"/municipalities/{who.place}")
    assert not verify.run(db).breaks


def test_a_topic_is_put_back_taken_up_elsewhere_or_declined(conn: Any, who: factory.Cast) -> None:
    form = {"topic": {"title": "冬の観光", "kind": "exchange", "text": "話し合いたい。"}}
    topic = cases.open_case(conn, who.bureau, "council_topic", "office", form)
    council.act(conn, who.bureau, topic, "propose")
    body = council.body(conn, who)
    first, second = council.called(conn, who, body), council.called(conn, who, body, "writing")
    numbers = [str(load(conn, one, who.bureau).row.number) for one in (first, second)]
    council.act(conn, who.bureau, topic, "put_on_agenda", session=numbers[0])
    council.act(conn, who.bureau, topic, "put_back", reason="時間が足りない。")
    council.act(conn, who.bureau, first, "cancel_session", reason="天候のため。")
    with pytest.raises(Refused, match="もう終わっています"):
        council.act(conn, who.bureau, topic, "put_on_agenda", session=numbers[0])
    council.act(conn, who.bureau, topic, "put_on_agenda", session=numbers[1])
    council.act(conn, who.bureau, topic, "put_back", reason="次年度にする。")
    council.act(conn, who.bureau, topic, "decline_topic", reason="町が解決した。")
    assert cases.look(conn, who.bureau, topic).state.outcome == "議題にしなかった"


def test_a_consultation_leads_to_a_round_table_or_to_the_council_as_it_was_disposed_of(
    conn: Any, who: factory.Cast, browse: Browse
) -> None:
    officer = browse(who.bureau)
    for kind, way, process in (
        ("round_table_candidate", "meeting", "round_table"),
        ("council_candidate", "topic", "council_topic"),
    ):
        case = desk.received(conn, who, "若い人が集まる場がほしい")
        desk.act(conn, who.bureau, case, "take")
        others = {"meeting", "topic", "dispatch"}
        for other in others:  # nobody has said yet what is done with it
            officer.send(f"/cases/{case}/derive/{other}", {f"why-{other}": WHY, "key": str(uuid4())}, 403)
        desk.act(conn, who.bureau, case, "dispose", kind=kind, reason="直接聞く。")
        for other in others - {way}:
            officer.send(f"/cases/{case}/derive/{other}", {f"why-{other}": WHY, "key": str(uuid4())}, 403)
        draft = begun(officer, case, way)
        view = cases.look(conn, who.bureau, draft)
        assert view.process.key == process
        assert "若い人が集まる場がほしい" in str(view.form)
        assert who.place in str(view.form)
        assert "丘野" not in str(view.form)
    browse(who.municipality).send(f"/cases/{case}/derive/topic", {"why-topic": WHY, "key": str(uuid4())}, 403)
