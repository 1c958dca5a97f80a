"""Every deadline of a day moved at once: each case once, however often the worker is killed, and everybody concerned told."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime

import pytest

from tests import factory
from workflow import case_sql, cases, moving, outbox, queries, story, verify, watch
from workflow.calendar_days import NotTaken
from workflow.db import Database
from workflow.deadlines import TOKYO, due_day, end_of
from workflow.loading import NotFound

TYPED = {"first": "R8.10.20", "last": "", "office": "", "to": "R8.10.22", "reason": "システムが止まっていたため。"}


@pytest.fixture(autouse=True)
def at(fresh_database):
    """It is noon of a day in October 2026; called with another day, it is that."""

    def shift(day: int) -> None:
        factory.set_clock(fresh_database.owner_url, datetime(2026, 10, day, 12, tzinfo=TOKYO))

    shift(5)
    return shift


@pytest.fixture
def administrator(conn):
    return factory.person(conn, "administrator", factory.HEADQUARTERS)


def due_on_the_20th(conn, who) -> int:
    made = factory.opened(conn, who, first=date(2026, 11, 16))
    factory.drive(conn, who, made, "submit", "receive")
    return made


def ordered(conn, administrator: int, **typed: str) -> int:
    actor = factory.reader(conn, administrator)
    return moving.place(conn, actor, moving.read(conn, actor, TYPED | typed))


def days(conn) -> list[tuple[int, str, date]]:
    rows = conn.execute("SELECT case_id, kind, due_at FROM deadline WHERE closed_at IS NULL ORDER BY 1, 2").fetchall()
    return [(case, kind, due_day(due)) for case, kind, due in rows]


def extensions(conn) -> list[tuple[int, int]]:
    text = "SELECT case_id, count(*) FROM event WHERE action = 'extend_deadline' GROUP BY 1 ORDER BY 1"
    found: list[tuple[int, int]] = conn.execute(text).fetchall()
    return found


def test_what_was_due_that_day_moves_and_nothing_else(at, db, conn, who, administrator):
    made = [due_on_the_20th(conn, who) for _ in range(3)]
    factory.drive(conn, who, made[2], "propose_team", "put_to_director")  # whose judgement is due on the 8th
    at(6)
    later = due_on_the_20th(conn, who)  # by the 21st
    at(20)
    extent = moving.extent(conn, moving.read(conn, factory.reader(conn, administrator), TYPED))
    assert (extent.cases, extent.deadlines) == (3, 3)
    found = extent.groups
    assert [(group.label, group.due, group.count) for group in found] == [("市町村への回答期限", date(2026, 10, 20), 3)]
    assert len(found[0].numbers) == 3
    order = ordered(conn, administrator)
    assert moving.carry_out(db) == 3
    assert moving.carry_out(db) == 0
    replies = {case: day for case, kind, day in days(conn) if kind == "reply"}
    assert replies == dict.fromkeys(made, date(2026, 10, 22)) | {later: date(2026, 10, 21)}
    assert ("judgement", date(2026, 10, 8)) in [(kind, day) for _, kind, day in days(conn)]
    assert extensions(conn) == [(case, 1) for case in made]
    row = moving.listed(conn, factory.reader(conn, administrator))[0]
    assert (row["id"], row["moved"], row["failed"], row["done_at"] is not None) == (order, 3, 0, True)
    assert verify.verify(db).whole


def test_the_event_names_the_administrator_and_the_inbox_the_new_day(at, db, conn, who, administrator):
    case = due_on_the_20th(conn, who)
    ordered(conn, administrator)
    moving.carry_out(db)
    line = story.timeline(conn, cases.look(conn, who.municipality, case))[0]
    name = conn.execute("SELECT name FROM person WHERE id = %s", (administrator,)).fetchone()[0]
    assert (line["actor_name"], line["post_title"]) == (name, "主任")
    assert line["org_name"] not in ("", factory.HEADQUARTERS)
    assert line["shown"][0]["text"] == (
        "「市町村への回答期限」10月20日(火) → 10月22日(木)。理由: システムが止まっていたため。"
    )
    assert queries.inbox(conn, who.bureau).rows[0]["due_day"] == date(2026, 10, 22)


def test_several_deadlines_of_one_case_are_one_event_and_inner_ones_stay_inside(at, db, conn, who, administrator):
    at(15)
    case = factory.opened(conn, who, first=date(2026, 12, 7))
    factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director")
    assert [(kind, day) for _, kind, day in days(conn)] == [
        ("judgement", date(2026, 10, 20)),
        ("reply", date(2026, 10, 29)),
    ]
    two = TYPED | {"last": "R8.10.29", "to": "R8.10.30"}
    extent = moving.extent(conn, moving.read(conn, factory.reader(conn, administrator), two))
    assert (extent.cases, extent.deadlines) == (1, 2), "the page says before what it says afterwards, in both figures"
    ordered(conn, administrator, last="R8.10.29", to="R8.10.30")
    assert moving.carry_out(db) == 1
    row = moving.listed(conn, factory.reader(conn, administrator))[0]
    assert (row["moved"], row["deadlines"]) == (1, 2)
    assert extensions(conn) == [(case, 1)]
    assert {day for _, _, day in days(conn)} == {date(2026, 10, 30)}
    kinds = "SELECT kind FROM content WHERE seq = (SELECT max(seq) FROM event) AND kind LIKE '%%extension' ORDER BY 1"
    assert conn.execute(kinds).fetchall() == [("extension",), ("internal:extension",)]
    shown = story.timeline(conn, cases.look(conn, who.municipality, case))[0]["shown"]
    assert len(shown) == 1
    assert "判断" not in shown[0]["text"]
    assert verify.verify(db).whole


class Killed(BaseException):
    """What a kill -9 does to the statements that follow."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_case_it_goes_on_and_each_case_has_one_event(at, db, conn, who, administrator, monkeypatch, when):
    made = [due_on_the_20th(conn, who) for _ in range(4)]
    ordered(conn, administrator)
    real, calls = case_sql.carry_out, []

    def dying(*given, **more):
        calls.append(1)
        if len(calls) % 2 == 0:
            if when == "after":
                real(*given, **more)  # in the transaction that dies with its worker
            raise Killed
        return real(*given, **more)

    monkeypatch.setattr(case_sql, "carry_out", dying)
    for _ in range(20):
        try:
            if not moving.carry_out(db):
                break
        except Killed:
            continue
    assert extensions(conn) == [(case, 1) for case in made]
    row = moving.listed(conn, factory.reader(conn, administrator))[0]
    assert (row["moved"], row["failed"], row["done_at"] is not None) == (4, 0, True)
    assert verify.verify(db).whole


def test_two_workers_at_once_move_each_case_once(at, fresh_database, db, conn, who, administrator):
    made = [due_on_the_20th(conn, who) for _ in range(6)]
    ordered(conn, administrator)
    others = [Database(fresh_database.app_url) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(moving.carry_out, others))
    moving.carry_out(db)
    for other in others:
        other.close()
    assert extensions(conn) == [(case, 1) for case in made]
    row = moving.listed(conn, factory.reader(conn, administrator))[0]
    assert (row["moved"], row["done_at"] is not None) == (6, True)


def test_one_case_that_cannot_be_moved_stops_no_other_and_is_shown(at, db, conn, who, administrator, monkeypatch):
    first, second = due_on_the_20th(conn, who), due_on_the_20th(conn, who)
    real = moving._params

    def failing(inside, told, order, case_id):
        if case_id == first:
            raise ValueError(case_id)
        return real(inside, told, order, case_id)

    monkeypatch.setattr(moving, "_params", failing)
    ordered(conn, administrator)
    assert moving.carry_out(db) == 1
    assert extensions(conn) == [(second, 1)]
    row = moving.listed(conn, factory.reader(conn, administrator))[0]
    assert (row["moved"], row["failed"]) == (1, 1)
    assert "期限は元のままです" in conn.execute("SELECT sentence FROM attention").fetchone()[0]


def test_what_begins_after_the_order_is_not_meant_by_it(at, db, conn, who, administrator):
    ordered(conn, administrator)
    due_on_the_20th(conn, who)
    assert moving.carry_out(db) == 0
    assert [day for _, _, day in days(conn)] == [date(2026, 10, 20)]


def test_one_office_alone_and_its_own_closure(at, db, conn, who, administrator, owner):
    case = due_on_the_20th(conn, who)
    ordered(conn, administrator, office="hk-sorachi")
    assert moving.carry_out(db) == 0
    owner.execute("INSERT INTO closure (day, office) VALUES ('2026-10-22', %s)", (who.office,))
    ordered(conn, administrator)
    moving.carry_out(db)
    assert days(conn) == [(case, "reply", date(2026, 10, 23))]


def test_people_are_told_once_and_reminders_run_anew(at, db, conn, who, administrator):
    due_on_the_20th(conn, who)
    outbox.deliver(db)
    seen = conn.execute("SELECT coalesce(max(id), 0) FROM message").fetchone()[0]
    at(20)
    assert watch.remind(db) == 1
    ordered(conn, administrator)
    moving.carry_out(db)
    outbox.deliver(db)
    told = conn.execute(
        "SELECT m.person_id, count(*) FROM message m JOIN outbox o ON o.id = m.outbox_id WHERE m.id > %s AND o.kind = 'notice' GROUP BY 1", (seen,)
    ).fetchall()  # fmt: skip
    assert dict(told) == dict.fromkeys(
        (who.bureau, who.bureau_colleague, who.municipality, who.municipality_colleague), 1
    )
    at(22)
    assert watch.remind(db) == 1
    rungs = conn.execute("SELECT rung, due_at FROM reminder ORDER BY id").fetchall()
    assert rungs == [(0, end_of(date(2026, 10, 20))), (0, end_of(date(2026, 10, 22)))]


@pytest.mark.parametrize(
    ("typed", "name", "sentence"),
    [
        ({"first": "きのう"}, "first", "日付として読めません"),
        ({"last": "R8.12.1"}, "last", "31日以内"),
        ({"last": "R8.10.19"}, "last", "同じか後の日"),
        ({"to": "R8.10.20"}, "to", "動かす期限の10月20日(火)より後"),
        ({"to": "R8.10.24"}, "to", "閉庁日です"),
        ({"office": "hk-nowhere"}, "office", "選び直して"),
        ({"reason": ""}, "reason", "理由を書いて"),
    ],
)
def test_what_cannot_be_is_refused_in_words(conn, administrator, typed, name, sentence):
    with pytest.raises(NotTaken) as refusal:
        moving.read(conn, factory.reader(conn, administrator), TYPED | typed)
    assert list(refusal.value.fields) == [name]
    assert sentence in refusal.value.fields[name]


def test_nobody_but_an_administrator(conn, who):
    for person in (who.bureau, who.director, who.headquarters, who.auditor):
        actor = factory.reader(conn, person)
        with pytest.raises(NotFound):
            moving.read(conn, actor, TYPED)
        with pytest.raises(NotFound):
            moving.listed(conn, actor)


def test_nothing_due_comes_to_nothing(conn, administrator):
    extent = moving.extent(conn, moving.read(conn, factory.reader(conn, administrator), TYPED))
    assert (extent.groups, extent.cases, extent.deadlines) == ([], 0, 0)


def test_moved_on_a_day_that_was_swept_it_reminds_of_the_new_day_at_once(at, db, conn, who, administrator):
    due_on_the_20th(conn, who)
    at(20)
    assert watch.remind(db) == 1
    ordered(conn, administrator, to="R8.10.21")  # of which the 20th is the day before
    moving.carry_out(db)
    assert watch.remind(db) == 1
    assert watch.remind(db) == 0
    rungs = conn.execute("SELECT rung, due_at FROM reminder ORDER BY id").fetchall()
    assert rungs == [(0, end_of(date(2026, 10, 20))), (-1, end_of(date(2026, 10, 21)))]


def test_the_content_is_json_with_the_reason(at, db, conn, who, administrator):
    due_on_the_20th(conn, who)
    ordered(conn, administrator)
    moving.carry_out(db)
    data = conn.execute("SELECT data FROM content WHERE kind = 'extension'").fetchone()[0]
    assert json.loads(bytes(data))["reason"] == TYPED["reason"]
