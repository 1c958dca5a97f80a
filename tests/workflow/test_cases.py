"""Opening, saving, acting, looking: what is kept, what is refused, and what a repeated or late request is told."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from states.kernel import Refused
from tests import factory
from workflow import acts, cases, loading, story
from workflow.cases import Conflict, KeyReused, PostLost, SaveClash
from workflow.loading import NotFound
from workflow.verify import verify


def value(conn, text: str, *values: Any) -> Any:
    row = conn.execute(text, values).fetchone()
    return row[0] if row else None


def count(conn, table: str) -> int:
    return int(value(conn, f"SELECT count(*) FROM {table}"))


def typed(conn, case_id: int, **request: Any) -> dict[str, Any]:
    form = value(conn, "SELECT form FROM cases WHERE id = %s", case_id)
    return {"request": form["request"] | request}


# ── drafts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_is_a_case_row_without_history(conn, who):
    case = factory.opened(conn, who)
    row = conn.execute("SELECT state, version, number, head, saves FROM cases WHERE id = %s", (case,)).fetchone()
    assert row == ("draft", 0, None, None, 0)
    assert conn.execute("SELECT org_code, part FROM party").fetchall() == [(who.place, "requester")]
    assert [count(conn, table) for table in ("event", "content", "step", "deadline", "outbox")] == [0] * 5


def test_only_the_posts_of_an_origin_open_its_drafts(conn, who):
    form = factory.request_form(conn, who)
    for person in (who.staff, who.headquarters, who.auditor, who.records):
        with pytest.raises(Refused) as refusal:
            cases.open_case(conn, person, "dispatch", "municipality_request", form)
        assert refusal.value.kind == "role"
    with pytest.raises(Refused):
        cases.open_case(conn, who.municipality, "dispatch", "director", form)
    with pytest.raises(Refused):
        cases.open_case(conn, who.bureau, "dispatch", "no such origin", form)
    assert count(conn, "cases") == 0


SMUGGLED: list[dict[str, Any]] = [
    {"consultation": {"reply": "no_objection"}},
    {"decision": {"conclusion": "approved"}},
    {"receipt": {"number": "上川収第1号"}},
    {"drafting": {"by": "1"}},
    {"anything": {}},
]


def test_a_draft_opens_and_saves_only_what_its_writer_writes(conn, who, subtests):
    form = factory.request_form(conn, who)
    case = factory.opened(conn, who)
    for smuggled in SMUGGLED:
        with subtests.test(str(smuggled)):
            for attempt in (
                lambda: cases.open_case(conn, who.municipality, "dispatch", "municipality_request", form | smuggled),  # noqa: B023
                lambda: cases.save(conn, who.municipality, case, smuggled, 0),  # noqa: B023
                lambda: cases.act(conn, who.municipality, case, "submit", version=0, key=uuid4(), form=smuggled),  # noqa: B023
            ):
                with pytest.raises(Refused):
                    attempt()
    assert count(conn, "cases") == 1
    assert set(value(conn, "SELECT form FROM cases")) == {"request", "contact"}


NO_FORM: list[dict[str, Any]] = [
    {"request": {"title": 5}},
    {"request": {"no_such_field": "x"}},
    {"request": "text"},
    {"request": {"erased": 3}},
    {"request": {"title": "題\x00"}},
    {"request": {"title": "題\ud800"}},
    {"request": {"tasks": [{"text": float("nan")}]}},
]


def test_what_is_no_form_is_refused_before_it_is_stored(conn, who, subtests):
    """A form that cannot be read again would shut everybody out of the case."""
    case = factory.opened(conn, who)
    before = value(conn, "SELECT form FROM cases")
    for broken in NO_FORM:
        with subtests.test(ascii(broken)):
            for attempt in (
                lambda: cases.open_case(conn, who.municipality, "dispatch", "municipality_request", broken),  # noqa: B023
                lambda: cases.save(conn, who.municipality, case, broken, 0),  # noqa: B023
                lambda: cases.act(conn, who.municipality, case, "submit", version=0, key=uuid4(), form=broken),  # noqa: B023
            ):
                with pytest.raises(Refused) as refusal:
                    attempt()
                assert refusal.value.kind == "guard"
    assert value(conn, "SELECT form FROM cases") == before
    assert cases.look(conn, who.municipality, case).title


def test_saving_keeps_what_was_typed_and_counts(conn, who):
    case = factory.opened(conn, who)
    assert cases.save(conn, who.municipality, case, typed(conn, case, title="一度目"), 0) == 1
    assert cases.save(conn, who.municipality_colleague, case, typed(conn, case, title="二度目"), 1) == 2
    view = cases.look(conn, who.municipality, case)
    assert (view.title, view.saves, view.version) == ("二度目", 2, 0)
    assert count(conn, "event") == 0


def test_the_second_of_two_tabs_is_told_and_overwrites_nothing(conn, who):
    case = factory.opened(conn, who)
    cases.save(conn, who.municipality, case, typed(conn, case, title="右の窓"), 0)
    with pytest.raises(SaveClash) as clash:
        cases.save(conn, who.municipality, case, typed(conn, case, title="左の窓"), 0)
    assert clash.value.form["request"]["title"] == "右の窓"
    assert clash.value.saved_at == value(conn, "SELECT acted_at FROM cases")
    assert value(conn, "SELECT title FROM cases") == "右の窓"


def test_a_save_between_reading_and_writing_is_not_lost(db, conn, who, monkeypatch):
    """The other window saves after the act has read the draft: the act takes that, too, or nobody would."""
    case = factory.opened(conn, who)
    real, saved = acts.work_out, False

    def slow(*args: Any) -> Any:
        nonlocal saved
        params = real(*args)
        if not saved:
            saved = True
            with db.connection() as other:
                cases.save(other, who.municipality_colleague, case, typed(other, case, title="最後に保存した題"), 0)
        return params

    monkeypatch.setattr(acts, "work_out", slow)
    assert factory.drive(conn, who, case, "submit").version == 1
    assert value(conn, "SELECT form -> 'request' ->> 'title' FROM cases") == "最後に保存した題"
    assert verify(db).whole


def test_a_draft_is_deleted_with_its_party_and_a_case_never(conn, who):
    case = factory.opened(conn, who)
    for stranger in (who.headquarters, who.auditor, who.staff, factory.person(conn, "municipality", "014583")):
        with pytest.raises(NotFound):
            cases.delete_draft(conn, stranger, case)
    cases.delete_draft(conn, who.municipality_colleague, case)
    assert (count(conn, "cases"), count(conn, "party")) == (0, 0)
    submitted = factory.opened(conn, who)
    factory.drive(conn, who, submitted, "submit")
    with pytest.raises(NotFound):
        cases.delete_draft(conn, who.municipality, submitted)
    assert count(conn, "party") == 2


def test_who_only_reads_in_an_office_does_not_delete_its_drafts(conn, who):
    form = factory.request_form(
        conn, who, origin="director", instruction={"given_on": "R8.4.1", "text": "見てくること。"}
    )
    case = cases.open_case(conn, who.director, "dispatch", "director", form)
    with pytest.raises(NotFound):
        cases.delete_draft(conn, who.records, case)
    with pytest.raises(Refused):
        cases.save(conn, who.records, case, typed(conn, case, title="横から"), 0)
    assert cases.save(conn, who.director, case, typed(conn, case, title="局長が書く"), 0) == 1
    assert cases.save(conn, who.bureau, case, typed(conn, case, title="担当が直す"), 1) == 2


def test_an_act_on_a_draft_with_a_version_it_never_had_is_a_conflict(conn, who):
    case = factory.opened(conn, who)
    with pytest.raises(Conflict) as told:
        factory.drive(conn, who, case, ("submit", {"version": 4}))
    assert told.value.version == 0


# ── acts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_act_writes_everything_it_brings_about_once(db, conn, who):
    case = factory.opened(conn, who)
    done = factory.drive(conn, who, case, "submit")
    assert (done.version, done.state, done.replayed) == (1, "municipal_request", False)
    assert [count(conn, table) for table in ("event", "step", "deadline", "outbox", "idempotency")] == [1] * 5
    assert conn.execute("SELECT part, org_code FROM party ORDER BY part").fetchall() == [
        ("lead", who.office), ("requester", who.place),
    ]  # fmt: skip
    assert conn.execute("SELECT org_code, role, ask FROM step").fetchone() == (who.office, "bureau", "収受する")
    body = json.loads(value(conn, "SELECT body FROM event"))
    assert (body["actor"], body["from"], body["to"], body["seq"]) == (
        str(who.municipality),
        "draft",
        "municipal_request",
        1,
    )
    assert verify(db).whole


def test_the_road_leaves_a_whole_chain_and_one_open_item_a_desk(db, conn, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive", "ask_correction", "resubmit", "propose_team", "put_to_director",
                  "send_back", "put_to_director", "hold", "approve", "record_consent")  # fmt: skip
    view = cases.look(conn, who.bureau, case)
    assert (view.version, view.state.name) == (11, "preparing")
    assert count(conn, "step") > 0
    assert value(conn, "SELECT count(*) FROM step WHERE closed_at IS NULL") == 0
    assert conn.execute("SELECT kind FROM deadline WHERE closed_at IS NULL").fetchall() == [("begin",)]
    assert value(conn, "SELECT count(*) FROM outbox WHERE kind = 'letter:decision_notice'") == 1
    assert value(conn, "SELECT count(DISTINCT person_id) FROM assignment") == 2
    outcome = verify(db)
    assert (outcome.whole, outcome.events) == (True, 11)


@pytest.mark.parametrize("stranger", ["014583", "hk-soya"])
def test_a_foreign_case_does_not_exist(conn, who, stranger):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")
    role = "municipality" if stranger.isdigit() else "bureau"
    foreign = factory.person(conn, role, stranger)
    for attempt in (
        lambda: cases.look(conn, foreign, case),
        lambda: cases.save(conn, foreign, case, {}, 0),
        lambda: cases.delete_draft(conn, foreign, case),
        lambda: cases.act(conn, foreign, case, "receive", version=1, key=uuid4(), inputs={"arrived_on": "R8.4.1"}),
        lambda: cases.look(conn, who.municipality, case + 1),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_a_draft_is_seen_by_its_writers_office_alone(conn, who):
    case = factory.opened(conn, who)
    assert cases.look(conn, who.municipality_colleague, case).version == 0
    for other in (who.bureau, who.director, who.headquarters, who.auditor, who.staff):
        with pytest.raises(NotFound):
            cases.look(conn, other, case)


def test_an_act_takes_over_only_what_its_row_edits(conn, who, subtests):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")
    before = value(conn, "SELECT form FROM cases")
    smuggled: list[tuple[str, dict[str, Any]]] = [
        ("receive", {"request": {"title": "別の題"}}),
        ("receive", {"receipt": {"number": "上川収第9号"}}),
        ("propose_team", {"consultation": {"reply": "no_objection"}}),
        ("propose_team", {"team": {"members": []}, "decision": {"conclusion": "approved"}}),
    ]
    for action, form in smuggled:
        with subtests.test(f"{action} {form}"):
            with pytest.raises(Refused) as refusal:
                factory.drive(conn, who, case, (action, {"form": form}))
            assert refusal.value.kind == "role"
    assert value(conn, "SELECT form FROM cases") == before
    assert count(conn, "event") == 1


def test_an_answer_that_is_no_text_is_refused(conn, who, subtests):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive", "propose_team")
    answers: list[dict[str, Any]] = [
        {"note": {"x": 1}},
        {"note": 7},
        {"note": "要る。", "reasons": "D-08"},
        {"note": "要る。", "reasons": {"D-08": ["x"]}},
        {"note": "要る\x00。"},
        {"note": "要る\udfff。"},
    ]
    for inputs in answers:
        with subtests.test(ascii(inputs)):
            with pytest.raises(Refused) as refusal:
                factory.drive(conn, who, case, ("put_to_director", {"inputs": inputs}))
            assert refusal.value.kind == "guard"
    assert factory.version(conn, case) == 3


@pytest.mark.parametrize("where", ["nowhere", "another office", "the municipality"])
def test_nobody_from_outside_is_brought_into_a_case_by_a_page_that_was_made_up(conn, who, where):
    stranger = {
        "nowhere": 999_999,
        "another office": factory.person(conn, "staff", "hk-soya"),
        "the municipality": who.municipality,
    }[where]
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")
    team = factory.team(conn, who, case, people=(who.staff, stranger))
    with pytest.raises(Refused, match="職員ではない人"):
        factory.drive(conn, who, case, ("propose_team", {"form": team}))
    assert factory.version(conn, case) == 1


def test_a_stranger_in_a_draft_or_in_a_proposed_change_is_refused_as_well(conn, who):
    stranger = factory.person(conn, "staff", "hk-soya")
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director", "approve")
    members = factory.team(conn, who, case, people=(who.staff, stranger))["team"]["members"]
    change = {"kind": "swap", "reason_code": "office", "reason": "担当が変わった。", "members": members}
    with pytest.raises(Refused, match="職員ではない人"):
        factory.drive(conn, who, case, ("propose_change", {"form": {"change": change}}))

    form = factory.request_form(conn, who)
    form["request"] |= {
        "origin": "director",
        "ground": "director.key_project",
        "instruction": {"given_on": "R8.4.1", "text": "進める。"},
    }
    form |= {"team": {"members": members}}
    draft = cases.open_case(conn, who.bureau, "dispatch", "director", form)
    with pytest.raises(Refused, match="職員ではない人"):
        factory.drive(conn, who, draft, "put_to_director")


def test_who_has_left_the_office_stays_in_the_team_that_was_proposed(conn, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive", "propose_team")
    team = factory.team(conn, who, case, people=(who.staff,))
    conn.execute("UPDATE tenure SET valid_to = valid_from WHERE person_id = %s", (who.staff,))
    factory.drive(conn, who, case, ("propose_team", {"form": team}))
    assert factory.version(conn, case) == 4


def test_a_late_act_is_told_who_acted_when_and_what_is_now(conn, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive")
    with pytest.raises(Conflict) as told:
        factory.drive(
            conn, who, case, ("not_accept", {"version": 1, "inputs": {"ground": "duplicate", "reason": "重複。"}})
        )
    conflict = told.value
    assert (conflict.action_label, conflict.state_label, conflict.version) == ("収受する", "受付・検討", 2)
    assert "上川総合振興局" in conflict.who
    assert value(conn, "SELECT name FROM person WHERE id = %s", who.bureau) in conflict.who
    assert conflict.when == value(conn, "SELECT at FROM event WHERE seq = 2")


# ── the same request again ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_repeated_request_gets_the_first_answer_and_writes_nothing(conn, who):
    case, key = factory.opened(conn, who), uuid4()
    first = factory.drive(conn, who, case, ("submit", {"key": key}))
    factory.drive(conn, who, case, "receive")
    again = factory.drive(conn, who, case, ("submit", {"key": key, "version": 0}))
    assert (again.version, again.state) == (first.version, first.state)
    assert again.replayed
    assert count(conn, "event") == 2


def test_a_key_with_another_content_is_refused(conn, who):
    case, other, key = factory.opened(conn, who), factory.opened(conn, who), uuid4()
    factory.drive(conn, who, case, ("submit", {"key": key}))
    for wrong in (
        lambda: factory.drive(conn, who, case, ("submit", {"key": key, "version": 0, "inputs": {"reason": "x"}})),
        lambda: factory.drive(conn, who, case, ("withdraw", {"key": key, "version": 0, "by": who.municipality})),
        lambda: factory.drive(conn, who, other, ("submit", {"key": key})),
    ):
        with pytest.raises(KeyReused):
            wrong()
    assert count(conn, "event") == 1


def test_a_key_is_of_the_person_who_sent_it(conn, who):
    case, other, key = factory.opened(conn, who), factory.opened(conn, who), uuid4()
    factory.drive(conn, who, case, ("submit", {"key": key}))
    done = factory.drive(conn, who, other, ("submit", {"key": key, "by": who.municipality_colleague}))
    assert not done.replayed


def test_a_refused_act_leaves_its_key_free(conn, who):
    case, key = factory.opened(conn, who), uuid4()
    factory.drive(conn, who, case, "submit")
    with pytest.raises(Refused):
        factory.drive(conn, who, case, ("receive", {"key": key, "inputs": {"arrived_on": "きのう"}}))
    assert factory.drive(conn, who, case, ("receive", {"key": key})).version == 2


# ── posts that end ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("action", ["propose_team", "receive"])
@pytest.mark.parametrize("another_post", [False, True])
def test_a_post_that_ends_between_reading_and_writing_writes_nothing(db, conn, who, monkeypatch, action, another_post):
    """Also where a number was drawn, and where another post still lets the person see the case."""
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")
    held = value(conn, "SELECT id FROM tenure WHERE person_id = %s", who.bureau)
    if another_post:
        factory.post(conn, who.bureau, "auditor", factory.HEADQUARTERS)
    real = loading.load

    def then_ends(*args: Any, **named: Any) -> Any:
        found = real(*args, **named)
        with db.connection() as other:
            other.execute("UPDATE tenure SET valid_to = current_date - 2 WHERE id = %s", (held,))
        return found

    monkeypatch.setattr(cases, "load", then_ends)
    with pytest.raises(PostLost):
        factory.drive(conn, who, case, action)
    assert factory.version(conn, case) == 1
    assert count(conn, "counter") == 0


def test_a_post_that_has_ended_gives_nothing(conn, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")
    today = cases.today(conn)
    late = factory.person(conn, "bureau", who.office, until=today - timedelta(1))
    early = factory.person(conn, "bureau", who.office, since=today + timedelta(1))
    for person in (late, early):
        with pytest.raises(NotFound):
            cases.look(conn, person, case)
    last_day = factory.person(conn, "bureau", who.office, until=today)
    assert factory.drive(conn, who, case, ("receive", {"by": last_day})).version == 2


# ── receiving ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_receiving_keeps_the_true_day_of_arrival_and_gives_both_numbers(conn, who):
    day = cases.today(conn) - timedelta(days=3)
    form = factory.request_form(conn, who) | {"receipt": {"arrived_on": day.isoformat(), "channel": "paper"}}
    case = cases.open_case(conn, who.bureau, "dispatch", "municipality_request", form)
    factory.drive(conn, who, case, "submit_proxy", ("receive", {"inputs": {"arrived_on": day.isoformat()}}))
    view = cases.look(conn, who.bureau, case)
    assert view.form["receipt"] == {
        "arrived_on": day.isoformat(), "received_on": cases.today(conn).isoformat(), "number": "上川収第1号",
        "channel": "paper", "entered_by": str(who.bureau),
    }  # fmt: skip
    assert view.number is not None
    assert view.number.startswith("上川-R")
    assert view.number.endswith("-001")
    assert cases.look(conn, who.municipality, case).number == view.number


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_reader_sees_the_groups_of_his_side(conn, who):
    case = factory.opened(conn, who, own_affairs="yes")
    factory.drive(conn, who, case, "submit", "receive", "consult", "agree", "propose_team", "put_to_director")
    inside = set(cases.look(conn, who.director, case).form)
    assert inside == {"request", "contact", "receipt", "team", "consultation", "drafting", "hold"}
    for reader in (who.headquarters, who.auditor, who.records):
        assert set(cases.look(conn, reader, case).form) == inside
    assert set(cases.look(conn, who.municipality, case).form) == {"request", "contact", "receipt"}
    assert set(cases.look(conn, who.staff, case).form) == {"request", "contact", "receipt", "team"}


def test_the_story_shows_each_side_its_own_words(conn, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director", "hold", "decline")

    def words(person: int) -> set[str]:
        lines = story.timeline(conn, cases.look(conn, person, case))
        return {str(part["text"]) for line in lines for part in line["shown"]}

    assert words(who.municipality) == {"時期が重なるため。", cases.today(conn).isoformat()}
    assert {"ほかの要請と比べる。", "人員が足りない。", "時期が重なるため。"} <= words(who.director)


def test_what_is_offered_is_done_and_what_is_refused_is_refused_the_same(db, conn, who):
    """At every stand of a real case, for everybody: the page's sentence and the act's refusal are one."""
    case = factory.opened(conn, who, own_affairs="yes")
    people = (who.municipality, who.bureau, who.director, who.headquarters, who.auditor, who.staff)
    for step in ("submit", "receive", "consult", "agree", "propose_team", "put_to_director", "approve"):
        factory.drive(conn, who, case, step)
        for person in people[: 6 if step in ("propose_team", "put_to_director", "approve") else 4]:
            view = cases.look(conn, person, case)
            for offer in view.offers:
                if not offer.allowed:
                    with pytest.raises(Refused) as refusal:
                        factory.drive(conn, who, case, (offer.action.name, {"by": person}))
                    assert refusal.value.kind == "guard"
                    assert {v.sentence for v in offer.refusals} <= {v.sentence for v in refusal.value.verdicts}
            offered = {offer.action.name for offer in view.offers}
            for name in view.process.names - offered:
                with pytest.raises(Refused) as refusal:
                    cases.act(conn, person, case, name, version=view.version, key=uuid4())
                assert refusal.value.kind in ("role", "state")
    assert verify(db).whole


# ── the office's working copy ───────────────────────────────────────────────────────────────────────────────────────


def test_a_working_copy_is_outside_history_and_taken_over_by_the_act(db, conn, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")
    team = factory.team(conn, who, case, people=(None,))
    assert cases.save(conn, who.bureau, case, team, 0) == 1
    assert cases.save(conn, who.bureau_colleague, case, team, 1) == 2
    with pytest.raises(SaveClash):
        cases.save(conn, who.bureau, case, team, 1)
    with pytest.raises(SaveClash):
        cases.save(conn, who.bureau, case, team, 0)
    assert cases.look(conn, who.bureau, case).working["saves"] == 2  # type: ignore[index]
    assert cases.look(conn, who.municipality, case).working is None
    assert factory.version(conn, case) == 1
    factory.drive(conn, who, case, ("propose_team", {"form": team}))
    assert cases.look(conn, who.bureau, case).working is None
    assert verify(db).whole


def test_nobody_saves_what_no_act_of_his_takes_over(conn, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")
    for person, groups in (
        (who.municipality, typed(conn, case, title="あとから")),
        (who.bureau, typed(conn, case, title="勝手に")),
        (who.director, {"team": {"members": []}}),
    ):
        with pytest.raises(Refused):
            cases.save(conn, person, case, groups, 0)
    assert count(conn, "working") == 0


# ── the clock ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_clock_acts_under_its_own_name_and_only_on_its_own_rows(db, conn, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")
    with pytest.raises(Refused) as refusal:
        cases.act_by_clock(conn, case, "receive")
    assert refusal.value.kind == "role"
    factory.drive(conn, who, case, "receive", "propose_team", "put_to_director", "approve")
    with pytest.raises(Refused, match="まだ来ていません"):
        cases.act_by_clock(conn, case, "begin")
    assert factory.version(conn, case) == 5
    with pytest.raises(NotFound):
        cases.act_by_clock(conn, factory.opened(conn, who), "begin")
