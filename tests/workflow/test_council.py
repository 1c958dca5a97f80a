"""A body with its sessions, duties and projects, led by real acts: a session from the call to minutes that are published."""

from datetime import timedelta

import pytest

from states.kernel import Refused
from tests import council, factory
from tests.council import AGENDA, BODY, OTHER, act, children, convened, held
from workflow import audience, cases, queries, verify
from workflow.loading import NotFound, load


@pytest.fixture
def member(conn):
    return factory.person(conn, "municipality", OTHER)


@pytest.fixture
def body(conn, who, member):
    return council.body(conn, who)


@pytest.fixture
def session(conn, who, body):
    return council.called(conn, who, body)


def test_a_session_begins_with_the_members_of_the_day(conn, who, body, session, member):
    form = cases.look(conn, member, session).form
    assert [row["organisation"] for row in form["attendance"]["items"]] == ["上川総合振興局", "美瑛町"]
    assert form["meeting"]["round"] == "1"
    assert form["meeting"]["chair"] == "上川総合振興局 局長 川上（仮名）"
    act(conn, who.bureau, body, "call_session", format="writing")
    second = children(conn, body)[-1][0]
    assert cases.look(conn, who.bureau, second).title == "上川地域づくり連携会議 第2回"


def test_who_joins_reads_and_who_left_reads_to_that_day(conn, who, body, session, member):
    changed = {"body": BODY["body"] | {"municipalities": factory.MUNICIPALITY}}
    act(conn, who.bureau, body, "revise_members", changed)
    assert cases.look(conn, member, body).title == "上川地域づくり連携会議"
    assert not cases.look(conn, member, body).offers
    act(conn, who.bureau, body, "call_session", format="face")
    with pytest.raises(NotFound):
        cases.look(conn, member, children(conn, body)[-1][0])


def test_members_answer_one_by_one_and_are_asked_no_more(db, conn, who, session, member):
    convened(conn, who, session)
    waiting = {row["case_id"] for row in queries.inbox(conn, member).rows}
    assert session in waiting
    act(conn, member, session, "answer", answer="proxy", proxy="課長 北（仮名）")
    assert session not in {row["case_id"] for row in queries.inbox(conn, member).rows}
    assert session in {row["case_id"] for row in queries.inbox(conn, who.municipality).rows}
    form = cases.look(conn, who.bureau, session).form
    assert form[f"answer:{OTHER}"]["proxy"] == "課長 北（仮名）"
    assert not verify.run(db).breaks


def test_a_session_is_refused_for_what_it_lacks(conn, who, session):
    with pytest.raises(Refused, match="開く日"):
        act(conn, who.bureau, session, "ask_convening")
    form = load(conn, session, who.bureau).row.form
    soon = {**form["meeting"], "held_on": factory.first_day(conn, after=5).isoformat(), "place": "庁舎"}
    act(conn, who.bureau, session, "arrange", {"meeting": soon, "agenda": AGENDA})
    asked = next(o for o in cases.look(conn, who.bureau, session).offers if o.action.name == "ask_convening")
    assert [v.sentence for v in asked.warnings if "4週間前" in v.sentence]
    assert asked.allowed, "what is late is said, not refused"


def test_two_materials_of_one_number_and_a_silent_replacement_are_refused(conn, who, session):
    twice = {"items": [{"no": "資料1", "title": "一つ"}, {"no": "資料1", "title": "二つ"}]}
    with pytest.raises(Refused, match="2つあります"):
        act(conn, who.bureau, session, "arrange", {"materials": twice})
    convened(conn, who, session)
    replaced = {"items": [{"no": "資料1-1", "title": "進み具合", "came": True, "edition": "2"}]}
    act(conn, who.bureau, session, "send_materials")
    with pytest.raises(Refused, match="理由"):
        act(conn, who.bureau, session, "replace_materials", {"materials": replaced})
    replaced["items"][0]["why"] = "数字に誤りがあった"
    act(conn, who.bureau, session, "replace_materials", {"materials": replaced})


def test_what_was_agreed_becomes_cases_with_owners(conn, who, session, member):
    due = (cases.today(conn) + timedelta(days=60)).isoformat()
    held(conn, who, session, [
        {"no": "1", "what": "案内板の様式をそろえる", "owner_kind": "municipality", "municipality": OTHER, "due": due},
        {"no": "1", "what": "事例を配る", "owner_kind": "office", "due": due},
    ])  # fmt: skip
    (theirs, _), (ours, _) = children(conn, session)
    assert theirs in {row["case_id"] for row in queries.inbox(conn, member).rows}
    assert ours in {row["case_id"] for row in queries.inbox(conn, who.bureau).rows}
    act(conn, member, theirs, "report", text="案内板の案をまとめた。")
    act(conn, who.bureau, theirs, "accept")
    assert cases.look(conn, member, theirs).state.outcome == "対応した"


def test_silence_fixes_the_minutes_and_an_objection_holds_them(db, conn, who, session, member):
    held(conn, who, session, [])
    with pytest.raises(NotFound):
        cases.look(conn, factory.person(conn, "municipality", "012041"), session)
    minutes = {"minutes": {"text": "進み具合を確かめた。", "decided": "案内板をそろえる。"}}
    act(conn, who.bureau, session, "draft_minutes", minutes)
    act(conn, member, session, "say", word="objects", text="発言の趣旨が違う。")
    with pytest.raises(Refused, match="東川町"):
        cases.act_by_clock(conn, session, "silence")
    act(conn, who.bureau, session, "redraft_minutes", {"minutes": {"text": "進み具合を確かめ、案内板の話があった。"}})
    assert session in {row["case_id"] for row in queries.inbox(conn, member).rows}, "a new edition is asked about anew"
    cases.act_by_clock(conn, session, "silence")
    act(conn, who.bureau, session, "fix")
    view = cases.look(conn, member, session)
    assert view.form["fixed"]["silent"] is True
    public = {"publication": {"scope": "open", "text": "進み具合を確かめた。"}}
    with pytest.raises(Refused, match="公開しない議題"):
        act(conn, who.bureau, session, "publish", public)
    public["publication"] |= {"scope": "part", "reason": "議題2は人事に関する。"}
    act(conn, who.bureau, session, "publish", public)
    assert cases.look(conn, member, session).state.outcome == "公表した"
    assert not verify.run(db).breaks


def test_minutes_are_not_read_outside_before_they_are_sent(conn, who, session, member):
    held(conn, who, session, [])
    assert "minutes" not in cases.look(conn, member, session).form


def test_a_project_is_told_evaluated_and_confirmed_every_year(db, conn, who, body, member):
    act(conn, who.bureau, body, "add_project", title="丘のまちの交通", aim="足の確保")
    project = children(conn, body)[-1][0]
    act(conn, member, project, "tell", standing="behind", comment="運転手が足りない。")
    act(conn, who.bureau, project, "evaluate", evaluation="隣の町との共同を検討する。")
    act(conn, who.bureau, project, "confirm_status", confirmed="第1回会議で確かめた。")
    (row,) = cases.look(conn, member, project).form["status"]["years"]
    assert (row["standing"], row["confirmed"]) == ("behind", "第1回会議で確かめた。")
    assert not verify.run(db).breaks


def test_members_are_told_as_they_are_said_to_be(conn, who, session, member):
    convened(conn, who, session)
    (told,) = conn.execute(
        "SELECT payload -> 'tells' FROM outbox WHERE case_id = %s AND kind = 'notice' ORDER BY id DESC LIMIT 1",
        (session,),
    ).fetchone()
    desks = audience.desks_told(conn, session, told)
    assert {desk.org for desk in desks if desk.role == "municipality"} == {factory.MUNICIPALITY, OTHER}


def test_an_act_that_tells_who_takes_part_reaches_the_municipality_s_desk(conn, session):
    found = set(audience.desks_told(conn, session, ["partner"]))
    assert {(desk.org, desk.role) for desk in found} == {
        (factory.MUNICIPALITY, "municipality"),
        (OTHER, "municipality"),
    }
