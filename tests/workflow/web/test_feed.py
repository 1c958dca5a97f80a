"""The address for calendar software: made, renewed, stopped; what it answers is iCalendar that names nobody."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import factory
from tests.workflow.web.browsing import Browser, browser_of
from tests.workflow.web.conftest import At, Web
from workflow import ical
from workflow.db import type_connection
from workflow.feed import digest
from workflow.web import feed

Browse = Callable[[int], Browser]
pytestmark = pytest.mark.usefixtures("at")


def parsed(data: bytes) -> list[dict[str, str]]:
    """The events of a calendar: unfolded, split, unescaped; strict about lines, octets and order."""
    assert data.endswith(b"\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    for raw in data.split(b"\r\n"):
        raw.decode()  # no character is cut
    lines = data.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]
    assert (lines[0], lines[1], lines[-1]) == ("BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR")
    events: list[dict[str, str]] = []
    for line in lines:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            events.append({})
        elif events and line not in ("END:VEVENT", "END:VCALENDAR"):
            assert name not in events[-1], "a property twice"
            events[-1][name] = unescaped(value)
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == len(events)
    return events


def unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


# ── the writer ──────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_what_is_written_is_read_back(summary: str, description: str) -> None:
    event = ical.Event(
        "due-1@x", date(2026, 12, 31), datetime(2026, 10, 5, tzinfo=UTC), summary, description, "https://x/1", "期限"
    )
    (told,) = parsed(ical.text("予定", [event]))
    plain = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u0085\u2028\u2029]")
    for name, wanted in (("SUMMARY", summary), ("DESCRIPTION", description)):
        assert told[name] == plain.sub("", wanted.replace("\r\n", "\n").replace("\r", "\n"))
    assert told["DTSTART;VALUE=DATE"] == "20261231"
    assert told["DTEND;VALUE=DATE"] == "20270101"
    assert told["DTSTAMP"] == "20261005T000000Z"


def test_a_line_is_folded_by_octets_and_never_within_a_character() -> None:
    for size in range(60, 90):
        line = "x" * (size % 3) + "案" * size
        folded = ical.folded(line)
        assert all(len(piece) <= 75 for piece in folded.split(b"\r\n"))
        assert folded.replace(b"\r\n ", b"").decode() == line + "\r\n"
    assert ical.folded("a" * 75) == b"a" * 75 + b"\r\n"
    assert ical.folded("a" * 76) == b"a" * 75 + b"\r\n a\r\n"


# ── the address ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Browse:
    return lambda person_id: browser_of(web, conn, person_id)


@pytest.fixture
def judged(conn: type_connection, who: factory.Cast) -> int:
    case = factory.opened(conn, who, first=date(2026, 11, 9))
    factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director")
    return case


def address(browser: Browser) -> str:
    """A new address, as its one page shows it."""
    told = browser.send("/feed", {}, 200).text
    found = re.search(r'value="http://[^/"]+(/feed/[\w-]+\.ics)"', told)
    assert found is not None
    return found[1]


def test_the_address_is_shown_once_and_only_its_digest_is_kept(
    web: Web, browse: Browse, conn: type_connection, who: factory.Cast, judged: int
) -> None:
    director = browse(who.director)
    path = address(director)
    token = path.removeprefix("/feed/").removesuffix(".ics")
    assert len(token) >= 43
    assert token not in director.get("/feed")
    assert "アドレスがあります" in director.get("/feed")
    row = conn.execute("SELECT person_id, digest, f::text FROM feed f").fetchone()
    assert row is not None
    assert (row[0], bytes(row[1])) == (who.director, digest(token))
    assert token not in row[2]
    answer = web.client().get(path)  # nobody is signed in
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    (event,) = parsed(answer.content)
    assert event["SUMMARY"] == "期限: 派遣を判断する 上川-R8-001 美瑛町"
    assert event["DTSTART;VALUE=DATE"] == "20261008"
    assert event["URL"].endswith(f"/cases/{judged}")


def test_a_person_s_dispatch_days_stand_in_it_and_the_uids_stay(
    web: Web, browse: Browse, conn: type_connection, who: factory.Cast, judged: int, at: At
) -> None:
    path = address(browse(who.staff))
    before = parsed(web.client().get(path).content)
    assert [e["DTSTART;VALUE=DATE"] for e in before] == ["20261109", "20261110", "20261111"]
    assert all(e["SUMMARY"] == "飛び出し隊 派遣の案 上川-R8-001 美瑛町" for e in before)
    factory.drive(conn, who, judged, "approve")
    at(date(2026, 10, 6))
    after = parsed(web.client().get(path).content)
    assert [e["UID"] for e in after] == [e["UID"] for e in before]
    assert len({e["UID"] for e in after}) == 3
    assert all(e["SUMMARY"] == "飛び出し隊 派遣 上川-R8-001 美瑛町" for e in after)


def test_no_person_and_no_subject_is_named(
    web: Web, browse: Browse, conn: type_connection, who: factory.Cast, judged: int
) -> None:
    for person in (who.director, who.staff, who.bureau, who.municipality):
        told = web.client().get(address(browse(person))).content.replace(b"\r\n ", b"").decode()
        assert "空き家" not in told
        assert "仮名" not in told


def test_done_work_leaves_it_and_a_lost_post_empties_it(
    web: Web, browse: Browse, conn: type_connection, owner: Any, who: factory.Cast, judged: int
) -> None:
    path = address(browse(who.director))
    factory.drive(conn, who, judged, "approve")
    assert parsed(web.client().get(path).content) == []
    path = address(browse(who.staff))
    assert len(parsed(web.client().get(path).content)) == 3
    owner.execute("UPDATE tenure SET valid_to = '2026-10-01' WHERE person_id = %s", [who.staff])
    assert parsed(web.client().get(path).content) == []


def test_what_is_known_already_is_not_sent_again(
    web: Web, browse: Browse, conn: type_connection, who: factory.Cast, judged: int
) -> None:
    path = address(browse(who.director))
    first = web.client().get(path)
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = web.client().get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    factory.drive(conn, who, judged, "approve")
    assert web.client().get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_renewed_a_stopped_and_an_unknown_address_are_good_for_nothing(
    web: Web, browse: Browse, owner: Any, who: factory.Cast, judged: int
) -> None:
    director = browse(who.director)
    first, second = address(director), address(director)
    assert first != second
    client = web.client()
    assert (client.get(first).status_code, client.get(second).status_code) == (404, 200)
    director.send("/feed/stop", {})
    assert "アドレスを止めました" in director.get("/feed?done=ended")
    assert client.get(second).status_code == 404
    third = address(director)
    owner.execute("UPDATE account SET disabled = true WHERE person_id = %s", [who.director])
    assert client.get(third).status_code == 404
    for token in ("x", "x" * 43, "x" * 500, "..%2f", "あ"):
        assert client.get(f"/feed/{token}.ics").status_code == 404, token
    for broken in ("%00", "%ff"):  # refused before anything is looked for
        assert client.get(f"/feed/{broken}.ics").status_code == 400
    assert client.post(first).status_code in (403, 405)


def test_somebody_else_s_address_is_not_stopped(web: Web, browse: Browse, who: factory.Cast, judged: int) -> None:
    path = address(browse(who.director))
    browse(who.bureau).send("/feed/stop", {})
    assert web.client().get(path).status_code == 200
    assert web.client().post("/feed").status_code in (303, 401)


def test_an_address_that_is_read_too_often_waits_and_others_do_not(
    web: Web, browse: Browse, who: factory.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = address(browse(who.director)), address(browse(who.bureau))
    monkeypatch.setattr(feed, "MOST", 2)
    client = web.client()
    assert [client.get(path).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get(path).headers["retry-after"] == "60"
    assert client.get(other).status_code == 200


def test_reading_changes_nothing(
    web: Web, browse: Browse, conn: type_connection, who: factory.Cast, judged: int
) -> None:
    path = address(browse(who.director))
    before = conn.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
    assert web.client().get(path).status_code == 200
    assert conn.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone() == before
