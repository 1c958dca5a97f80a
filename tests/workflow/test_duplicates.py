"""One matter that came twice: found for who receives it, closed as one of them by an act, shown on the case that goes on."""

from datetime import timedelta

import pytest

from states.kernel import Refused
from tests import factory
from workflow import cases, duplicates

TITLE = "空き家を生かす移住計画づくりの助言"


@pytest.fixture
def first(conn, who):
    """The request as it came by the screen, received."""
    made = factory.opened(conn, who, title=TITLE)
    factory.drive(conn, who, made, "submit", "receive")
    return made


def on_paper(conn, who, *, place: str = "", **request):
    """The same request as the bureau enters it from paper; days from the factory's usual first day."""
    form = factory.request_form(conn, who, **{"title": TITLE} | request)
    day = (cases.today(conn) - timedelta(days=4)).isoformat()
    form["receipt"] = {"channel": "paper", "arrived_on": day}
    if place:
        told = {"municipality_code": place, "municipality_name": ""}
        form["contact"] |= told
        form["request"]["destination"] |= told
    made = cases.open_case(conn, who.bureau, "dispatch", "municipality_request", form)
    factory.drive(conn, who, made, "submit_proxy")
    return made


def twins(conn, person, case):
    return duplicates.of_case(conn, person, cases.look(conn, person, case))


def test_the_same_request_on_paper_is_found_with_number_way_and_day(conn, who, first):
    paper = on_paper(conn, who)
    [found] = twins(conn, who.bureau, paper)
    assert (found.case_id, found.number, found.plain) == (first, cases.look(conn, who.bureau, first).number, True)
    assert (found.arrival.way, found.arrived_on) == ("画面", cases.today(conn))
    [other] = twins(conn, who.bureau, first)
    assert (other.case_id, other.number, other.arrival.way) == (paper, None, "紙")
    assert other.arrived_on == cases.today(conn) - timedelta(days=4)
    assert other.arrival.entered_by == str(who.bureau)


@pytest.mark.parametrize(
    ("change", "reasons", "plain"),
    [
        ({"title": f"{TITLE}について"}, 2, True),
        ({"title": "祭りの計画"}, 1, True),
        ({"days": 1, "title": "祭りの計画"}, 1, False),
        ({"after": 40}, 1, True),
        ({"after": 40, "title": "祭りの計画"}, 0, False),
        ({"after": 40, "title": "空き家を生かす移住計画づくりの助言2"}, 0, False),
        ({"after": 300}, 0, False),
    ],
)
def test_what_is_alike_is_found_and_nothing_else(conn, who, first, change, reasons, plain):
    after = change.pop("after", 15)
    found = twins(conn, who.bureau, on_paper(conn, who, first=factory.first_day(conn, after=after), **change))
    assert [(len(twin.reasons), twin.plain) for twin in found] == ([(reasons, plain)] if reasons else [])


def test_another_municipality_asks_for_something_of_its_own(conn, who, first):
    assert twins(conn, who.bureau, on_paper(conn, who, place="014583")) == []


def test_the_same_file_is_a_reason_of_its_own(conn, who, first, owner):
    other = on_paper(conn, who, first=factory.first_day(conn, after=40), title="祭りの計画")
    assert twins(conn, who.bureau, other) == []
    for case in (first, other):
        owner.execute(
            "INSERT INTO attachment (case_id, scope, label, name, media_type, size, sha256, org_code, added_by, added_at)"
            " VALUES (%s, 'shared', '', 'a.pdf', 'application/pdf', 1, 'f00d', %s, %s, now())",
            (case, who.office, who.bureau),
        )
    [found] = twins(conn, who.bureau, other)
    assert found.reasons == ("同じファイルが添えられています。",)


def test_what_continues_an_earlier_case_is_no_repetition(conn, who, first):
    number = cases.look(conn, who.bureau, first).number
    assert twins(conn, who.bureau, on_paper(conn, who, previous=number)) == []


def test_a_draft_is_compared_before_it_is_sent_and_nobody_finds_what_he_may_not_see(conn, who, first):
    draft = factory.opened(conn, who, title=TITLE)
    assert [twin.case_id for twin in twins(conn, who.municipality, draft)] == [first]
    assert twins(conn, who.bureau, first) == [], "a draft is its writer's alone"
    stranger = factory.person(conn, "bureau", "hk-soya")
    process, form = cases.look(conn, who.bureau, first).process, factory.request_form(conn, who, title=TITLE)
    assert duplicates.find(conn, stranger, process, form, [who.place]) == []


def test_closed_as_a_repetition_it_is_tied_to_the_one_that_goes_on(conn, who, first):
    paper, number = on_paper(conn, who), cases.look(conn, who.bureau, first).number
    with pytest.raises(Refused) as refusal:
        factory.drive(conn, who, paper, ("mark_duplicate", {"inputs": {"same_as": "上川-R8-999"}}))
    assert "見つかりません" in refusal.value.sentence
    factory.drive(conn, who, paper, ("mark_duplicate", {"inputs": {"same_as": number}}))
    assert cases.look(conn, who.bureau, paper).state.final
    beside = duplicates.linked(conn, who.bureau, first)
    assert ([twin.case_id for twin in beside.came_beside], beside.goes_on) == ([paper], None)
    going = duplicates.linked(conn, who.municipality, paper).goes_on
    assert going is not None
    assert going.number == number
    assert twins(conn, who.bureau, first) == [], "what was closed as one is no question any more"
