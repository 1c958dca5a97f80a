"""The table of decisions: set by one administrator, consented to by another, previewed for any case and day."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from states import authority
from states.authority import Address, Rule, Stage
from tests import factory, offices
from workflow import cases, decisions, previews
from workflow.calendar_days import NotTaken
from workflow.decision_typing import NEW
from workflow.loading import NotFound, load


@pytest.fixture
def office(clock, conn, who):
    made = offices.line(conn, who)
    offices.rule(conn, made)
    return made


def received(conn, office):
    case = factory.opened(conn, office.who)
    factory.drive(conn, office.who, case, "submit", "receive", "propose_team")
    return case


def told(conn, office, case, on=None, **more):
    found = previews.preview(conn, load(conn, case, office.officer), on or cases.today(conn), **more)
    assert found is not None
    return found


def posts(preview):
    return [(stop.kind, stop.post, stop.asked) for stage in preview.stages for stop in stage.stops]


def test_a_draft_is_told_who_would_decide_in_which_order_and_why(conn, office):
    case = received(conn, office)
    found = told(conn, office, case)
    assert posts(found) == [
        ("回議", "地域政策課 係長", True),
        ("回議", "地域政策課 課長", True),
        ("合議", "総務課 課長", True),
        ("合議", "保健行政室 室長", True),
        ("決裁", "局長", True),
    ]
    assert (found.article, found.why) == ("専決規程 別表2の4", ("条件なし(この事項のすべて)",))
    assert found.decider.post == "局長"
    assert any(value.startswith("派遣日数 ") for value in found.values)
    put_up = cases.look(conn, office.officer, case)
    assert told(conn, office, case) == previews.preview(conn, put_up, cases.today(conn))


def test_the_preview_says_what_the_act_then_does(conn, office):
    case = received(conn, office)
    conn.execute("UPDATE tenure SET person_id = %s WHERE post_id = %s", (office.head, office.posts["general"]))
    before = told(conn, office, case)
    factory.drive(conn, office.who, case, ("put_to_director", {"by": office.officer}))
    made = load(conn, case, office.officer).facts.form["route"]["steps"]
    asked = [stop for stage in before.stages for stop in stage.stops]
    assert [(stop.no, stop.asked) for stop in asked] == [(step["no"], step.get("state") != "merged") for step in made]
    assert "同じ人" in asked[1].notes[0]


def test_absence_vacancy_and_the_person_concerned_are_told(conn, office):
    case = received(conn, office)
    offices.away(conn, office.director)
    conn.execute("UPDATE tenure SET valid_to = %s WHERE post_id = %s", (factory.LONG_AGO, office.posts["chief"]))
    found = told(conn, office, case)
    chief, decider = found.stages[0].stops[0], found.decider
    assert (chief.people, "空いています" in chief.notes[0]) == ((), True)
    assert decider.people[0].absent == "不在"
    assert "「副局長」" in decider.notes[0]
    assert "代決" in decider.notes[0]
    barred = told(conn, office, case, mark="important")
    assert "代決できません" in barred.bars
    assert "戻るのを待ちます" in barred.decider.notes[0]
    # After the trip nobody is absent.
    later = told(conn, office, case, cases.today(conn) + timedelta(days=10))
    assert later.decider.notes == ()


def decided_by_the_deputy(conn, office):
    """A dispatch that the first deputy decided for the director."""
    case = offices.put_up(conn, office)
    for key in ("chief", "head"):
        offices.act(conn, office.people[key], case, "approve_step")
    for key in ("general", "health"):
        offices.act(conn, office.people[key], case, "agree_step")
    offices.away(conn, office.director)
    offices.act(conn, office.vice, case, "approve")
    offices.back(conn, office.director)
    return case


def drafter_seen_by(conn, case, person):
    found = previews.preview(conn, load(conn, case, person), cases.today(conn))
    assert found is not None
    return found.matter, found.drafter


def called(conn, person, post):
    (name,) = conn.execute("SELECT name FROM person WHERE id = %s", (person,)).fetchone()
    (title,) = conn.execute(
        "SELECT concat_ws(' ', nullif(section, ''), title) FROM post WHERE id = %s", (post,)
    ).fetchone()
    return f"{title} {name}"


def test_after_a_decision_an_officer_drafts_the_change_and_never_who_decided_for_another(conn, office):
    case = decided_by_the_deputy(conn, office)
    drafted = "派遣の変更", called(conn, office.officer, office.posts["officer"])
    for key in ("director", "vice", "head", "officer"):
        assert drafter_seen_by(conn, case, office.people[key]) == drafted, key
    colleague = office.who.bureau_colleague
    own = called(conn, colleague, offices.held(conn, colleague))
    assert drafter_seen_by(conn, case, colleague) == ("派遣の変更", own), "an officer who reads it would draft it"


def test_where_who_drafted_has_left_another_officer_of_the_desk_drafts(conn, office):
    case, colleague = decided_by_the_deputy(conn, office), office.who.bureau_colleague
    conn.execute("UPDATE tenure SET valid_to = %s WHERE person_id = %s", (factory.LONG_AGO, office.officer))
    other = called(conn, colleague, offices.held(conn, colleague))
    for key in ("director", "vice"):
        assert drafter_seen_by(conn, case, office.people[key]) == ("派遣の変更", other), key


def test_a_rule_that_comes_later_is_seen_on_its_day_and_not_before(conn, office):
    case, day = received(conn, office), cases.today(conn) + timedelta(days=30)
    stages = [{"kind": "decide", "asked": [{"title": "部長"}]}]
    tests = [{"key": "days", "operator": "<=", "value": 100}]
    offices.rule(conn, office, stages, tests=tests, since=day, article="専決規程 別表3", standing=True, sort=-1)
    assert told(conn, office, case).decider.post == "局長"
    found = told(conn, office, case, day)
    assert (found.decider.post, found.standing, found.why) == ("部長", True, ("派遣日数 100日以下",))


def test_no_rule_and_an_unknown_post_are_said(conn, office):
    case = received(conn, office)
    conn.execute("UPDATE authority_rule SET valid_to = %s", (cases.today(conn),))
    tomorrow = cases.today(conn) + timedelta(days=1)
    assert "当てはまる定めがありません" in told(conn, office, case, tomorrow).problem
    offices.rule(conn, office, [{"kind": "decide", "asked": [{"title": "監理官"}]}], since=tomorrow)
    assert "「監理官」という職が、いまありません" in told(conn, office, case, tomorrow).problem


# ── the table itself ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def table(conn, office):
    """The two administrators, and a proposal of a later rule for the office."""
    first, second = (factory.reader(conn, person) for person in office.administrators)
    stages = (Stage("review", (Address("課長", "="),)), Stage("decide", (Address("部長"),)))
    rule = Rule(
        NEW,
        "dispatch",
        "dispatch",
        office.who.office,
        "専決規程 別表3",
        (authority.Test("days", "<=", 100),),
        stages,
        True,
        order=-1,
    )
    return first, second, decisions.Proposal(rule, cases.today(conn), None, "規程の改正")


def status(conn, reader, number):
    return decisions.one(conn, reader, number).status


def test_a_row_is_in_force_only_after_a_second_administrator_has_consented(conn, office, table):
    first, second, proposal = table
    case = received(conn, office)
    number = decisions.propose(conn, first, proposal)
    assert status(conn, first, number) == decisions.WAITING
    assert told(conn, office, case).decider.post == "局長"
    with pytest.raises(NotTaken) as refusal:
        decisions.consent(conn, first, number)
    assert "自分では同意できません" in refusal.value.fields["consent"]
    decisions.consent(conn, second, number)
    decisions.consent(conn, second, number)  # sent twice
    assert status(conn, first, number) == decisions.HOLDS
    found = told(conn, office, case)
    assert (found.decider.post, found.rule) == ("部長", number)
    row = decisions.one(conn, first, number).told
    assert (row["set_by"], row["consented_by"]) == office.administrators


def test_the_database_refuses_one_persons_own_consent_and_any_rewriting(conn, office, table):
    first, second, proposal = table
    number = decisions.propose(conn, first, proposal)
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("UPDATE authority_rule SET consented_by = set_by, consented_at = now() WHERE id = %s", (number,))
    decisions.consent(conn, second, number)
    for text in (
        "UPDATE authority_rule SET stages = '[]' WHERE id = %s",
        "UPDATE authority_rule SET no_deputy = true WHERE id = %s",
        "UPDATE authority_rule SET consented_by = NULL, consented_at = NULL WHERE id = %s",
        "UPDATE authority_rule SET valid_from = '2020-01-01' WHERE id = %s",
        "DELETE FROM authority_rule WHERE id = %s",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(text, (number,))


def test_a_changed_row_ends_the_old_one_the_day_before_only_by_consent(conn, office, table):
    first, second, proposal = table
    old = decisions.propose(conn, first, proposal)
    decisions.consent(conn, second, old)
    begins = cases.today(conn) + timedelta(days=10)
    changed = replace(proposal, rule=replace(proposal.rule, article="専決規程 別表4"), since=begins, replaces=old)
    new = decisions.propose(conn, second, changed)
    assert decisions.one(conn, first, old).told["valid_to"] is None
    decisions.consent(conn, first, new)
    row = decisions.one(conn, first, old)
    assert (row.told["valid_to"], row.status) == (begins - timedelta(days=1), decisions.HOLDS)
    assert (row.told["ended_by"], row.told["end_consented_by"]) == (second.person_id, first.person_id)
    assert status(conn, first, new) == decisions.COMING
    with pytest.raises(NotTaken):
        decisions.propose(conn, first, replace(proposal, replaces=old))


def test_an_end_too_needs_two_and_ended_rows_stay(conn, office, table):
    first, second, proposal = table
    number = decisions.propose(conn, first, proposal)
    decisions.consent(conn, second, number)
    yesterday = cases.today(conn) - timedelta(days=1)
    with pytest.raises(NotTaken):
        decisions.end(conn, first, number, "", "")
    decisions.end(conn, first, number, yesterday.isoformat(), "誤り")
    assert (status(conn, first, number), decisions.one(conn, first, number).ending) == (decisions.HOLDS, True)
    with pytest.raises(NotTaken):
        decisions.consent(conn, first, number)
    decisions.consent(conn, second, number)
    assert status(conn, first, number) == decisions.ENDED
    rows = {
        row.rule.id for _, matter, rows in decisions.listed(conn, first) if matter.key == "dispatch" for row in rows
    }
    assert number in rows


def test_what_waits_can_be_taken_back_and_never_holds(conn, office, table):
    first, second, proposal = table
    number = decisions.propose(conn, first, proposal)
    with pytest.raises(NotTaken):
        decisions.drop(conn, second, number, " ")
    decisions.drop(conn, second, number, "誤り")
    assert status(conn, first, number) == decisions.DROPPED
    with pytest.raises(NotFound):
        decisions.consent(conn, second, number)


def test_a_proposed_end_that_is_taken_back_stays_known_and_cannot_be_rewritten(conn, office, table):
    first, second, proposal = table
    number = decisions.propose(conn, first, proposal)
    decisions.consent(conn, second, number)
    until = cases.today(conn) + timedelta(days=30)
    decisions.end(conn, first, number, until.isoformat(), "廃止のつもり")
    decisions.drop(conn, second, number, "まだ使うことになった")
    row = decisions.one(conn, first, number)
    assert (row.status, row.ending, row.changeable, row.told["ended_by"]) == (decisions.HOLDS, False, True, None)
    (kept,) = row.dropped_ends
    assert (kept["ends_on"], kept["ended_by"], kept["ended_reason"]) == (until, first.person_id, "廃止のつもり")
    assert (kept["dropped_by"], kept["reason"]) == (second.person_id, "まだ使うことになった")
    assert kept["ended_at"] <= kept["dropped_at"]
    with pytest.raises(NotFound):
        decisions.drop(conn, first, number, "もう一度")
    for text in ("UPDATE dropped_end SET reason = 'x'", "DELETE FROM dropped_end", "TRUNCATE dropped_end"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(text)
    decisions.end(conn, second, number, until.isoformat(), "やはり廃止")
    decisions.consent(conn, first, number)
    ended = decisions.one(conn, first, number)
    assert (ended.told["valid_to"], len(ended.dropped_ends)) == (until, 1)


def test_a_proposed_end_that_another_row_overtakes_stays_known_too(conn, office, table):
    first, second, proposal = table
    old = decisions.propose(conn, first, proposal)
    decisions.consent(conn, second, old)
    changed = replace(proposal, rule=replace(proposal.rule, article="専決規程 別表4"), replaces=old)
    new = decisions.propose(conn, first, changed)
    decisions.end(conn, first, old, (cases.today(conn) + timedelta(days=90)).isoformat(), "年度末まで")
    decisions.consent(conn, second, new)
    (kept,) = decisions.one(conn, first, old).dropped_ends
    assert (kept["ended_reason"], kept["dropped_by"]) == ("年度末まで", second.person_id)
    assert kept["reason"] == "「専決規程 別表4」の行に代わることになったため"


def test_late_consent_makes_nothing_retroactive(conn, office, table, clock):
    first, second, proposal = table
    number = decisions.propose(conn, first, proposal)
    clock.at(proposal.since + timedelta(days=3))
    decisions.consent(conn, second, number)
    assert decisions.one(conn, first, number).told["valid_from"] == proposal.since + timedelta(days=3)


def test_a_row_that_names_a_post_nobody_has_is_no_row(conn, office, table):
    first, _, proposal = table
    stages = (Stage("review", (Address("監理官"),)), Stage("decide", (Address("局長"),)))
    with pytest.raises(NotTaken) as refusal:
        decisions.propose(conn, first, replace(proposal, rule=replace(proposal.rule, stages=stages)))
    assert any("「監理官」という職が、始める日にはありません" in sentence for sentence in refusal.value.fields.values())
    everywhere = replace(proposal, rule=replace(proposal.rule, office=""))
    assert any("「部長」は、" in sentence for sentence in decisions.unseated(conn, everywhere))


def test_only_cases_not_yet_put_up_are_told_to_go_another_way(conn, office, table):
    _, _, proposal = table
    waiting, running = received(conn, office), offices.put_up(conn, office)
    numbers = dict(conn.execute("SELECT id, number FROM cases WHERE id = ANY (%s)", ([waiting, running],)).fetchall())
    assert decisions.rerouted(conn, proposal).numbers == [numbers[waiting]]
    same = replace(proposal, rule=replace(proposal.rule, tests=(authority.Test("days", ">=", 900),)))
    assert decisions.rerouted(conn, same).numbers == []


def test_all_cases_are_counted_and_looked_at_a_part_at_a_time(conn, office, table, monkeypatch):
    _, _, proposal = table
    made = [received(conn, office) for _ in range(3)]
    numbers = dict(conn.execute("SELECT id, number FROM cases WHERE id = ANY (%s)", (made,)).fetchall())
    monkeypatch.setattr(decisions, "MOST_LOOKED", 2)
    first = decisions.rerouted(conn, proposal)
    assert (first.numbers, first.before, first.looked, first.total) == ([numbers[made[0]], numbers[made[1]]], 0, 2, 3)
    rest = decisions.rerouted(conn, proposal, after=first.following)
    assert (rest.numbers, rest.before, rest.looked, rest.total, rest.following) == ([numbers[made[2]]], 2, 1, 3, 0)
    beyond = decisions.rerouted(conn, proposal, after=made[2])
    assert (beyond.numbers, beyond.looked, beyond.before, beyond.following) == ([], 0, 3, 0)


def test_nobody_else_sees_or_touches_the_table(conn, office, table):
    _, _, proposal = table
    officer = factory.reader(conn, office.officer)
    for verb in (
        lambda: decisions.listed(conn, officer),
        lambda: decisions.propose(conn, officer, proposal),
        lambda: decisions.consent(conn, officer, 1),
    ):
        with pytest.raises(NotFound):
            verb()
