"""Routes follow the posts: after a change of persons each live route is seated anew, once, and only where it changes."""

import json
from datetime import date

import pytest

from states import routes
from states.kernel import Refused
from tests import factory, offices
from tests.offices import act
from workflow import cases, following, loading, queries, reassigning, story, touched, verify
from workflow.colleagues import NotTaken
from workflow.loading import NotFound

CHANGE = date(2026, 12, 1)


@pytest.fixture
def office(clock, conn, who):
    made = offices.line(conn, who)
    offices.rule(conn, made)
    return made


def route(conn, case):
    return routes.of(conn.execute("SELECT form FROM cases WHERE id = %s", (case,)).fetchone()[0])


def asked(conn, case):
    return [(routes.KINDS[step.kind], step.title) for step in route(conn, case).open]


def actions(conn, case):
    return [
        row[0] for row in conn.execute("SELECT action FROM event WHERE case_id = %s ORDER BY seq", (case,)).fetchall()
    ]


def leaves(conn, office, key, person=None):
    """The post's holder leaves on the eve of the change; somebody may come."""
    conn.execute(
        "UPDATE tenure SET valid_to = '2026-11-30' WHERE post_id = %s AND valid_to IS NULL", (office.posts[key],)
    )
    if person:
        conn.execute(
            "INSERT INTO tenure (person_id, post_id, valid_from) VALUES (%s, %s, %s)",
            (person, office.posts[key], CHANGE),
        )


def shown(conn, case):
    """What the last event says."""
    row = conn.execute(
        "SELECT data FROM content WHERE case_id = %s AND kind LIKE 'internal:%%' ORDER BY seq DESC LIMIT 1", (case,)
    ).fetchone()
    return json.loads(bytes(row[0]))


def test_a_quiet_tick_writes_nothing_and_a_mere_successor_neither(db, conn, office, clock):
    case = offices.put_up(conn, office)
    before = actions(conn, case)
    assert following.follow(db) == 0
    leaves(conn, office, "chief", office.department)
    clock.at(CHANGE)
    assert following.follow(db) == 0, "the post is asked, whoever holds it"
    assert actions(conn, case) == before
    assert [row["case_id"] for row in queries.inbox(conn, office.department).rows] == [case]
    assert list(queries.inbox(conn, office.chief).rows) == []
    act(conn, office.department, case, "approve_step")


def test_a_quiet_tick_looks_up_once_and_any_change_of_persons_is_seen(db, conn, office, clock, monkeypatch):
    offices.put_up(conn, office)
    following.follow(db)
    looked = []
    live = following.live

    def counted(conn):
        looked.append(1)
        return live(conn)

    monkeypatch.setattr(following, "live", counted)
    for change in (
        "SELECT 1",
        f"UPDATE tenure SET valid_to = '2026-12-31' WHERE post_id = {office.posts['vice']}",
        f"INSERT INTO tenure (person_id, post_id, valid_from) VALUES ({office.vice}, {office.posts['chief']}, '2026-12-01')",
        f"INSERT INTO superior (post_id, superior_id, valid_from) VALUES ({office.posts['chief']}, {office.posts['head']}, '2026-11-02')",
        f"UPDATE post SET valid_to = '2026-12-31' WHERE id = {office.posts['department']}",
    ):
        conn.execute(change)
        before = len(looked)
        for _ in range(2):
            following.follow(db)
        assert len(looked) - before == (0 if change == "SELECT 1" else 1), change
    clock.at(date(2026, 11, 4))
    following.follow(db)
    assert len(looked) == 5, "a new day"


def test_who_comes_to_stand_twice_is_asked_once_and_apart_again_when_he_leaves_one(db, conn, office, clock):
    case = offices.put_up(conn, office)
    leaves(conn, office, "chief", office.head)
    clock.at(CHANGE)
    assert asked(conn, case) == [("回議", "地域政策課 係長")]
    assert following.follow(db) == 1
    assert asked(conn, case) == [("回議", "地域政策課 課長")]
    assert "とまとめました" in shown(conn, case)
    assert actions(conn, case)[-1] == following.FOLLOW
    assert following.follow(db) == 0, "once"
    conn.execute(
        "UPDATE tenure SET valid_to = '2026-12-01' WHERE post_id = %s AND person_id = %s",
        (office.posts["chief"], office.head),
    )
    conn.execute(
        "INSERT INTO tenure (person_id, post_id, valid_from) VALUES (%s, %s, '2026-12-02')",
        (office.department, office.posts["chief"]),
    )
    clock.at(date(2026, 12, 2))
    assert following.follow(db) == 1
    assert asked(conn, case) == [("回議", "地域政策課 係長")]
    assert "あらためて尋ねます" in shown(conn, case)
    assert not verify.run(db).breaks


def test_what_was_answered_for_two_posts_stays_answered(db, conn, office, clock):
    conn.execute("UPDATE tenure SET person_id = %s WHERE post_id = %s", (office.head, office.posts["chief"]))
    case = offices.put_up(conn, office)
    act(conn, office.head, case, "approve_step")
    leaves(conn, office, "chief", office.officer)
    clock.at(CHANGE)
    assert following.follow(db) == 0
    assert asked(conn, case) == [("合議", "総務課 課長"), ("合議", "保健行政室 室長")]


def test_a_decision_that_would_be_the_drafters_own_goes_to_the_superior(db, conn, office, clock):
    case = offices.put_up(conn, office)
    leaves(conn, office, "director", office.officer)
    clock.at(CHANGE)
    assert following.follow(db) == 1
    decides = route(conn, case).deciding
    assert (decides.post, decides.instead) == (office.posts["above"], "局長は起案者なので、上位の職に回します")
    assert shown(conn, case).endswith("(局長は起案者なので、上位の職に回します)。")
    assert not verify.run(db).breaks


def test_a_decision_passed_up_comes_back_once_the_post_is_held_by_somebody_who_may_decide(db, conn, office, clock):
    case = offices.put_up(conn, office)
    leaves(conn, office, "director", office.officer)
    clock.at(CHANGE)
    following.follow(db)
    conn.execute(
        "UPDATE tenure SET valid_to = '2026-12-01' WHERE post_id = %s AND valid_to IS NULL", (office.posts["director"],)
    )
    clock.at(date(2026, 12, 2))
    assert following.follow(db) == 1
    vacant = route(conn, case).deciding
    assert (vacant.post, vacant.instead) == (office.posts["above"], "局長は空席なので、上位の職のままとします")
    assert "「局長」に尋ねたままです(局長は空席なので" in shown(conn, case)
    conn.execute(
        "INSERT INTO tenure (person_id, post_id, valid_from, kind) VALUES (%s, %s, '2026-12-03', 'acting')",
        (office.vice, office.posts["director"]),
    )
    before = touched.before(conn, date(2026, 12, 2))
    (line,), _ = touched.after(conn, date(2026, 12, 3), before, set())
    assert (touched.MOVES, "決裁は、規程のとおり「局長」に戻ります。") in line.notes
    clock.at(date(2026, 12, 3))
    assert following.follow(db) == 1
    decides = route(conn, case).deciding
    assert (decides.post, decides.title, decides.instead, decides.passed_from) == (
        office.posts["director"],
        "局長",
        "",
        0,
    )
    assert shown(conn, case) == "決裁を、規程のとおり「局長」に戻しました(決められる人が就きました)。"
    assert following.follow(db) == 0, "once"
    for key, verb in (
        ("chief", "approve_step"),
        ("head", "approve_step"),
        ("general", "agree_step"),
        ("health", "agree_step"),
    ):
        act(conn, office.people[key], case, verb)
    with pytest.raises(Refused):
        act(conn, office.above, case, "approve")
    act(conn, office.vice, case, "approve")
    assert not verify.run(db).breaks


def test_a_decision_of_the_drafters_own_post_stays_above_as_long_as_he_holds_it(db, conn, office, clock):
    case = offices.put_up(conn, office, by=office.officer)
    leaves(conn, office, "director", office.officer)
    leaves(conn, office, "chief", office.department)
    clock.at(CHANGE)
    following.follow(db)
    leaves(conn, office, "health", office.head)
    conn.execute("UPDATE tenure SET valid_to = '2026-12-03' WHERE person_id = %s", (office.vice,))
    clock.at(date(2026, 12, 4))
    following.follow(db)
    decides = route(conn, case).deciding
    assert (decides.post, decides.passed_from) == (office.posts["above"], office.posts["director"])


def test_one_bad_case_never_stops_the_others_and_is_shown(db, conn, office, clock, monkeypatch):
    one, two = (offices.put_up(conn, office, first=factory.first_day(conn, after=15 + 6 * n)) for n in range(2))
    leaves(conn, office, "chief", office.head)
    clock.at(CHANGE)

    def broken(conn, case, person):
        if case == one:
            raise ValueError
        return loading.load(conn, case, person)

    monkeypatch.setattr(following, "load", broken)
    assert following.follow(db) == 1
    assert (asked(conn, one), asked(conn, two)) == ([("回議", "地域政策課 係長")], [("回議", "地域政策課 課長")])
    [row] = conn.execute("SELECT case_id, kind FROM attention WHERE closed_at IS NULL").fetchall()
    assert row == (one, following.HELD_UP)


def test_the_history_tells_it_as_done_by_the_clock(db, conn, office, clock):
    case = offices.put_up(conn, office)
    leaves(conn, office, "chief", office.head)
    clock.at(CHANGE)
    following.follow(db)
    line = story.timeline(conn, cases.look(conn, office.officer, case))[0]
    assert (line["action_label"], line["actor_name"]) == ("人事の発令に合わせる", "時計(自動)")
    assert "とまとめました" in line["shown"][0]["text"]


# ── reassigned by an administrator ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def keeper(conn, office):
    return factory.reader(conn, office.administrators[0])


@pytest.fixture
def orphan(db, conn, office, clock, keeper):
    """A case whose first reviewer's post stands vacant."""
    case = offices.put_up(conn, office)
    assert reassigning.orphans(conn, keeper) == []
    leaves(conn, office, "chief")
    clock.at(CHANGE)
    following.follow(db)
    (found,) = reassigning.orphans(conn, keeper)
    assert found.case == case
    return found


def test_an_orphaned_step_is_given_to_another_post_with_a_reason_in_the_history(db, conn, office, keeper, orphan):
    assert (orphan.kind, orphan.post) == ("回議", "地域政策課 係長")
    title = conn.execute("SELECT title FROM cases WHERE id = %s", (orphan.case,)).fetchone()[0]
    assert title not in repr(orphan), "nothing of what the case is about"
    told = {"version": orphan.version, "post": str(office.posts["vice"]), "reason": "係長は4月まで置かないため。"}
    reassigning.reassign(conn, keeper, orphan.case, orphan.step, **told)
    assert asked(conn, orphan.case) == [("回議", "副局長")]
    assert "係長は4月まで置かないため。" in shown(conn, orphan.case)
    event = conn.execute(
        "SELECT actor, post FROM event WHERE case_id = %s ORDER BY seq DESC LIMIT 1", (orphan.case,)
    ).fetchone()
    assert event == (str(keeper.person_id), str(keeper.posts[0].id))
    act(conn, office.vice, orphan.case, "approve_step")
    assert reassigning.orphans(conn, keeper) == []
    with pytest.raises(NotTaken):
        reassigning.reassign(conn, keeper, orphan.case, orphan.step, **told)
    assert not verify.run(db).breaks


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"post": "1"}, "post"),
        ({"version": 1}, "post"),
        ({"reason": "長" * 401}, "reason"),
    ],
)
def test_what_lacks_something_reassigns_nothing(conn, office, keeper, orphan, change, field):
    told = {"version": orphan.version, "post": str(office.posts["vice"]), "reason": "後任がいないため。"} | change
    with pytest.raises(NotTaken) as refusal:
        reassigning.reassign(conn, keeper, orphan.case, orphan.step, **told)
    assert list(refusal.value.fields) == [f"{field}-{orphan.case}-{orphan.step}"]
    assert asked(conn, orphan.case) == [("回議", "地域政策課 係長")]


def test_nobody_else_reassigns_and_a_step_that_somebody_holds_is_left_alone(conn, office, keeper, orphan):
    told = {"version": orphan.version, "post": str(office.posts["vice"]), "reason": "後任がいないため。"}
    with pytest.raises(NotFound):
        reassigning.reassign(conn, factory.reader(conn, office.director), orphan.case, orphan.step, **told)
    conn.execute(
        "INSERT INTO tenure (person_id, post_id, valid_from, kind) VALUES (%s, %s, %s, 'acting')",
        (office.health, office.posts["chief"], CHANGE),
    )
    assert reassigning.orphans(conn, keeper) == []
    with pytest.raises(NotTaken):
        reassigning.reassign(conn, keeper, orphan.case, orphan.step, **told)


def test_an_administrators_own_post_and_the_drafter_are_never_offered_a_decision(conn, db, office, clock, keeper):
    own = factory.post(conn, keeper.person_id, "staff", office.who.office, title="主任")
    case = offices.put_up(conn, office, by=office.vice)
    for key, verb in (
        ("chief", "approve_step"),
        ("head", "approve_step"),
        ("general", "agree_step"),
        ("health", "agree_step"),
    ):
        act(conn, office.people[key], case, verb)
    leaves(conn, office, "director")
    clock.at(CHANGE)
    (found,) = reassigning.orphans(conn, keeper)
    assert found.kind == "決裁"
    offered = dict(found.targets)
    assert str(own) not in offered
    assert str(office.posts["vice"]) not in offered, "the drafter"
    assert next(iter(offered)) == str(office.posts["above"]), "the superior first"
