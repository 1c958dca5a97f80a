"""「次の件へ」 through acts that have a page of their own: saving, looking, a refusal and a clash on the way lose no place."""

import html as plain
import re
from collections.abc import Callable, Iterator

import pytest

from tests import factory
from tests.workflow.web.browsing import Browser, browser_of, sheet, visible
from tests.workflow.web.conftest import At, Web
from tests.workflow.web.test_drafts import Tab
from workflow import cases
from workflow.db import database, type_connection
from workflow.web import queue

Browse = Callable[[int], Browser]


@pytest.fixture
def conn(web: Web, at: At) -> Iterator[type_connection]:
    with database().connection() as connection:
        yield connection


@pytest.fixture
def who(conn: type_connection) -> factory.Cast:
    return factory.cast(conn)


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Browse:
    return lambda person_id: browser_of(web, conn, person_id)


def waiting(conn: type_connection, who: factory.Cast, *acts: str) -> list[int]:
    """Two cases that wait for the same desk after these acts."""
    made = [factory.opened(conn, who, title=f"計画 {n}") for n in range(2)]
    for case in made:
        factory.drive(conn, who, case, *acts)
    return made


def hrefs(page: str, beginning: str) -> list[str]:
    """The addresses of links and forms on a page that begin so."""
    found = re.findall(r'(?:href|action|formaction|data-autosave)="([^"]+)"', page)
    return [address for one in found if (address := plain.unescape(one)).startswith(beginning)]


def place(address: str) -> str:
    """What an address carries of the list."""
    return address.partition(f"{queue.PARAMETER}=")[2].partition("&")[0].partition("#")[0]


def test_an_act_with_a_page_of_its_own_leads_on_to_the_next_item(
    browse: Browse, conn: type_connection, who: factory.Cast
) -> None:
    first, second = waiting(conn, who, "submit", "receive")
    seat = browse(who.bureau)
    (opened,) = set(hrefs(seat.get("/inbox"), f"/cases/{first}?"))
    (writing,) = hrefs(seat.get(opened), f"/cases/{first}/actions/propose_team")
    assert place(writing)
    page = seat.get(writing)
    ways = hrefs(page, f"/cases/{first}/actions/propose_team") + hrefs(page, f"/cases/{first}/edit")
    assert len(ways) > 2
    assert {place(way) != "" for way in ways} == {True}
    day = factory.first_day(conn, who.office)
    rows = {"team.members.0.person": str(who.staff), "team.members.0.headcount": "1", "team.members.0.days": "9/99"}
    (post, *_) = hrefs(page, f"/cases/{first}/edit")
    again = seat.send(post, sheet(page) | rows | {"do": "look"}).headers["location"]
    assert place(again)  # saved and looked at
    wrong = rows | {"team.members.0.headcount": "二人"}
    refused = seat.send(writing, sheet(seat.get(again)) | wrong, 422).text
    assert "まだ行っていません" in visible(refused)
    assert all(place(way) for way in hrefs(refused, f"/cases/{first}/actions/propose_team"))
    rows["team.members.0.days"] = f"{day.month}/{day.day}"
    done = seat.send(writing, sheet(refused) | rows).headers["location"]
    assert [m["person"] for m in cases.look(conn, who.bureau, first).form["team"]["members"]] == [who.staff]
    (following, *_) = hrefs(seat.get(done), f"/cases/{second}?")
    assert "次の件へ" in visible(seat.get(done))
    assert place(following)


def test_a_page_that_saves_itself_or_meets_another_one_keeps_the_place(
    browse: Browse, conn: type_connection, who: factory.Cast
) -> None:
    first, _ = waiting(conn, who, "submit", "receive")
    seat = browse(who.bureau)
    (opened,) = set(hrefs(seat.get("/inbox"), f"/cases/{first}?"))
    (writing,) = hrefs(seat.get(opened), f"/cases/{first}/actions/propose_team")
    tab, other = Tab(seat, writing), Tab(seat, writing)
    assert place(tab.autosave)
    told = tab.save(**{"team.members.0.person": str(who.staff), "team.members.0.days": "11/4"})
    assert [bool(place(told[name])) for name in ("address", "post", "autosave")] == [True, True, True]
    assert told["address"].partition("?")[0] == f"/cases/{first}/actions/propose_team"
    clash = other.send(told["post"], 409, **{"team.members.0.person": str(who.staff), "team.members.0.days": "11/5"})
    ways = hrefs(clash.text, f"/cases/{first}/")
    assert {way.partition("?")[0] for way in ways} == {f"/cases/{first}/edit", f"/cases/{first}/actions/propose_team"}
    assert all(place(way) for way in ways)


def test_the_confirmation_of_a_draft_leads_back_into_the_list_and_on(
    browse: Browse, conn: type_connection, who: factory.Cast
) -> None:
    first, second = waiting(conn, who, "submit", "receive", "ask_correction")
    draft = factory.opened(conn, who, title="書きかけ")
    seat = browse(who.municipality)
    (opened,) = set(hrefs(seat.get("/inbox"), f"/cases/{first}?"))
    (edit,) = hrefs(seat.get(opened.replace(f"/cases/{first}?", f"/cases/{draft}?")), f"/cases/{draft}/edit")
    page = seat.get(edit)
    (post, *_) = hrefs(page, f"/cases/{draft}/edit")
    confirm = seat.send(post, sheet(page) | {"do": "confirm"}).headers["location"]
    assert confirm.startswith(f"/cases/{draft}/actions/submit?{queue.PARAMETER}=")
    page = seat.get(confirm)
    (back,) = hrefs(page, f"/cases/{draft}/edit")
    (send,) = hrefs(page, f"/cases/{draft}/actions/submit")
    assert place(back)
    page = seat.get(seat.send(send, sheet(page)).headers["location"])
    assert "次の件へ" in visible(page)
    assert hrefs(page, f"/cases/{second}?")


def test_who_came_second_goes_back_into_the_list(browse: Browse, conn: type_connection, who: factory.Cast) -> None:
    first, _ = waiting(conn, who, "submit")
    seat = browse(who.bureau)
    (opened,) = set(hrefs(seat.get("/inbox"), f"/cases/{first}?"))
    page = seat.get(opened)
    (receive,) = hrefs(page, f"/cases/{first}/actions/receive")
    factory.drive(conn, who, first, "receive")
    beaten = seat.send(receive, sheet(page), 409).text
    assert "ほかの方が先に処理していました" in visible(beaten)
    assert all(place(way) for way in hrefs(beaten, f"/cases/{first}"))
    assert hrefs(beaten, f"/cases/{first}")
    # An address that no list gave out is carried nowhere.
    assert place(hrefs(seat.get(f"/cases/{first}?list=//elsewhere.example"), f"/cases/{first}/actions/")[0]) == ""
