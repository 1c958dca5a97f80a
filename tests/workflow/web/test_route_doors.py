"""What the table does not offer is refused on the page and by the clock: a sentence, and nothing is changed."""

import re
from uuid import uuid4

import pytest

from states import catalogue
from states.kernel import Refused
from states.route_actions import BY_NAME, WHO
from states.terms import CLOCK
from tests import factory, offices
from tests.workflow.web.browsing import browser_of, visible
from workflow import cases
from workflow.loading import NotFound, load

JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠].*。$", re.DOTALL)
UNKNOWN = "no_such_verb"


@pytest.fixture
def office(conn, who):
    made = offices.line(conn, who)
    offices.rule(conn, made)
    return made


def people(conn, office):
    """Somebody of every part that a case has, and of the line."""
    who = office.who
    parts = {
        "municipality": who.municipality,
        "headquarters": who.headquarters,
        "auditor": who.auditor,
        "records": who.records,
        "staff": who.staff,
    }
    return parts | dict(office.people)


def offered(conn, person, case):
    try:
        return {offer.action.name for offer in cases.look(conn, person, case).offers}
    except NotFound:
        return set()


def test_on_the_page_what_is_not_offered_is_refused_and_nothing_changes(web, conn, office):
    """Every verb and act by everybody who has a part, in a routed case: POST answers 403, 404 or 422 with a sentence."""
    case, number = offices.put_up(conn, office), 0
    process = catalogue.process("dispatch")
    for key, person in people(conn, office).items():
        browser, open_ = browser_of(web, conn, person), offered(conn, person, case)
        for name in sorted({*BY_NAME, *process.names, UNKNOWN} - open_):
            before = factory.version(conn, case)
            sent = {
                "csrf": browser.csrf,
                "version": str(before),
                "key": str(uuid4()),
                "input.remark": "理由",
                "input.reason": "理由",
            }
            answer = browser.client.post(f"/cases/{case}/actions/{name}", data=sent)
            assert answer.status_code in (400, 403, 404, 409, 422), (key, name, answer.status_code)
            assert re.search(r"[ぁ-ん].*。", visible(answer.text)), (key, name)
            assert factory.version(conn, case) == before, (key, name)
            number += 1
    assert number > 300


def test_by_the_clock_no_verb_of_a_route_and_no_act_of_a_person_is_done(conn, office):
    """What tasks do goes through `act_by_clock`, which asks the same table as the clock."""
    case = offices.put_up(conn, office)
    process = catalogue.process("dispatch")
    for name in sorted({*BY_NAME, *(row.name for row in process.table if CLOCK not in row.by), UNKNOWN}):
        before = factory.version(conn, case)
        with pytest.raises(Refused) as refusal:
            cases.act_by_clock(conn, case, name)
        assert JAPANESE.search(refusal.value.sentence)
        assert factory.version(conn, case) == before
    assert not load(conn, case, None).facts.roles & set(WHO)
