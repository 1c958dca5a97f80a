"""Personnel and recognised bodies in the running system: who sees which case, reads what of it, may add what, is told what."""

import json
from datetime import datetime, time
from typing import Any
from uuid import uuid4

import pytest

from states.kernel import Refused
from tests import factory
from tests.papers import attach, remark
from tests.workflow.test_families import children, conditions
from workflow import (
    attachments,
    cases,
    comments,
    finding,
    outbox,
    posts,
    queries,
    recognitions,
    search,
    story,
    telling,
    tenures,
)
from workflow.colleagues import NotTaken
from workflow.deadlines import TOKYO
from workflow.excerpts import excerpts
from workflow.finding import Wanted, words_of
from workflow.loading import NotFound
from workflow.web import papers
from workflow.web.render import Signed

NEEDED: dict[str, Any] = {"own_affairs": "yes", "concurrent_appointment": "needed"}
APPOINTED = ("submit", "receive", "propose_team", "consult", "agree", "put_to_director", "approve")
NAME = "丘のまち学びの会（架空）"
LATER = 25  # business days from today, for a case beside another


@pytest.fixture
def clerk(conn):
    return factory.person(conn, "personnel", factory.PERSONNEL)


def appointed(conn: Any, who: factory.Cast, *more: Any) -> int:
    """Decided with a concurrent appointment."""
    case = factory.opened(conn, who, **NEEDED)
    factory.drive(conn, who, case, *APPOINTED, *more)
    return case


def act(conn: Any, person: int, case: int, action: str, **inputs: str) -> cases.Done:
    return cases.act(conn, person, case, action, version=factory.version(conn, case), key=uuid4(), inputs=inputs)


def sees(conn: Any, person: int, case: int) -> bool:
    try:
        cases.look(conn, person, case)
    except NotFound:
        return False
    return True


def found(conn: Any, person: int, words: str = "", **narrowed: Any) -> list[int]:
    wanted = Wanted(words_of(words), **narrowed)
    return [row["case_id"] for row in finding.find(conn, factory.reader(conn, person), wanted).rows]


def told(db: Any, conn: Any, case: int) -> set[int]:
    """The persons whom the last act on the case told."""
    seq = factory.version(conn, case)  # delivering files letters, as events of their own
    outbox.deliver(db)
    text = "SELECT m.person_id FROM message m JOIN outbox o ON o.id = m.outbox_id WHERE o.case_id = %s AND o.seq = %s"
    return {row[0] for row in conn.execute(text, (case, seq)).fetchall()}


def read_by(conn: Any, person: int, case: int) -> str:
    """All that the person's view of the case and its story say."""
    view = cases.look(conn, person, case)
    shown = [line["shown"] for line in story.timeline(conn, view)]
    return json.dumps([view.form, shown], ensure_ascii=False, default=str)


# ── personnel ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_personnel_sees_a_case_from_the_decision_on_and_only_with_a_concurrent_appointment(conn, who, clerk):
    plain = factory.opened(conn, who)
    factory.drive(conn, who, plain, "submit", "receive", "propose_team", "put_to_director", "approve")
    case = factory.opened(conn, who, first=factory.first_day(conn, after=LATER), **NEEDED)
    for step in APPOINTED[:-1]:
        factory.drive(conn, who, case, step)
        assert not sees(conn, clerk, case), step
    factory.drive(conn, who, case, "approve")
    assert sees(conn, clerk, case)
    assert not sees(conn, clerk, plain)
    assert found(conn, clerk) == [case]
    assert not sees(conn, factory.person(conn, "personnel", "hk-somu"), case)


def test_the_orders_wait_in_the_inbox_of_personnel_and_go_back_to_the_bureau(conn, who, clerk):
    case = appointed(conn, who)
    assert not queries.inbox(conn, clerk).rows
    factory.drive(conn, who, case, "record_orders")
    (item,) = queries.inbox(conn, clerk).rows
    assert (item["case_id"], item["ask"]) == (case, "併任の発令を確かめる")
    act(conn, clerk, case, "return_orders", reason="日付を確かめてください。")
    assert not queries.inbox(conn, clerk).rows
    assert "人事担当から戻った発令を直す" in [row["ask"] for row in queries.inbox(conn, who.bureau).rows]
    factory.drive(conn, who, case, "record_orders")
    act(conn, clerk, case, "countersign")
    assert not queries.inbox(conn, clerk).rows
    last = story.timeline(conn, cases.look(conn, who.bureau, case))[0]
    assert (last["action_label"], last["org_name"], last["holder"]) == (
        "併任の発令を確かめる",
        "総務部人事局人事課",
        "人事担当",
    )


def test_personnel_has_three_business_days_and_the_bureau_hears_when_they_are_over(conn, who, clerk):
    case = appointed(conn, who, "record_orders")
    (due,) = [due for due in cases.look(conn, clerk, case).deadlines if due["holder"] == "personnel"]
    assert (due["kind"], due["label"]) == ("countersign", "発令を確かめる期限")
    act(conn, clerk, case, "countersign")
    assert [due["kind"] for due in cases.look(conn, clerk, case).deadlines] == ["begin"]


def test_the_clock_begins_nothing_that_personnel_has_not_confirmed(conn, who, clerk, fresh_database):
    factory.set_clock(fresh_database.owner_url, None)
    case = appointed(conn, who, "record_orders")
    day = cases.look(conn, who.bureau, case).read.request.period.first
    factory.set_clock(fresh_database.owner_url, datetime.combine(day, time(8), TOKYO))
    with pytest.raises(Refused, match="人事担当がまだ確かめていません"):
        cases.act_by_clock(conn, case, "begin")
    act(conn, clerk, case, "countersign")
    done = cases.act_by_clock(conn, case, "begin")
    assert done is not None
    assert done.state == "dispatched"


def test_where_nobody_sits_in_personnel_the_bureau_enters_its_word_on_paper(db, conn, who):
    case = appointed(conn, who, "record_orders")
    outbox.deliver(db)
    sentences = [row[0] for row in conn.execute("SELECT sentence FROM attention WHERE closed_at IS NULL").fetchall()]
    assert any("併任の発令を確かめる" in said for said in sentences)
    factory.drive(conn, who, case, "countersign_on_paper")
    view = cases.look(conn, who.bureau, case)
    assert (view.read.countersign.paper, view.read.unconfirmed) == (True, [])


def test_personnel_reads_the_orders_and_nothing_of_how_the_case_was_weighed(db, conn, who, clerk):
    case = factory.opened(conn, who, **NEEDED)
    factory.drive(
        conn, who, case, "submit", "receive", ("ask_correction", {"inputs": {"reason": "補正のことば"}}), "resubmit"
    )
    factory.drive(
        conn,
        who,
        case,
        *APPOINTED[2:-1],
        ("hold", {"inputs": {"internal_reason": "保留のことば", "review_on": "2030-01-07"}}),
        "approve",
    )
    factory.drive(conn, who, case, "record_orders")
    remark(db, who.bureau, case, "局内のことば", scope="internal")
    remark(db, who.municipality, case, "町のことば")
    inner = attach(db, who.bureau, case, b"%PDF-1.7\ninternal\n%%EOF\n", scope="internal")
    shared = attach(db, who.bureau, case)
    said = read_by(conn, clerk, case)
    assert "辞令" not in said  # labels stand in no form
    assert '"issuer": "municipality"' in said
    assert "併任を要するかどうか" in said
    for words in ("補正のことば", "保留のことば", "助言の要請であり", "0000-00-0000", "局内のことば", "町のことば"):
        assert words not in said, words
    view = cases.look(conn, clerk, case)
    beside = papers.beside(view)
    assert comments.listed(conn, case, beside) == []
    assert papers.remarks(conn, Signed(factory.reader(conn, clerk), ""), view, back="case") is None
    assert [file.id for file in attachments.listed(conn, case, beside)] == [shared]
    assert attachments.one(conn, case, beside, inner) is None
    for scope in ("shared", "internal"):
        with pytest.raises(Refused):
            remark(db, clerk, case, "人事から", scope=scope)
        with pytest.raises(Refused):
            attach(db, clerk, case, b"%PDF-1.7\nother\n%%EOF\n", scope=scope)


def test_what_headquarters_made_conditions_of_is_no_case_for_personnel(conn, who, clerk):
    case = factory.opened(conn, who, **NEEDED)
    form = conditions(conn, "bureau")
    factory.drive(
        conn, who, case, "submit", "receive", "propose_team", "consult", ("agree_with_conditions", {"form": form})
    )
    factory.drive(conn, who, case, "put_to_director", "approve")
    ((child, _, _),) = children(conn, case)
    assert sees(conn, clerk, case)
    assert not sees(conn, clerk, child)
    assert "bureauが協定を確かめる" in read_by(conn, clerk, case)
    assert found(conn, clerk) == [case]


def test_personnel_is_told_of_the_decision_and_of_what_changes_the_days(db, conn, who, clerk):
    case = appointed(conn, who)
    assert clerk in told(db, conn, case)
    factory.drive(conn, who, case, "record_orders")
    assert clerk in told(db, conn, case)
    offers = cases.look(conn, who.director, case).offers
    assert "総務部人事局人事課" in telling.before(conn, who.director, case, offers)["cancel"]
    factory.drive(conn, who, case, "cancel")
    assert clerk in told(db, conn, case)


# ── a body ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def recognised(conn: Any, who: factory.Cast, name: str = NAME) -> str:
    """A body in the register of the director's office; the code of its organisation."""
    typed = {
        "name": name,
        "decided_on": cases.today(conn).isoformat(),
        "scope": "学びの場づくりへの助言",
        "reference": "上地第1号",
    }
    entry = recognitions.register(conn, factory.reader(conn, who.director), typed)
    row = conn.execute("SELECT org_code FROM recognition WHERE id = %s", (entry,)).fetchone()
    return str(row[0])


def to_body(conn: Any, who: factory.Cast, *steps: Any, name: str = NAME, after: int = 15) -> int:
    going = {
        "type": "organization",
        "municipality_code": who.place,
        "municipality_name": "美瑛町",
        "organization_name": name,
    }
    case = factory.opened(
        conn, who, first=factory.first_day(conn, after=after), destination=going, title="学びの場づくりの助言"
    )
    factory.drive(conn, who, case, *steps)
    return case


def test_a_body_that_is_recognised_is_an_organisation_and_stays_the_same_one(conn, who):
    code = recognised(conn, who)
    assert recognised(conn, who, NAME.replace("（", "(").replace("）", ")")) == code
    elsewhere = factory.cast(conn, "hk-tokachi", "016462")
    assert recognised(conn, elsewhere) != code
    rows = conn.execute("SELECT kind, name, office FROM organisation WHERE code = %s", (code,)).fetchall()
    assert rows == [("body", NAME, who.office)]


def test_a_body_sees_its_own_case_from_the_receipt_on_and_no_other(conn, who):
    own, other = recognised(conn, who), recognised(conn, who, "丘のまち守りの会（架空）")
    one, two = factory.person(conn, "body", own), factory.person(conn, "body", other)
    case = to_body(conn, who, "submit")
    beside = factory.opened(conn, who, first=factory.first_day(conn, after=LATER))
    factory.drive(conn, who, beside, "submit", "receive")
    assert not sees(conn, one, case)
    factory.drive(conn, who, case, "receive")
    assert sees(conn, one, case)
    assert (sees(conn, two, case), sees(conn, one, beside), found(conn, one), found(conn, two)) == (
        False,
        False,
        [case],
        [],
    )
    view = cases.look(conn, one, case)
    assert (view.roles, len(view.offers), sorted(view.form)) == (frozenset({"body"}), 0, ["receipt", "request"])
    factory.drive(conn, who, case, "propose_team")
    assert "team" not in cases.look(conn, one, case).form
    factory.drive(conn, who, case, "put_to_director", "approve")
    assert "team" in cases.look(conn, one, case).form
    for words in ("0000-00-0000", "助言の要請であり"):
        assert words not in read_by(conn, one, case)


def test_a_body_adds_materials_and_nothing_else(db, conn, who):
    one = factory.person(conn, "body", recognised(conn, who))
    case = to_body(conn, who, "submit", "receive")
    made = attach(db, one, case, name="会場の図.pdf")
    assert made in [
        file.id for file in attachments.listed(conn, case, papers.beside(cases.look(conn, who.municipality, case)))
    ]
    last = story.timeline(conn, cases.look(conn, who.bureau, case))[0]
    assert (last["action"], last["org_name"], last["holder"]) == ("attach", NAME, "団体")
    with pytest.raises(Refused):
        attach(db, one, case, b"%PDF-1.7\nother\n%%EOF\n", scope="internal")
    for scope in ("shared", "internal"):
        with pytest.raises(Refused):
            remark(db, one, case, "ひとこと", scope=scope)
    with pytest.raises(Refused):
        act(conn, one, case, "withdraw", reason="取りやめます。")
    with pytest.raises(Refused):
        cases.save(conn, one, case, {"request": {"title": "直した"}}, 0)


def test_a_body_that_is_no_destination_any_more_reads_the_case_up_to_then(conn, who):
    one = factory.person(conn, "body", recognised(conn, who))
    case = to_body(conn, who, "submit", "receive", "ask_correction")
    again = factory.request_form(conn, who, title="町での助言")["request"]
    factory.drive(conn, who, case, ("resubmit", {"form": {"request": again}}))
    assert sees(conn, one, case)
    later = again | {"title": "さらに別の助言"}
    factory.drive(conn, who, case, "ask_correction", ("resubmit", {"form": {"request": later}}))
    view = cases.look(conn, one, case)
    assert (view.ended != "", view.title, list(view.offers)) == (True, "町での助言", [])
    assert "さらに別の助言" not in read_by(conn, one, case)


def test_a_body_is_told_what_is_decided(db, conn, who):
    one = factory.person(conn, "body", recognised(conn, who))
    case = to_body(conn, who, "submit", "receive", "propose_team", "put_to_director")
    assert one not in told(db, conn, case)
    assert NAME in telling.before(conn, who.director, case, cases.look(conn, who.director, case).offers)["approve"]
    factory.drive(conn, who, case, "approve")
    assert one in told(db, conn, case)


def test_who_reads_but_little_of_a_case_finds_it_by_its_title_and_number_alone(db, conn, who, clerk):
    body = factory.person(conn, "body", recognised(conn, who))
    appoints, goes = appointed(conn, who, "record_orders"), to_body(conn, who, "submit", "receive", after=LATER)
    remark(db, who.municipality, goes, "ひみつのことば")
    remark(db, who.municipality, appoints, "ひみつのことば")
    search.catch_up(db)
    assert set(found(conn, who.municipality, "ひみつのことば")) == {appoints, goes}
    for person, case, title in ((clerk, appoints, "空き家"), (body, goes, "学びの場")):
        assert found(conn, person, title) == [case]
        assert found(conn, person, f"{title} 助言") == [case]
        rows = finding.find(conn, factory.reader(conn, person), Wanted(words_of(title))).rows
        assert excerpts(conn, rows, words_of(title)) == {}
        for words in ("ひみつのことば", "0000-00-0000", f"{title} ひみつ"):
            assert found(conn, person, words) == [], words
        assert found(conn, person, title, reports=True) == []


def test_who_has_a_broader_part_besides_is_led_by_no_word_to_the_case_of_the_narrow_one(db, conn, who, clerk):
    """An officer of another bureau who also sits in personnel."""
    factory.post(conn, clerk, "bureau", "hk-sorachi")
    case = appointed(conn, who, "record_orders")
    remark(db, who.municipality, case, "ひみつのことば")
    search.catch_up(db)
    assert found(conn, clerk) == [case]
    assert found(conn, clerk, "ひみつのことば") == []


def test_a_narrow_part_takes_nobody_elses_words_away(db, conn, who, clerk):
    """What everybody outside reads is found by them as before, though personnel or a body takes part."""
    factory.person(conn, "body", recognised(conn, who))
    case = to_body(conn, who, "submit", "receive", ("ask_correction", {"inputs": {"reason": "補正のことば"}}))
    search.catch_up(db)
    assert found(conn, who.municipality, "補正のことば") == [case]
    assert found(conn, who.municipality, "企画課") == [case]


def test_the_administrator_finds_the_body_and_personnel_among_those_that_have_posts(conn, who):
    code, keeper = (
        recognised(conn, who),
        factory.reader(conn, factory.person(conn, "administrator", factory.HEADQUARTERS)),
    )
    today = cases.today(conn)
    assert {code, factory.PERSONNEL} <= {office.code for office in posts.offices(conn, keeper, today)}
    typed = {"office": code, "title": "事務局長", "role": "body", "since": today.isoformat()}
    made = tenures.add_post(conn, keeper, typed)
    (row,) = posts.listed(conn, keeper, code, today)
    assert (row["id"], row["role_label"], row["scope"]) == (made, "団体の担当", "office")
    for wrong in (
        {"role": "headquarters"},
        {"office": who.office},
    ):  # what would let somebody see more than that body's own
        with pytest.raises(NotTaken) as refusal:
            tenures.add_post(conn, keeper, typed | wrong)
        assert list(refusal.value.fields) == ["role"]


def test_a_case_from_before_brings_personnel_in_with_its_next_orders(conn, who, clerk, owner):
    case = appointed(conn, who)
    owner.execute("DELETE FROM party WHERE case_id = %s AND part = 'personnel'", (case,))
    assert not sees(conn, clerk, case)
    factory.drive(conn, who, case, "record_orders")
    assert [row["case_id"] for row in queries.inbox(conn, clerk).rows] == [case]
