"""Who sees and who acts: by posts of today, parts in the case and assignments, never by anything else."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from states.kernel import Refused
from tests import factory
from workflow import cases, finding, queries, search
from workflow.access import SCOPE_OF, PostHeld, actor, roles_on
from workflow.finding import Wanted
from workflow.loading import NotFound


def sees(conn, person: int, case: int) -> bool:
    """Whether the case is there for this person – asked of the page, the list and the auditor's view alike."""
    try:
        cases.look(conn, person, case)
        there = True
    except NotFound:
        there = False
    reader = actor(conn, person)
    listed = reader is not None and case in {row["case_id"] for row in finding.find(conn, reader, Wanted()).rows}
    told = case in {row["case_id"] for row in queries.events(conn, person).rows}
    assert there == listed
    assert told == (there and factory.version(conn, case) > 0)
    if not there:
        assert case not in {row["case_id"] for row in queries.inbox(conn, person).rows}
    return there


@pytest.fixture
def case(conn, who) -> int:
    made = factory.opened(conn, who)
    factory.drive(conn, who, made, "submit", "receive")
    return made


def test_who_takes_part_sees_and_who_does_not_does_not(conn, who, case):
    inside = (
        who.municipality,
        who.municipality_colleague,
        who.bureau,
        who.director,
        who.records,
        who.headquarters,
        who.auditor,
    )
    assert all(sees(conn, person, case) for person in inside)
    strangers = [
        factory.person(conn, "municipality", "014583"), factory.person(conn, "bureau", "hk-soya"),
        factory.person(conn, "director", "hk-soya"), factory.person(conn, "records", "hk-soya"),
        factory.person(conn, "administrator", factory.HEADQUARTERS), who.staff,
    ]  # fmt: skip
    assert not any(sees(conn, person, case) for person in strangers)
    nobody = factory._value(
        conn, "INSERT INTO person (staff_no, name, kana, mail) VALUES ('N', 'n', '', '') RETURNING id"
    )
    assert not sees(conn, nobody, case)
    assert not sees(conn, 999_999, case)


def test_a_draft_is_its_writers_offices_alone(conn, who):
    draft = factory.opened(conn, who)
    assert sees(conn, who.municipality_colleague, draft)
    for person in (who.bureau, who.director, who.headquarters, who.auditor):
        assert not sees(conn, person, draft)


def test_staff_see_their_own_dispatches_as_long_as_they_are_assigned(conn, who, case):
    other = factory.person(conn, "staff", who.office)
    factory.drive(conn, who, case, ("propose_team", {"form": factory.team(conn, who, case, people=(who.staff,))}))
    assert sees(conn, who.staff, case)
    assert not sees(conn, other, case)
    factory.drive(conn, who, case, ("propose_team", {"form": factory.team(conn, who, case, people=(other,))}))
    assert not sees(conn, who.staff, case)
    assert sees(conn, other, case)


def test_the_destination_reads_and_does_nothing(conn, who):
    instruction = {"given_on": cases.today(conn).isoformat(), "text": "見てくること。"}
    form = factory.request_form(conn, who, origin="director", ground="director.wide_area", instruction=instruction)
    case = cases.open_case(conn, who.bureau, "dispatch", "director", form)
    team = factory.team(conn, who, case)
    factory.drive(conn, who, case, ("put_to_director", {"form": team}))
    assert not sees(conn, who.municipality, case)
    factory.drive(conn, who, case, "approve")
    assert sees(conn, who.municipality, case)
    view = cases.look(conn, who.municipality, case)
    assert (view.roles, list(view.offers)) == (frozenset(), [])
    with pytest.raises(Refused):
        cases.act(conn, who.municipality, case, "withdraw", version=2, key=uuid4(), inputs={"reason": "x"})


def test_a_party_that_has_ended_reads_and_acts_no_more(conn, who, case, owner):
    owner.execute("UPDATE party SET valid_to = current_date - 1, until_seq = 1 WHERE part = 'requester'")
    view = cases.look(conn, who.municipality, case)
    assert (view.version, view.facts.roles, list(view.offers)) == (1, frozenset(), [])
    with pytest.raises(Refused) as refusal:
        factory.drive(conn, who, case, ("withdraw", {"by": who.municipality, "version": 1}))
    assert refusal.value.kind == "role"


@pytest.mark.parametrize("what", ["tenure", "post"])
def test_what_has_ended_or_not_begun_gives_nothing(conn, who, case, owner, what):
    today = cases.today(conn)
    key = "id" if what == "tenure" else "post_id"
    held = factory._value(conn, f"SELECT {key} FROM tenure WHERE person_id = %s", who.bureau)
    for first, last, there in (
        (today, None, True),
        (today, today, True),
        (today - timedelta(9), today - timedelta(1), False),
        (today + timedelta(1), None, False),
    ):
        owner.execute(f"UPDATE {what} SET valid_from = %s, valid_to = %s WHERE id = %s", (first, last, held))
        assert sees(conn, who.bureau, case) is there
        found = actor(conn, who.bureau)
        assert found is not None
        assert bool(found.posts) is there


def test_posts_follow_the_databases_clock(fresh_database, conn, who, owner):
    leaving = cases.today(conn) + timedelta(30)
    owner.execute("UPDATE tenure SET valid_to = %s WHERE person_id = %s", (leaving, who.bureau))
    for days, held in ((30, 1), (31, 0)):
        owner.execute("UPDATE installation SET demonstration = true, clock_offset = %s", (timedelta(days=days),))
        found = actor(conn, who.bureau)
        assert found is not None
        assert len(found.posts) == held


def test_two_posts_give_two_roles_and_the_act_names_the_one_it_used(conn, who, case):
    factory.post(conn, who.bureau, "director", who.office, title="局長職務代理")
    factory.drive(conn, who, case, "propose_team", "put_to_director", ("send_back", {"by": who.bureau}))
    posts = [row[0] for row in conn.execute("SELECT post FROM event ORDER BY seq").fetchall()]
    titles = dict(conn.execute("SELECT id::text, title FROM post").fetchall())
    assert [titles[post] for post in posts[-2:]] == ["主査", "局長職務代理"]


def held(role: str, org: str, scope: str | None = None) -> PostHeld:
    return PostHeld(1, org, "", "", role, scope or SCOPE_OF[role])


PARTIES = [
    {"org": "014591", "part": "requester"},
    {"org": "hk-kamikawa", "part": "lead"},
    {"org": "014583", "part": "destination"},
]


@pytest.mark.parametrize(
    ("post", "assigned", "given"),
    [
        (held("municipality", "014591"), False, True),
        (held("municipality", "014583"), False, False),
        (held("municipality", "hk-kamikawa"), False, False),
        (held("bureau", "hk-kamikawa"), False, True),
        (held("bureau", "hk-soya"), False, False),
        (held("bureau", "014591"), False, False),
        (held("director", "hk-kamikawa"), False, True),
        (held("director", "hk-soya"), False, False),
        (held("staff", "hk-kamikawa"), True, True),
        (held("staff", "hk-soya"), True, True),
        (held("staff", "hk-kamikawa"), False, False),
        (held("headquarters", "hk-headquarters"), False, True),
        (held("headquarters", "hk-headquarters", "office"), False, False),
        (held("auditor", "hk-headquarters"), False, True),
        (held("records", "hk-kamikawa"), False, True),
        (held("records", "hk-soya"), False, False),
        (held("administrator", "hk-headquarters"), False, False),
    ],
)
def test_a_role_on_a_case_comes_from_post_and_part(post, assigned, given):
    assert bool(roles_on([post], PARTIES, assigned=assigned)) is given


def test_no_scope_but_all_sees_without_a_part(conn, who, case):
    for scope in ("office", "own", "none"):
        person = factory.person(conn, "auditor", factory.HEADQUARTERS)
        conn.execute(
            "UPDATE post SET scope = %s WHERE id = (SELECT post_id FROM tenure WHERE person_id = %s)", (scope, person)
        )
        assert not sees(conn, person, case), scope


def test_counts_and_pages_say_nothing_of_foreign_cases(conn, who, case):
    stranger = factory.person(conn, "bureau", "hk-soya")
    page: Any = queries.inbox(conn, stranger)
    assert (list(page.rows), page.counts["all"], list(page.attention)) == ([], 0, [])
    search.refresh(conn, case)
    for words in ("空き家", "上川", "%", "_"):
        found = finding.find(conn, factory.reader(conn, stranger), Wanted(finding.words_of(words)))
        assert (list(found.rows), found.total, found.facets["place"]) == ([], 0, {})
