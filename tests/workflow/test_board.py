"""Who is where: what the ledger tells whom; absences, days of the year, visits; and one person wanted by two cases at once."""

import threading
from datetime import datetime
from typing import Any

import pytest

from states.dates import days_text, short
from states.kernel import Refused
from tests import factory
from workflow import absences, board, colleagues
from workflow.deadlines import TOKYO

NOW = datetime(2026, 10, 14, 9, tzinfo=TOKYO)
RECEIVED = ("submit", "receive")


@pytest.fixture(autouse=True)
def wednesday(fresh_database):
    factory.set_clock(fresh_database.owner_url, NOW)


@pytest.fixture
def first(conn, who):
    """The Monday three weeks ahead on which the requests of these tests begin."""
    return factory.first_day(conn, who.office)


def team_of(*members):
    """A team of (person, days as typed)."""
    return {
        "team": {
            "members": [
                {"person": person, "name": "派遣（仮名）", "role": "主任", "section": "地域政策課", "leader": number == 0, "headcount": 1, "days": days}
                for number, (person, days) in enumerate(members)
            ]
        }
    }  # fmt: skip


def proposed(conn, who, *members, **request):
    """A case for which these members are proposed; its id."""
    case = factory.opened(conn, who, **request)
    factory.drive(conn, who, case, *RECEIVED, propose(who, *members))
    return case


def propose(who, *members):
    return ("propose_team", {"by": who.bureau, "form": team_of(*members)})


def over(conn, who, people, days, **told):
    staff = [c for c in colleagues.of_offices(conn, [who.office]) if c.id in people]
    found = board.over(conn, told.pop("reader", who.bureau), staff, days[0], days[-1], **told)
    return {person.colleague.id: person for person in found}


def number_of(conn, case):
    return conn.execute("SELECT number FROM cases WHERE id = %s", (case,)).fetchone()[0]


def test_the_office_sees_which_case_has_somebody_and_who_may_not_sees_only_that_somebody_does(conn, who, first):
    case = proposed(conn, who, (who.staff, days_text([first])))
    own = over(conn, who, [who.staff], [first])[who.staff].elsewhere[first, 0]
    assert (own.case_id, own.number, own.decided) == (case, number_of(conn, case), False)
    stranger = factory.person(conn, "bureau", "hk-sorachi")
    hidden = over(conn, who, [who.staff], [first], reader=stranger)[who.staff].elsewhere[first, 0]
    assert (hidden.seen, hidden.number, hidden.title) == (False, "", "")
    wide = over(conn, who, [who.staff], [first], reader=who.headquarters)[who.staff].elsewhere[first, 0]
    assert wide.seen


def test_a_decided_dispatch_is_told_from_one_that_is_only_proposed(conn, who, first):
    case = proposed(conn, who, (who.staff, days_text([first])))
    factory.drive(conn, who, case, "put_to_director", "approve")
    assert over(conn, who, [who.staff], [first])[who.staff].elsewhere[first, 0].decided


def test_half_days_leave_the_other_half_free(conn, who, first):
    proposed(conn, who, (who.staff, f"{first.month}/{first.day}午前"))
    person = over(conn, who, [who.staff], [first])[who.staff]
    assert person.free(first) == (1,)
    assert person.taken((first, 0))
    assert not person.taken((first, 1))


def test_the_case_that_is_composed_does_not_count(conn, who, first):
    case = proposed(conn, who, (who.staff, days_text([first])))
    person = over(conn, who, [who.staff], [first], case_id=case)[who.staff]
    assert (person.elsewhere, person.used, person.free(first)) == ({}, 0, (0, 1))


def test_absence_takes_the_whole_day_and_says_no_reason(conn, who, first):
    officer = factory.reader(conn, who.bureau)
    absences.enter(conn, officer, {"person": str(who.staff), "from": first.isoformat(), "to": ""})
    person = over(conn, who, [who.staff], [first])[who.staff]
    assert (person.away, person.free(first)) == ({first}, ())


def test_days_of_the_year_are_person_days_planned_ones_too(conn, who, first):
    proposed(conn, who, (who.staff, days_text([first])), (who.staff_colleague, f"{first.month}/{first.day}午後"))
    found = over(conn, who, [who.staff, who.staff_colleague], [first])
    assert (found[who.staff].used, found[who.staff_colleague].used) == (1, 0.5)
    assert board.used_in(conn, [who.staff], 2025) == {}


def test_the_last_visit_is_the_newest_day_before_today_to_the_same_place(conn, who, first, fresh_database):
    case = proposed(conn, who, (who.staff, days_text([first])), first=first)
    assert over(conn, who, [who.staff], [first], place=who.place)[who.staff].visit is None, "it is still to come"
    later = datetime.combine(first, NOW.time(), TOKYO).replace(month=12, day=21)
    factory.set_clock(fresh_database.owner_url, later)
    visit = over(conn, who, [who.staff], [later.date()], place=who.place)[who.staff].visit
    assert (visit.day, visit.number) == (first, number_of(conn, case))
    assert over(conn, who, [who.staff], [later.date()], place="014583")[who.staff].visit is None
    stranger = factory.person(conn, "bureau", "hk-sorachi")
    assert over(conn, who, [who.staff], [later.date()], place=who.place, reader=stranger)[who.staff].visit.number == ""


# ── one person, two cases ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_case_that_wants_the_person_on_the_same_half_day_is_refused_with_name_and_day(conn, who, first):
    taken = proposed(conn, who, (who.staff, days_text([first])))
    other = factory.opened(conn, who)
    factory.drive(conn, who, other, *RECEIVED)
    with pytest.raises(Refused) as refusal:
        factory.drive(conn, who, other, propose(who, (who.staff, f"{first.month}/{first.day}午後")))
    said = refusal.value.sentence
    name = conn.execute("SELECT name FROM person WHERE id = %s", (who.staff,)).fetchone()[0]
    for words in (
        name,
        short(first),
        "午前" if "午前" in said else "午後",
        number_of(conn, taken),
        "何も変えていません",
    ):
        assert words in said
    assert refusal.value.verdicts[0].field == "team.members"
    assert over(conn, who, [who.staff], [first])[who.staff].elsewhere[first, 1].case_id == taken


def test_morning_and_afternoon_may_belong_to_two_cases(conn, who, first):
    one = proposed(conn, who, (who.staff, f"{first.month}/{first.day}午前"))
    two = proposed(conn, who, (who.staff, f"{first.month}/{first.day}午後"))
    person = over(conn, who, [who.staff], [first])[who.staff]
    assert [person.elsewhere[first, half].case_id for half in (0, 1)] == [one, two]


@pytest.mark.parametrize("leaving", [("withdraw",), ("put_to_director", "decline")])
def test_a_case_that_goes_nowhere_lets_its_people_go(conn, who, first, leaving):
    case = proposed(conn, who, (who.staff, days_text([first])))
    factory.drive(conn, who, case, *leaving)
    assert over(conn, who, [who.staff], [first])[who.staff].free(first) == (0, 1)
    proposed(conn, who, (who.staff, days_text([first])))


def test_of_two_officers_who_propose_one_person_at_the_same_moment_exactly_one_succeeds(conn, who, first, db):
    rounds = 8
    for turn in range(rounds):
        person = factory.person(conn, "staff", who.office)
        wanted = [factory.opened(conn, who) for _ in range(2)]
        for case in wanted:
            factory.drive(conn, who, case, *RECEIVED)
        # Half-days of one day: both want the afternoon, one of them the whole day.
        days = [days_text([first]), f"{first.month}/{first.day}午後"]
        found = at_once(db, who, wanted, [(person, written) for written in days[:: 1 if turn % 2 else -1]])
        refused = [told for told in found if isinstance(told, Refused)]
        assert len(refused) == 1, found
        assert short(first) in refused[0].sentence
        assert "午後" in refused[0].sentence or "午前" in refused[0].sentence
        held = conn.execute("SELECT DISTINCT case_id FROM assignment WHERE person_id = %s", (person,)).fetchall()
        assert held == [(wanted[found.index(refused[0]) ^ 1],)]
        loser = wanted[found.index(refused[0])]
        assert factory.version(conn, loser) == len(RECEIVED), "who lost has done nothing"


def at_once(db, who, wanted, members):
    """Both propose at the same moment, each on a connection of its own; what came of it, in order."""
    barrier = threading.Barrier(2)
    found: list[Any] = [None, None]

    def one(place):
        with db.connection() as own:
            own.execute("SELECT 1")
            barrier.wait(30)
            try:
                found[place] = factory.drive(own, who, wanted[place], propose(who, members[place]))
            except Exception as told:  # noqa: BLE001 - what was raised is what is looked at
                found[place] = told

    threads = [threading.Thread(target=one, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found
