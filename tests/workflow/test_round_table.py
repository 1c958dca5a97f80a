"""A round table led by real acts: from the plan to the letter that drafts itself, its opinions, and headquarters' coordination."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from states.kernel import Refused
from tests import factory
from tests.round_table import PLAN, act, planned, reported
from workflow import cases, deriving, queries, telling, verify
from workflow.access import actor
from workflow.loading import NotFound, load
from workflow.web import offers

SOMU, NOSEI = "hk-somu", "hk-nosei"


def children(conn: Any, case: int) -> list[int]:
    return [row[0] for row in conn.execute("SELECT id FROM cases WHERE parent_id = %s ORDER BY id", (case,)).fetchall()]


def state(conn: Any, case: int) -> str:
    found: str = conn.execute("SELECT state FROM cases WHERE id = %s", (case,)).fetchone()[0]
    return found


def asked(conn: Any, person: int) -> list[tuple[int, str]]:
    return [(row["case_id"], row["ask"]) for row in queries.inbox(conn, person).rows]


@pytest.fixture
def table(conn, who):
    return planned(conn, who)


@pytest.fixture
def following(conn, who):
    """Held, reported and confirmed: three opinions are open, and one follow-up went to headquarters."""
    return reported(conn, who)


@pytest.fixture
def officers(conn):
    return {code: factory.person(conn, "department", code) for code in (SOMU, NOSEI)}


def test_the_page_that_asks_departments_says_that_they_are_next_and_are_told(conn, who, following, officers):
    case = children(conn, following)[3]
    view = cases.look(conn, who.headquarters, case)
    told = telling.before(conn, who.headquarters, case, view.offers)
    assert telling.CHOSEN in told["distribute"].split("、"), "whom it asks is written on the page itself"
    act(conn, who.headquarters, case, "distribute", {"distribution": {"items": [{"department": SOMU}]}})
    offer = next(o for o in view.offers if o.action.name == "distribute")
    assert {line.label: line.text for line in offers.effects(view, offer, view.facts)}["次の手番"] == "本庁各部"
    now = cases.look(conn, who.headquarters, case)
    told = telling.before(conn, who.headquarters, case, now.offers)
    assert telling.CHOSEN not in told["redistribute"], "who is asked already is named"
    name = conn.execute("SELECT name FROM organisation WHERE code = %s AND valid_to IS NULL", (SOMU,)).fetchone()[0]
    assert name in told["redistribute"]
    assert now.process.holder(now.state.name, now.origin) == "department"


def days(conn: Any, number: int = 20) -> str:
    return (cases.today(conn) + timedelta(days=number)).isoformat()


def test_a_plan_has_a_number_of_its_own_kind_and_opinions_are_its_branches(conn, who, following):
    number = load(conn, following, who.bureau).row.number
    assert number is not None
    assert "-円卓-" in number
    found = [load(conn, case, who.bureau).row for case in children(conn, following)]
    assert [row.number for row in found] == [f"{number}-{place}" for place in (1, 2, 3, 4)]
    assert [row.process for row in found] == ["opinion"] * 3 + ["coordination"]
    assert [row.form["voice"]["municipality"] for row in found[:3]] == [factory.MUNICIPALITY] * 3


def test_names_and_what_was_said_in_candour_stay_with_the_bureau(conn, who, following):
    opinion = children(conn, following)[0]
    for person, sees in ((who.bureau, True), (who.director, True), (who.headquarters, False)):
        assert ("speaker" in cases.look(conn, person, opinion).form) == sees
        view = cases.look(conn, person, following)
        assert ("people" in view.form, "notes" in view.form) == (sees, sees)
    # The municipality reads the meeting and its report; an opinion that it does not own is no case of its.
    seen = cases.look(conn, who.municipality, following).form
    assert "report" in seen
    assert not {"people", "notes", "follow"} & set(seen)
    for child in children(conn, following):
        with pytest.raises(NotFound):
            cases.look(conn, who.municipality, child)


def test_from_opinions_to_the_letter_that_drafts_itself(db, conn, who, following, officers):
    by_town, on_the_spot, by_headquarters, follow_up = children(conn, following)
    with pytest.raises(Refused, match="まだ終わっていない"):
        act(conn, who.bureau, following, "tell_region", {"feedback": {"text": "回答"}})
    # on the spot: done at once
    act(conn, who.bureau, on_the_spot, "handle", {"handling": {"way": "spot"}})
    assert state(conn, on_the_spot) == "opinion_settled"
    # the municipality: it joins this case only, and answers
    act(
        conn,
        who.bureau,
        by_town,
        "handle",
        {"handling": {"way": "municipality", "municipality": factory.MUNICIPALITY, "due": days(conn)}},
    )
    assert (by_town, "対応して、結果を知らせる") in asked(conn, who.municipality)
    act(conn, who.municipality, by_town, "report", text="看板を立てた。")
    seen = cases.look(conn, who.municipality, by_town).form
    assert not {"speaker", "asking", "inside"} & set(seen)
    act(
        conn,
        who.bureau,
        by_town,
        "answer",
        {"answer": {"grade": "A", "text": "町が看板を立てました。"}, "inside": {"text": "町の予算による。"}},
    )
    # headquarters: asked, sent to two departments, put together, told back
    ask = {
        "handling": {"way": "headquarters", "due": days(conn)},
        "asking": {"text": "要件の緩和", "why": "国の制度である", "quick": True},
    }
    act(conn, who.bureau, by_headquarters, "handle", ask)
    (coordination,) = children(conn, by_headquarters)
    assert [row for row in asked(conn, who.bureau) if row[0] == by_headquarters] == []
    both = {"distribution": {"items": [{"department": SOMU}, {"department": NOSEI}]}}
    act(conn, who.headquarters, coordination, "distribute", both)
    for code, officer in officers.items():
        assert (coordination, "照会に回答する") in asked(conn, officer)
        view = cases.look(conn, officer, coordination)
        assert "request" in view.form
        with pytest.raises(NotFound):
            cases.look(conn, officer, by_headquarters)
        act(conn, officer, coordination, "reply", answer="cannot", text=f"{code}としては難しい。")
    assert state(conn, coordination) == "coordination_replied"
    assert not [group for group in cases.look(conn, officers[SOMU], coordination).form if group.startswith("reply:")]
    with pytest.raises(NotFound):
        cases.look(conn, who.municipality, coordination)
    act(
        conn,
        who.headquarters,
        coordination,
        "inform",
        {"synthesis": {"text": "内部: 国と協議が要る。", "regional": "国に働きかけます。"}},
    )
    assert (by_headquarters, "地域への回答をまとめる") in asked(conn, who.bureau)
    begun = load(conn, by_headquarters, who.bureau)
    row = next(row for row in begun.process.table if row.name == "answer")
    assert row.begins is not None
    told = row.begins(begun.facts)
    assert told == {"answer": {"text": "国に働きかけます。"}, "inside": {"text": "内部: 国と協議が要る。"}}
    act(
        conn,
        who.bureau,
        by_headquarters,
        "answer",
        {"answer": {**told["answer"], "grade": "C"}, "inside": told["inside"]},
    )
    act(conn, who.headquarters, follow_up, "return_request", reason="局の所管である。")
    # the letter: every answer stands in its draft, and nothing from inside
    assert (following, "地域に回答する") in asked(conn, who.bureau)
    case = load(conn, following, who.bureau)
    tell = next(row for row in case.process.table if row.name == "tell_region")
    assert tell.begins is not None
    letter = tell.begins(case.facts)["feedback"]["text"]
    for words in ("町が看板を立てました。", "講習の日程をお伝えした", "国に働きかけます。"):
        assert words in letter
    for words in ("内部", "町の予算", "丘上"):
        assert words not in letter
    with pytest.raises(Refused, match="同意のない人の名前"):
        act(conn, who.bureau, following, "tell_region", {"feedback": {"text": f"{letter} 丘上太郎（仮名）"}})
    act(conn, who.bureau, following, "tell_region", {"feedback": {"text": letter, "way": "letter"}})
    act(conn, who.bureau, following, "close")
    assert state(conn, following) == "table_closed"
    assert not verify.run(db).breaks


def test_an_owner_is_asked_at_his_own_desk(conn, who, following):
    opinion = children(conn, following)[0]
    owner = factory.person(conn, "bureau", factory.OFFICE, section="商工労働観光課", title="係長")
    post = conn.execute("SELECT post_id FROM tenure WHERE person_id = %s", (owner,)).fetchone()[0]
    act(conn, who.bureau, opinion, "handle", {"handling": {"way": "bureau", "owner": str(post), "due": days(conn)}})
    assert (opinion, "対応して、結果を書く") in asked(conn, owner)
    assert opinion not in [case for case, _ in asked(conn, who.bureau)]
    act(conn, who.bureau_colleague, opinion, "report", text="関係者に伝えた。")
    assert state(conn, opinion) == "opinion_answering"


def test_an_opinion_leads_to_a_dispatch_that_knows_where_it_came_from(conn, who, following):
    opinion = children(conn, following)[0]
    act(conn, who.bureau, opinion, "handle", {"handling": {"way": "dispatch", "due": days(conn)}})
    reader = actor(conn, who.bureau)
    assert reader is not None
    draft = deriving.derive(conn, reader, opinion, "team", "", uuid4())
    form = load(conn, draft, who.bureau).row.form
    assert form["request"]["ground"] == "director.round_table"
    assert form["request"]["destination"]["municipality_code"] == factory.MUNICIPALITY
    assert form["thread"]["from"] == opinion


def test_the_same_opinion_is_merged_only_into_an_opinion(conn, who, following):
    one, other = children(conn, following)[:2]
    with pytest.raises(Refused, match="見つかりません"):
        act(conn, who.bureau, one, "merge", same_as=load(conn, following, who.bureau).row.number)
    act(conn, who.bureau, one, "merge", same_as=load(conn, other, who.bureau).row.number)
    assert state(conn, one) == "opinion_merged"
    assert conn.execute("SELECT kind, other_id FROM link WHERE case_id = %s", (one,)).fetchall() == [("merged", other)]


def test_help_with_holding_is_asked_of_headquarters(conn, who, table):
    act(conn, who.bureau, table, "request_help", what="専門家の紹介")
    (help_,) = children(conn, table)
    assert (help_, "関係する部に照会する") in asked(conn, who.headquarters)
    act(conn, who.bureau, help_, "withdraw", reason="自局で見つかった。")
    assert state(conn, help_) == "coordination_withdrawn"


def test_a_meeting_that_cannot_be_held_is_postponed_with_a_letter_or_cancelled(conn, who, table):
    act(conn, who.bureau, table, "ask_decision")
    act(conn, who.director, table, "approve")
    act(conn, who.bureau, table, "invite")
    act(conn, who.bureau, table, "postpone", cause="weather", reason="暴風雪のため。")
    form = load(conn, table, who.bureau).row.form
    assert form["stop"]["planned"] == form["plan"]["held_on"]
    assert conn.execute("SELECT count(*) FROM outbox WHERE kind = 'letter:postponed'").fetchone() == (1,)
    act(conn, who.bureau, table, "cancel_table", cause="weather", reason="日が取れない。")
    assert state(conn, table) == "table_cancelled"


def test_it_is_not_held_before_its_day(conn, who, table):
    later = load(conn, table, who.bureau).row.form["plan"] | {"held_on": days(conn, 40)}
    act(conn, who.bureau, table, "arrange", {"plan": later})
    act(conn, who.bureau, table, "ask_decision", reasons={})
    act(conn, who.director, table, "approve")
    act(conn, who.bureau, table, "invite")
    there = {
        side: {"items": [row | {"attended": True} for row in PLAN[side]["items"]]}
        for side in ("office_side", "region_side")
    }
    with pytest.raises(Refused, match="まだ来ていません"):
        act(conn, who.bureau, table, "hold", there)


def test_the_departments_of_the_profile_are_organisations(conn):
    rows = conn.execute("SELECT code, name FROM organisation WHERE kind = 'department' ORDER BY sort").fetchall()
    assert (SOMU, "総務部") in rows
    assert (NOSEI, "農政部") in rows
