"""What the table does not offer is refused on the page and by the clock: a sentence, and nothing is changed.

A stored case is set into every state of every process and version, in states with a matter with its route under way. What
the process itself says to every role and act is walked without a database in `tests/test_route_table.py`; here every state
meets every act by every door, and every state meets everybody. The people take turns with the acts, so that the pages are
asked a thousand times, not thirty thousand, and so do the verbs of routes with the states of a process that knows no routes,
where they are names like any unknown one; a soak asks everybody everything.
"""

import ast
import json
import os
import re
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from states import catalogue, routes
from states.kernel import Refused
from states.route_actions import BY_NAME, WHO
from states.terms import CLOCK
from tests import factory, offices
from tests.workflow.web.browsing import browser_of, visible
from workflow import cases
from workflow.loading import NotFound, load

SOAK = bool(float(os.environ.get("TOBIDASHI_SOAK_MINUTES") or 0))
pytestmark = pytest.mark.timeout(0 if SOAK else 300)
ROOT = Path(__file__).parents[3]
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠].*。$", re.DOTALL)
UNKNOWN = "no_such_verb"
EVERY = list(catalogue.all_versions().values())
IDS = [f"{process.key}-{process.version}" for process in EVERY]
TURNS = 1  # how many of the people try each act in each state
# Whatever may act on a case: what is not here has no door. The stage plays the demonstration, as its people.
DOORS = {
    "act": {"workflow/web/cases.py", "workflow/bulk.py", "workflow/intake.py", "workflow/stage.py"},
    "act_by_clock": {"workflow/watch.py", "workflow/stage.py"},
}


@pytest.fixture
def office(conn, who):
    made = offices.line(conn, who)
    offices.rule(conn, made)
    return made


def people(conn, office):
    """Somebody of every part that a case has, and of the line; a stranger from another office."""
    who = office.who
    parts = {
        "municipality": who.municipality,
        "municipality_head": factory.person(conn, "municipality_head", who.place),
        "headquarters": who.headquarters,
        "auditor": who.auditor,
        "records": who.records,
        "staff": who.staff,
        "administrator": office.administrators[0],
        "elsewhere": factory.person(conn, "director", "hk-soya"),
    }
    return parts | dict(office.people)


@pytest.fixture
def routed(conn, office):
    """A case that has been put up for decision, and its form; another one stands over it, for processes of children."""
    over, case = offices.put_up(conn, office), offices.put_up(conn, office)
    conn.execute("UPDATE cases SET parent_id = %s WHERE id = %s", (over, case))
    return case, conn.execute("SELECT form FROM cases WHERE id = %s", (case,)).fetchone()[0]


def stand(conn, case, form, process, state):
    """Set the case into a state, with its route under way where the state has a matter; a foreign process has no form yet."""
    matter = process.matter(state)
    told = dict(form) if process.key == "dispatch" else {}
    if matter:
        told["route"] = form["route"] | {"matter": matter.key}
    conn.execute(
        "UPDATE cases SET process = %s, process_version = %s, state = %s, form = %s::jsonb WHERE id = %s",
        (process.key, process.version, state, json.dumps(told), case),
    )
    return bool(matter)


def offered(conn, person, case):
    """What the page offers to this person; None where there is no such case for them."""
    try:
        return {offer.action.name for offer in cases.look(conn, person, case).offers}
    except NotFound:
        return None


def row(conn, case):
    return conn.execute("SELECT version, state, form, head FROM cases WHERE id = %s", (case,)).fetchone()


def sent(browser, version):
    return {
        "csrf": browser.csrf, "version": str(version), "key": str(uuid4()), "input.remark": "理由", "input.reason": "理由",
    }  # fmt: skip


def test_what_is_walked_is_whole():
    """Every state of every process, and routes in every state that has a matter."""
    walked = {(p.key, p.version, s.name) for p in EVERY for s in p.states}
    assert len(walked) == sum(len(p.states) for p in catalogue.all_versions().values())
    assert any(process.matters for process in EVERY)


@pytest.mark.parametrize("process", EVERY, ids=IDS)
def test_on_the_page_what_is_not_offered_is_refused_and_nothing_changes(web, conn, office, routed, process):
    """POST answers 403, 404, 409 or 422 with a sentence, whoever sends it and whatever stands in the address."""
    case, form = routed
    everybody = list(people(conn, office).items())
    browsers = {key: browser_of(web, conn, person) for key, person in everybody}
    turn, asked, by_whom, seen = count(), set(), set(), set()
    for nth, state in enumerate(process.states):
        live = stand(conn, case, form, process, state.name)
        open_ = {key: offered(conn, person, case) for key, person in everybody}
        stands_in_the_table(process, state.name, live, open_)
        seen |= set().union(*filter(None, open_.values()))
        before = row(conn, case)
        for name in tried(process, nth):
            closed = [key for key, _ in everybody if name not in (open_[key] or ())]
            first = next(turn)
            for number in range(len(closed) if SOAK else min(TURNS, len(closed))):
                key = closed[(first + number * 7) % len(closed)]
                answer = browsers[key].client.post(f"/cases/{case}/actions/{name}", data=sent(browsers[key], before[0]))
                where = (state.name, key, name, answer.status_code)
                assert answer.status_code in (403, 404, 409, 422), where
                assert (answer.status_code == 404) is (open_[key] is None), where
                assert re.search(r"[ぁ-ん].*。", visible(answer.text)), where
                assert row(conn, case) == before, where
                asked.add((state.name, name))
                by_whom.add(key)
    assert asked == {(state.name, name) for nth, state in enumerate(process.states) for name in tried(process, nth)}
    assert by_whom == set(browsers)
    assert seen, "somebody is offered something somewhere"


def tried(process, nth):
    """The acts that are tried in the nth state; where there are no routes, each of their verbs in one state at least."""
    verbs = sorted(set(BY_NAME) - set(process.names))
    if not process.matters and not SOAK:
        each = -(-len(verbs) // len(process.states)) + 1
        verbs = [verbs[(nth * each + number) % len(verbs)] for number in range(min(each, len(verbs)))]
    return sorted({*verbs, *process.names, UNKNOWN})


def stands_in_the_table(process, state, live, open_):
    """What anybody is offered, routed or not: a row of the process for this state, or a verb of the route under way."""
    rows = {row.name for row in process.table if state in row.source}
    of_people_on_it = {verb.name for verb in BY_NAME.values() if verb.by & {"reviewer", "consenter"}}
    for key, found in open_.items():
        assert (found or set()) <= rows | (set(BY_NAME) if process.matters else set()), (state, key)
        if process.matters and not live:
            assert not (found or set()) & of_people_on_it, (state, key)


@pytest.mark.parametrize("process", EVERY, ids=IDS)
def test_by_the_clock_no_verb_of_a_route_and_no_act_of_a_person_is_done(conn, office, routed, process):
    """What tasks do goes through `act_by_clock`, which asks the same table as the clock."""
    case, form = routed
    for state in process.states:
        stand(conn, case, form, process, state.name)
        before = row(conn, case)
        clocks = {row.name for row in process.table if CLOCK in row.by and state.name in row.source}
        for name in sorted({*BY_NAME, *process.names, UNKNOWN} - clocks):
            with pytest.raises(Refused) as refusal:
                cases.act_by_clock(conn, case, name)
            assert JAPANESE.search(refusal.value.sentence), (state.name, name)
            assert row(conn, case) == before, (state.name, name)
        assert not load(conn, case, None).facts.roles & set(WHO)


@pytest.mark.parametrize("door", DOORS)
def test_nothing_acts_on_a_case_but_the_doors_that_are_walked(door):
    """No command and no task calls an act itself: pages, bulk and files act for people, the watch for the clock."""
    found = set()
    for path in (path for folder in ("workflow", "tasks") for path in (ROOT / folder).rglob("*.py")):
        calls = [node.func for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call)]
        if any(
            isinstance(f, ast.Attribute) and f.attr == door and getattr(f.value, "id", "") == "cases" for f in calls
        ):
            found.add(path.relative_to(ROOT).as_posix())
    assert found == DOORS[door]


def test_a_route_of_another_matter_gives_nobody_a_turn(conn, office, routed):
    """A route that was made for one matter is no road of another: whoever stood on it has no verb in that state."""
    case, form = routed
    process = catalogue.process("dispatch")
    strange = {state: matter for matter in process.matters for state in matter.states if matter.key != "dispatch"}
    assert strange
    for state in strange:
        conn.execute("UPDATE cases SET state = %s, form = %s::jsonb WHERE id = %s", (state, json.dumps(form), case))
        under_way = routes.of(form)
        assert under_way is not None
        assert under_way.status == "running"
        assert not (offered(conn, office.chief, case) or set()) & {"approve_step", "return_step", "hold_step"}, state
