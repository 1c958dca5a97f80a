"""The thread: a draft begun from a case, the tie its first event writes, ties by hand, and what each reader is told of them."""

from datetime import date, datetime
from uuid import uuid4

import pytest

from states import thread as ties
from states.kernel import Refused
from tests import factory
from workflow import cases, deriving, search, story, thread, tying, verify, watch
from workflow.cases import Conflict, KeyReused
from workflow.deadlines import TOKYO
from workflow.loading import NotFound, load

WHY = "空き家の台帳が残った課題として報告されたため。"
ROAD = ("submit", "receive", "propose_team", "put_to_director", "approve")


@pytest.fixture
def at(fresh_database):
    def shift(day: date) -> None:
        factory.set_clock(fresh_database.owner_url, datetime(day.year, day.month, day.day, 12, tzinfo=TOKYO))

    shift(date(2026, 9, 1))
    return shift


@pytest.fixture
def reported(at, db, conn, who):
    """A dispatch from the request to its report."""
    made = factory.opened(conn, who, first=date(2026, 9, 28))
    factory.drive(conn, who, made, *ROAD)
    at(date(2026, 10, 5))
    watch.move(db)
    left = {
        "result": {"results": "骨子ができた。", "issues": "空き家の台帳がない。", "follow_up": "台帳づくりを助ける。"}
    }
    factory.drive(
        conn, who, made, "file_trip_report", ("file_trip_report", {"by": who.staff_colleague}), ("file_result", {"form": left})
    )  # fmt: skip
    return made


def reader(conn, person):
    return factory.reader(conn, person)


def begin(conn, person, case, name="next", why=WHY, key=None):
    return deriving.derive(conn, reader(conn, person), case, name, why, key or uuid4())


def number(conn, case):
    return conn.execute("SELECT number FROM cases WHERE id = %s", (case,)).fetchone()[0]


def links(conn):
    return conn.execute("SELECT case_id, other_id, kind, seq FROM link ORDER BY 1, 2").fetchall()


def put_in(conn, who, case):
    """The derived draft is written to its end and drafted."""
    view = cases.look(conn, who.bureau, case)
    start = factory.first_day(conn)
    request = {
        **view.form["request"], "ground": "director.other", "own_affairs": "no", "concurrent_appointment": "not_needed",
        "period": {"from": start.isoformat(), "to": start.isoformat()}, "tasks": [{"text": "台帳の様式づくり", "role": "advice"}],
        "instruction": {"given_on": cases.today(conn).isoformat(), "text": "町に行って助言すること。"},
    }  # fmt: skip
    cases.save(conn, who.bureau, case, {"request": request}, view.saves)
    cases.save(conn, who.bureau, case, factory.team(conn, who, case), view.saves + 1)
    factory.drive(conn, who, case, ("put_to_director", {"form": {}}))


def test_a_draft_comes_filled_in_is_made_once_and_ties_itself_by_its_first_event(db, conn, who, reported):
    key = uuid4()
    draft = begin(conn, who.bureau, reported, key=key)
    assert begin(conn, who.bureau, reported, key=key) == draft
    with pytest.raises(KeyReused):
        begin(conn, who.bureau, reported, why="別の訳", key=key)
    view = cases.look(conn, who.bureau, draft)
    assert (view.process.key, view.origin, view.version) == ("dispatch", "director", 0)
    asked = view.read.request
    assert (asked.source, asked.office_code) == (f"前の派遣 {number(conn, reported)}", who.office)
    assert asked.purpose == "空き家の台帳がない。\n台帳づくりを助ける。"
    assert asked.destination.municipality_code == who.place
    # Until it is put in, only its own office knows of it, and there is no tie in history.
    assert [d["id"] for d in thread.drafts(conn, reader(conn, who.bureau), reported)] == [draft]
    assert thread.drafts(conn, reader(conn, who.municipality), reported) == []
    assert not thread.of_case(conn, reader(conn, who.bureau), reported)
    assert load(conn, reported, who.bureau).facts.registers["derived"] == []
    put_in(conn, who, draft)
    assert links(conn) == [(draft, reported, "origin", 1)]
    assert [one["id"] for one in load(conn, reported, who.bureau).facts.registers["derived"]] == [draft]
    came = load(conn, draft, who.bureau).facts.registers["origin_case"]
    assert (came["id"], came["state"], came["final"], came["outcome"]) == (reported, "reported", True, "派遣した")
    assert thread.drafts(conn, reader(conn, who.bureau), reported) == []
    assert verify.verify(db).breaks == []


def test_the_thread_is_told_from_its_beginning_with_who_when_and_why(conn, who, reported):
    draft = begin(conn, who.bureau, reported)
    put_in(conn, who, draft)
    for case in (reported, draft):
        told = thread.of_case(conn, reader(conn, who.director), case)
        (root,) = told.roots
        assert (root.node.id, [b.node.id for b in root.below]) == (reported, [draft])
        assert [n.id for n in told.nodes.values() if n.here] == [case]
        (strand,) = told.strands
        assert (strand.why, strand.kind, strand.earlier, strand.later) == (WHY, "origin", reported, draft)
        assert "主査" in strand.who
        assert root.node.final
        assert root.node.outcome == "派遣した"
    # The municipality reads both cases, but not why the office began the second one.
    told = thread.of_case(conn, reader(conn, who.municipality), reported)
    assert [s.why for s in told.strands] in ([], [""])
    assert ties.GROUP not in cases.look(conn, who.municipality, reported).form


def test_what_one_may_not_see_ends_the_walk(conn, who, reported):
    """A third party of the last case alone is told of that one and of nothing before it."""
    draft = begin(conn, who.bureau, reported)
    put_in(conn, who, draft)
    last = factory.opened(conn, who, title="三つ目の件")
    factory.drive(conn, who, last, "submit", "receive")
    tie(conn, who.bureau, last, draft, kind="origin")
    stranger = factory.person(conn, "bureau", "hk-soya")
    conn.execute(
        "INSERT INTO party (case_id, org_code, part, valid_from) VALUES (%s, 'hk-soya', 'co_office', '2026-04-01')",
        (last,),
    )
    assert not thread.of_case(conn, reader(conn, stranger), last)
    whole = thread.of_case(conn, reader(conn, who.bureau), last)
    assert set(whole.nodes) == {reported, draft, last}
    # The middle one is seen, too: it is told, and still not what lies behind it.
    conn.execute(
        "INSERT INTO party (case_id, org_code, part, valid_from) VALUES (%s, 'hk-soya', 'co_office', '2026-04-01')",
        (draft,),
    )
    assert set(thread.of_case(conn, reader(conn, stranger), last).nodes) == {draft, last}


@pytest.fixture
def pair(at, conn, who):
    made = [factory.opened(conn, who, title=title) for title in ("はじめの件", "つぎの件")]
    for case in made:
        factory.drive(conn, who, case, "submit", "receive")
    return made


def tie(conn, person, case, other, kind="successor", why=WHY, **how):
    version = how.get("version", factory.version(conn, case))
    told = other if isinstance(other, str) else number(conn, other)
    return tying.tie(conn, person, case, kind, told, why, version=version, key=how.get("key") or uuid4())


def test_a_tie_by_hand_is_one_event_with_its_reason_and_moves_nothing(db, conn, who, pair):
    first, second = pair
    before, key = load(conn, second, who.bureau), uuid4()
    done = tie(conn, who.bureau, second, first, version=before.row.version, key=key)
    assert (done.version, done.state) == (before.row.version + 1, before.row.state)
    assert tie(conn, who.bureau, second, first, version=before.row.version, key=key).replayed
    after = load(conn, second, who.bureau)
    assert (after.row.steps, after.row.deadlines) == (before.row.steps, before.row.deadlines)
    assert links(conn) == [(second, first, "successor", done.version)]
    told = thread.of_case(conn, reader(conn, who.bureau), first)
    assert [(r.node.id, [b.node.id for b in r.below]) for r in told.roots] == [(first, [second])]
    view = cases.look(conn, who.bureau, second)
    line = story.timeline(conn, view)[0]
    assert (line["action_label"], line["shown"][0]["text"], line["shown"][0]["internal"]) == ("経緯につなぐ", WHY, True)
    assert story.timeline(conn, cases.look(conn, who.municipality, second))[0]["shown"] == []
    assert verify.verify(db).breaks == []


@pytest.mark.parametrize(
    ("change", "field"),
    [({"kind": "merged"}, "kind"), ({"other": "上川-R8-999"}, "number"), ({"why": " "}, "why"), ({"why": "あ" * 501}, "why")],
)  # fmt: skip
def test_a_tie_that_says_too_little_is_refused_with_its_fields(conn, who, pair, change, field):
    first, second = pair
    before = factory.version(conn, second)
    with pytest.raises(Refused) as refused:
        tie(conn, who.bureau, second, change.pop("other", first), **change)
    assert [v.field for v in refused.value.verdicts] == [field]
    assert factory.version(conn, second) == before
    assert links(conn) == []


def test_a_tie_is_made_once_taken_away_with_a_reason_and_made_again(conn, who, pair):
    first, second = pair
    tie(conn, who.bureau, second, first)
    with pytest.raises(Refused, match="もう同じようにつながっています"):
        tie(conn, who.bureau, second, first)
    with pytest.raises(Conflict):
        tie(conn, who.bureau, second, first, kind="quoted", version=1)
    assert tying.by_hand(conn, second) == {(first, "successor")}

    def untie(why: str = "取り違えたため。") -> cases.Done:
        version = factory.version(conn, second)
        return tying.untie(conn, who.bureau, second, "successor", first, why, version=version, key=uuid4())

    with pytest.raises(Refused, match="理由"):
        untie("")
    untie()
    assert links(conn) == []
    assert not thread.of_case(conn, reader(conn, who.bureau), second)
    with pytest.raises(Refused, match="いまはありません"):
        untie()
    tie(conn, who.bureau, second, first)
    assert [row[2] for row in links(conn)] == ["successor"]


def test_only_the_offices_tie_and_only_to_what_they_see(conn, who, pair):
    first, second = pair
    with pytest.raises(Refused) as refused:
        tie(conn, who.municipality, second, first)
    assert refused.value.kind == "role"
    elsewhere = factory.cast(conn, "hk-soya", "012149")
    foreign = factory.opened(conn, elsewhere, title="宗谷の件")
    factory.drive(conn, elsewhere, foreign, "submit", "receive")
    with pytest.raises(Refused) as refused:
        tie(conn, who.bureau, second, foreign)
    assert [v.field for v in refused.value.verdicts] == ["number"]
    with pytest.raises(NotFound):
        tie(conn, who.bureau, foreign, first)
    assert tie(conn, who.headquarters, second, foreign, kind="quoted").version
    # Headquarters sees both ends; the bureau is told of no tie at all.
    assert {n.id for _, _, n in thread.of_case(conn, reader(conn, who.headquarters), second).beside} == {foreign}
    assert not thread.of_case(conn, reader(conn, who.bureau), second)


def test_ties_in_a_circle_are_walked_once(conn, who, pair):
    first, second = pair
    tie(conn, who.bureau, second, first)
    tie(conn, who.bureau, first, second)
    told = thread.of_case(conn, reader(conn, who.bureau), first)
    assert set(told.nodes) == {first, second}
    assert [r.node.id for r in told.roots] == [first]
    assert told.roots[0].below[0].below[0].again


def test_who_may_not_begin_begins_nothing(conn, who, reported, pair):
    assert [w.key for w in deriving.ways(reader(conn, who.bureau), cases.look(conn, who.bureau, reported))] == ["next"]
    assert deriving.ways(reader(conn, who.municipality), cases.look(conn, who.municipality, reported)) == []
    with pytest.raises(Refused) as refused:
        begin(conn, who.municipality, reported)
    assert refused.value.kind == "role"
    with pytest.raises(Refused):
        begin(conn, who.bureau, pair[0])  # not in that state
    with pytest.raises(NotFound):
        begin(conn, who.bureau, reported, name="nothing")
    with pytest.raises(Refused, match="500字まで"):
        begin(conn, who.bureau, reported, why="あ" * 501)
    assert links(conn) == []


def test_a_dropped_draft_leaves_no_tie_and_a_page_cannot_write_one(conn, who, reported):
    draft = begin(conn, who.bureau, reported)
    view = cases.look(conn, who.bureau, draft)
    with pytest.raises(Refused):
        cases.save(conn, who.bureau, draft, {ties.GROUP: ties.begun(1, "よそ")}, view.saves)
    with pytest.raises(Refused):
        cases.open_case(conn, who.bureau, "dispatch", "director", {ties.GROUP: ties.begun(reported, "")})
    cases.save(conn, who.bureau, draft, {"request": {**view.form["request"], "title": "直した件名"}}, view.saves)
    assert ties.of(load(conn, draft, who.bureau).row.form) == ties.Beginning(reported, "origin", WHY)
    cases.delete_draft(conn, who.bureau, draft)
    assert links(conn) == []


def test_where_it_came_from_is_no_word_of_the_search(conn, who, reported):
    draft = begin(conn, who.bureau, reported)
    put_in(conn, who, draft)
    (source,) = search.sources(conn, [draft])
    assert not [part for part in source.parts if WHY in part.text]


def test_an_open_case_hears_how_the_one_that_came_of_it_ended(db, conn, who, pair):
    """The tie of a draft that was begun from an open case, as a process may declare it; the derived one is withdrawn."""
    first, _ = pair
    came = cases.open_case(
        conn, who.municipality, "dispatch", "municipality_request", factory.request_form(conn, who, title="次の件"),
        begun=ties.begun(first, WHY),
    )  # fmt: skip
    factory.drive(conn, who, came, "submit", "receive")
    before = load(conn, first, who.bureau)
    factory.drive(conn, who, came, ("withdraw", {"by": who.municipality}))
    after = load(conn, first, who.bureau)
    assert (after.row.version, after.row.state) == (before.row.version + 1, before.row.state)
    assert after.row.steps == before.row.steps
    line = story.timeline(conn, cases.look(conn, who.bureau, first))[0]
    assert (line["action"], line["shown"][0]["text"]) == (
        "derived_ended",
        "飛び出し隊 派遣が「取り下げた」で終わりました",
    )
    assert story.timeline(conn, cases.look(conn, who.municipality, first))[0]["shown"] == []
    assert verify.verify(db).breaks == []


def test_a_case_that_is_over_hears_nothing_more(conn, who, reported):
    draft = begin(conn, who.bureau, reported)
    put_in(conn, who, draft)
    version = factory.version(conn, reported)
    factory.drive(conn, who, draft, ("decline", {"by": who.director}))
    assert factory.version(conn, reported) == version
