"""Organisations end, move and hand on: a merger with its successor, a request passed on, and what the one who left still reads.

Every door is tried: the page, the list, the search, the story, files, remarks, letters, the auditor's view and the export.
"""

import json
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest

from states.kernel import Refused
from tests import factory
from workflow import (
    attachments,
    cases,
    comments,
    duplicates,
    export,
    finding,
    narrowing,
    queries,
    story,
    succession,
    verify,
)
from workflow.access import actor
from workflow.deadlines import TOKYO
from workflow.documents import letters
from workflow.finding import Wanted
from workflow.loading import NotFound, load
from workflow.reach import reach

BEFORE = datetime(2026, 12, 28, 9, tzinfo=TOKYO)
MERGED = date(2027, 1, 1)
AFTER = datetime(2027, 1, 4, 0, 0, 10, tzinfo=TOKYO)
NEW = "014999"  # an invented town that takes over two others
OTHER = "014583"


@pytest.fixture
def clock(fresh_database):
    def at(when):
        factory.set_clock(fresh_database.owner_url, when)

    at(BEFORE)
    return at


@pytest.fixture
def merge(owner):
    """The towns end on the last day of the year, a new one begins on the first."""

    def merged(*codes, into=NEW, first=MERGED):
        for code in codes:
            owner.execute(
                "UPDATE organisation SET valid_to = %s, successor = %s WHERE code = %s AND valid_to IS NULL",
                (first - timedelta(1), into, code),
            )
        owner.execute(
            "INSERT INTO organisation (code, kind, name, short, kana, office, sort, contact, valid_from)"
            " VALUES (%s, 'municipality', '丘野市', '丘野市', 'オカノシ', %s, 1, '', %s)",
            (into, factory.OFFICE, first),
        )

    return merged


def rows(conn, text, *values):
    return conn.execute(text, values).fetchall()


def parties(conn, case):
    return {
        (part, org)
        for part, org in rows(conn, "SELECT part, org_code FROM party WHERE case_id = %s AND valid_to IS NULL", case)
    }


# ── a merger ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_on_the_first_day_the_new_town_takes_the_place_in_every_open_case_and_only_there(conn, db, who, clock, merge):
    first = date(2027, 2, 1)
    waiting, asked, closed, draft = (factory.opened(conn, who, first=first, title=t) for t in "甲乙丙丁")
    factory.drive(conn, who, waiting, "submit", "receive")
    factory.drive(conn, who, asked, "submit", "receive", "ask_correction")
    factory.drive(conn, who, closed, "submit", "withdraw")
    merge(factory.MUNICIPALITY, OTHER)
    assert succession.take_over(db) == 0, "the old year is not over"
    clock(AFTER)
    heir = factory.person(conn, "municipality", NEW)
    assert succession.take_over(db) == 2
    assert succession.take_over(db) == 0, "once"
    for case in (waiting, asked):
        view = cases.look(conn, heir, case)
        assert ("requester", NEW) in parties(conn, case)
        assert ("requester", factory.MUNICIPALITY) not in parties(conn, case)
        assert view.form["contact"]["municipality_name"] == "美瑛町", "the form keeps what was written"
        line = story.timeline(conn, view)[0]
        assert (line["action_label"], line["shown"][0]["text"]) == ("合併などで引き継ぐ", "美瑛町 → 丘野市")
    [(org, role)] = rows(conn, "SELECT org_code, role FROM step WHERE case_id = %s AND closed_at IS NULL", asked)
    assert (org, role) == (NEW, "municipality"), "the step waits at the new desk"
    assert ("requester", factory.MUNICIPALITY) in parties(conn, closed)
    assert cases.look(conn, heir, draft).saves == 0, "a draft belongs to the new office"
    with pytest.raises(NotFound):
        cases.look(conn, who.municipality, draft)
    factory.drive(conn, who, asked, ("resubmit", {"by": heir}))
    assert ("requester", NEW) in parties(conn, asked)
    assert verify.verify(db).whole
    [told] = rows(conn, "SELECT payload FROM outbox WHERE case_id = %s AND seq = 4 AND kind = 'notice'", asked)
    assert told[0]["asks"][0][0] == NEW


def test_two_towns_of_one_request_become_one_and_it_is_followed_through_a_second_merger(
    conn, db, who, clock, merge, owner
):
    partners = [{"municipality_code": OTHER, "municipality_name": ""}]
    case = factory.opened(conn, who, first=date(2027, 2, 1), partners=partners)
    factory.drive(conn, who, case, "submit")
    merge(factory.MUNICIPALITY, OTHER)
    merge(NEW, into="014998", first=date(2027, 1, 3))
    clock(AFTER)
    assert succession.take_over(db) == 1
    assert parties(conn, case) == {("requester", "014998"), ("partner", "014998"), ("lead", factory.OFFICE)}
    heir = factory.person(conn, "municipality", "014998")
    factory.drive(conn, who, case, ("partner_agree", {"by": heir}))
    view = cases.look(conn, who.bureau, case)
    assert view.form[f"consent:{OTHER}"]["answer"] == "agree", "the form knows the partner by the code that was written"
    assert [step["role"] for step in view.steps] == ["bureau"]
    assert verify.verify(db).whole


def test_a_case_that_somebody_moved_meanwhile_is_taken_over_by_the_next_tick(conn, db, who, clock, merge, monkeypatch):
    case = factory.opened(conn, who, first=date(2027, 2, 1))
    factory.drive(conn, who, case, "submit")
    merge(factory.MUNICIPALITY)
    clock(AFTER)
    loaded = load

    def slow(*arguments):
        found = loaded(*arguments)
        factory.drive(conn, who, case, "receive")
        monkeypatch.setattr(succession, "load", loaded)
        return found

    monkeypatch.setattr(succession, "load", slow)
    assert succession.take_over(db) == 0
    assert succession.take_over(db) == 1
    assert verify.verify(db).whole


def test_a_bureau_that_ends_hands_its_cases_on(conn, db, who, clock, owner):
    case = factory.opened(conn, who, first=date(2027, 2, 1))
    factory.drive(conn, who, case, "submit", "receive")
    owner.execute(
        "UPDATE organisation SET valid_to = '2026-12-31', successor = %s WHERE code = %s", (RIGHT, who.office)
    )
    clock(AFTER)
    heir = factory.person(conn, "bureau", RIGHT)
    assert succession.take_over(db) == 1
    view = cases.look(conn, heir, case)
    assert (view.lead, [step["org_code"] for step in view.steps]) == (RIGHT, [RIGHT])
    assert cases.look(conn, who.bureau, case).ended == "引継ぎ済み"
    factory.drive(conn, who, case, ("ask_correction", {"by": heir}))
    assert verify.verify(db).whole


def test_a_code_that_goes_on_under_another_name_is_no_succession(conn, db, who, clock, owner):
    case = factory.opened(conn, who, first=date(2027, 2, 1))
    factory.drive(conn, who, case, "submit")
    owner.execute(
        "UPDATE organisation SET valid_to = '2026-12-31', successor = code WHERE code = %s AND valid_to IS NULL",
        (who.place,),
    )
    owner.execute(
        "INSERT INTO organisation (code, kind, name, short, kana, office, sort, contact, valid_from)"
        " VALUES (%s, 'municipality', '美瑛市', '美瑛市', '', %s, 1, '', '2027-01-01')", (who.place, who.office),
    )  # fmt: skip
    clock(AFTER)
    assert succession.take_over(db) == 0
    assert cases.look(conn, who.municipality, case).version == 1


def test_one_that_cannot_be_written_is_shown_to_its_holder_and_stops_no_other(conn, db, who, clock, merge, monkeypatch):
    one, two = (factory.opened(conn, who, first=date(2027, 2, 1), title=t) for t in "甲乙")
    for case in (one, two):
        factory.drive(conn, who, case, "submit")
    merge(factory.MUNICIPALITY)
    clock(AFTER)
    loaded = load

    def broken(conn, case, person):
        if case == one:
            raise ValueError
        return loaded(conn, case, person)

    monkeypatch.setattr(succession, "load", broken)
    assert succession.take_over(db) == 1
    [shown] = queries.inbox(conn, who.bureau).attention
    assert (shown["case_id"], shown["kind"]) == (one, succession.HELD_UP)


# ── passed on ───────────────────────────────────────────────────────────────────────────────────────────────────────

RIGHT, THERE = "hk-sorachi", "012181"  # the bureau, and a town of its area
SECRET = "転送した後だけに書かれたこと"


@pytest.fixture
def new_office(conn):
    """The people of the bureau that takes over."""
    return {role: factory.person(conn, role, RIGHT) for role in ("bureau", "director", "staff", "records")}


@pytest.fixture
def passed(conn, db, who, clock, new_office):
    """A request that was received, passed on, and went on to its decision at the other bureau."""
    case = factory.opened(conn, who, title="転送される件")
    factory.drive(conn, who, case, "submit", "receive")
    note(conn, who.bureau, case, "転送の前の相談")
    factory.drive(conn, who, case, ("forward", {"inputs": {"office": RIGHT, "reason": "所管が違うため。"}}))
    clerk = new_office["bureau"]
    note(conn, clerk, case, SECRET)
    form = factory.request_form(conn, who, title=SECRET, purpose=SECRET)
    form["request"] |= {"office_code": RIGHT, "destination": {"type": "municipality", "municipality_code": THERE}}
    form["contact"] = {"municipality_code": THERE}
    factory.drive(conn, who, case, ("ask_correction", {"by": clerk, "inputs": {"reason": SECRET}}))
    factory.drive(conn, who, case, ("resubmit", {"form": form}))
    team = factory.team(conn, who, case, people=(new_office["staff"],))
    factory.drive(conn, who, case, ("propose_team", {"by": clerk, "form": team}),
                  ("put_to_director", {"by": clerk, "inputs": {"note": SECRET}}),
                  ("decline", {"by": new_office["director"], "inputs": {"reason": SECRET, "internal_reason": SECRET}}))  # fmt: skip
    return case


def note(conn, person, case, text):
    comments.add(conn, reader_of(conn, person), case, scope="internal", body=text, key=uuid4())


def reader_of(conn, person):
    found = actor(conn, person)
    assert found is not None
    return found


def test_the_new_bureau_has_everything_and_the_old_one_the_case_as_it_was(conn, db, who, passed, new_office):
    now = cases.look(conn, new_office["bureau"], passed)
    assert (now.lead, now.state.final, now.ended, now.number) == (RIGHT, True, "", "上川-R8-001")
    then = cases.look(conn, who.bureau, passed)
    assert (then.ended, then.version, then.state.name, then.title) == (
        "転送済み",
        3,
        "municipal_request",
        "転送される件",
    )
    assert (list(then.offers), list(then.steps), list(then.deadlines), then.working, then.editable) == (
        [],
        [],
        [],
        None,
        frozenset(),
    )
    assert then.form["forwarding"]["rows"][0]["reason"] == "所管が違うため。"
    assert {"form", "contact", "receipt"} & set(then.form) == {"contact", "receipt"}
    lines = story.timeline(conn, then)
    assert [line["action"] for line in lines] == ["forward", "receive", "submit"]
    assert verify.verify(db).whole


def test_no_door_shows_the_old_bureau_anything_later(conn, db, who, passed, new_office):
    """The same reader, every way in; what was written afterwards stands nowhere, nor is it counted."""
    for role in ("bureau", "director", "records"):
        person = getattr(who, role)
        reader = reader_of(conn, person)
        view = cases.look(conn, person, passed)
        told = [
            json.dumps(view.form, ensure_ascii=False), view.title, repr(story.timeline(conn, view)),
            repr(story.letters(conn, view)),
        ]  # fmt: skip
        far = reach(view.roles, view.may_read, view.version)
        told += [repr(comments.listed(conn, passed, far)), repr(attachments.listed(conn, passed, far))]
        for kind in ("decline_notice", "decision_notice"):
            with pytest.raises(NotFound):
                letters.render(conn, passed, kind, person)
        found = finding.find(conn, reader, Wanted())
        told.append(repr(found.rows) + repr(found.facets))
        assert [(row["case_id"], row["word"], row["number"]) for row in found.rows] == [
            (passed, "転送済み", "上川-R8-001")
        ]
        for wanted in (
            Wanted(finding.words_of(SECRET)),
            Wanted(states=("declined",)),
            Wanted(office=RIGHT),
            Wanted(due_first=True),
        ):
            assert (finding.find(conn, reader, wanted).total, finding.count(conn, reader, wanted, 10)) == (0, 0)
        told.append(repr(queries.inbox(conn, person)) + repr(narrowing.choices(conn, person)))
        seen = queries.events(conn, person).rows
        assert [row["seq"] for row in seen] == [3, 2, 1]
        told.append(repr(seen))
        keys = export.take(conn, person, "csv")
        assert [seq for _, seq in keys] == [1, 2, 3]
        told += [b"".join(make(db, reader, keys)).decode() for make in (export.as_csv, export.as_json_lines)]
        told.append(repr(queries.case_names(conn, person, [passed])))
        process = view.process
        form = factory.request_form(conn, who, title=SECRET)
        told.append(repr(duplicates.find(conn, person, process, form, [who.place])))
        for piece in told:
            assert SECRET not in piece, piece
            assert "declined" not in piece


def test_what_was_there_before_is_still_there(conn, db, who, passed):
    view = cases.look(conn, who.bureau, passed)
    far = reach(view.roles, view.may_read, view.version)
    assert [remark.body for remark in comments.listed(conn, passed, far)] == ["転送の前の相談"]
    assert (far.adds, far.remark_scopes, far.file_scopes) == (False, (), ())


def test_who_has_left_does_nothing_any_more(conn, db, who, passed):
    for action, version in (("receive", 3), ("ask_correction", 3), ("forward", 3), ("withdraw", 3)):
        with pytest.raises(Refused) as refusal:
            cases.act(
                conn, who.bureau, passed, action, version=version, key=uuid4(), inputs={"reason": "x", "office": RIGHT}
            )
        assert refusal.value.kind in ("role", "state")
    with pytest.raises(cases.Conflict) as clash:
        cases.act(conn, who.bureau, passed, "ask_correction", version=2, key=uuid4(), inputs={"reason": "x"})
    assert clash.value.version == 3, "who was first is told as far as one may know"
    with pytest.raises(Refused):
        cases.save(conn, who.bureau, passed, {"team": {"members": []}}, 0)
    with pytest.raises(NotFound):
        cases.delete_draft(conn, who.bureau, passed)
    with pytest.raises(Refused):
        comments.add(conn, reader_of(conn, who.bureau), passed, scope="internal", body="まだ言いたい", key=uuid4())
    assert load(conn, passed, who.bureau).held == {}


def test_the_municipality_goes_on_as_before(conn, who, passed):
    view = cases.look(conn, who.municipality, passed)
    assert (view.ended, view.title, view.state.final) == ("", SECRET, True)


def test_passed_back_it_is_theirs_again(conn, db, who, new_office):
    case = factory.opened(conn, who)
    back = {"by": new_office["bureau"], "inputs": {"office": who.office, "reason": "やはりそちらです。"}}
    factory.drive(
        conn,
        who,
        case,
        "submit",
        ("forward", {"inputs": {"office": RIGHT, "reason": "所管が違うため。"}}),
        ("forward", back),
        "receive",
    )
    view = cases.look(conn, who.bureau, case)
    assert (view.ended, view.lead, view.version, bool(view.offers)) == ("", who.office, 4, True)
    assert cases.look(conn, new_office["bureau"], case).version == 3
    assert verify.verify(db).whole


def test_conditions_go_along(conn, db, who, new_office):
    """What stands under a case is read by whoever reads the case."""
    case = factory.opened(conn, who, own_affairs="yes")
    condition = {
        "conditions": {
            "items": [{"text": "協定を結ぶこと。", "owner": "bureau", "due": "2099-01-31", "stops": "begin"}]
        }
    }
    factory.drive(conn, who, case, "submit", "receive", "consult")
    factory.drive(conn, who, case, ("agree_with_conditions", {"by": who.headquarters, "inputs": {}, "form": condition}))
    [(child,)] = rows(conn, "SELECT id FROM cases WHERE parent_id = %s", case)
    factory.drive(conn, who, case, ("forward", {"inputs": {"office": RIGHT, "reason": "所管が違うため。"}}))
    assert cases.look(conn, new_office["bureau"], child).lead == RIGHT
    assert cases.look(conn, who.bureau, child).ended
    assert verify.verify(db).whole
