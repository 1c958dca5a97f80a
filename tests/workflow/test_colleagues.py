"""Who may be named for a team; skills and absences, kept by the office for its own people alone."""

from datetime import date

import pytest

from tests import factory
from workflow import absences, colleagues
from workflow.colleagues import NotTaken
from workflow.loading import NotFound

OTHER = "hk-rumoi"


@pytest.fixture
def officer(conn, who):
    return factory.reader(conn, who.bureau)


def test_staff_of_several_offices_come_office_by_office(conn, who):
    there = factory.person(conn, "staff", OTHER, section="地域政策課", title="主査")
    found = colleagues.of_offices(conn, [who.office, OTHER])
    assert [c.id for c in found] == [who.staff, who.staff_colleague, there]
    assert (found[-1].office, found[-1].office_name, found[-1].section, found[-1].title) == (
        OTHER,
        "留萌",
        "地域政策課",
        "主査",
    )


def test_somebody_with_two_posts_stands_there_once_and_an_ended_post_not_at_all(conn, who):
    factory.post(conn, who.staff, "staff", OTHER)
    gone = factory.person(conn, "staff", who.office, until=date(2020, 4, 2))
    ids = [c.id for c in colleagues.of_offices(conn, [who.office, OTHER])]
    assert ids.count(who.staff) == 1
    assert gone not in ids


def test_offices_of_a_case_are_the_leading_one_and_those_that_join_in():
    parties = [
        {"part": "lead", "org_code": "a"},
        {"part": "requester", "org_code": "t"},
        {"part": "co_office", "org_code": "b"},
    ]
    assert colleagues.offices_of("a", parties) == ["a", "b"]


def member(**told):
    return {"person": None, "name": "", "role": "", "section": "", "days": ""} | told


def test_a_named_person_brings_name_section_and_title(conn, who):
    groups = {"team": {"members": [member(person=who.staff), member(role="保健師")]}}
    first, second = colleagues.fill_in(conn, [who.office], groups)["team"]["members"]
    assert (first["role"], bool(first["name"])) == ("主任", True)
    assert second == member(role="保健師")


def test_whoever_takes_a_place_does_not_keep_the_other_ones_section_and_title(conn, who):
    chief = factory.person(conn, "staff", who.office, section="農務課", title="課長", name="早瀬（仮名）")
    row = member(person=chief, name="ほかの人（仮名）", role="主査", section="林務課", days="11/9")
    (found,) = colleagues.fill_in(conn, [who.office], {"team": {"members": [row]}})["team"]["members"]
    assert found == member(person=chief, name="早瀬（仮名）", role="課長", section="農務課", days="11/9")
    kept = found | {"role": "課長補佐"}
    assert colleagues.fill_in(conn, [who.office], {"team": {"members": [kept]}})["team"]["members"] == [kept]


def test_what_has_a_person_and_no_name_stays_as_it_is(conn, who):
    orders = {"appointment": {"orders": [{"person": who.staff, "kind": "appoint"}]}}
    assert colleagues.fill_in(conn, [who.office], orders) == orders


def test_skills_are_replaced_each_once(conn, who, officer):
    colleagues.set_skills(conn, officer, who.staff, "防災、計画づくり\n観光、 ﾎﾞｳｻｲ、ボウサイ")
    assert set(colleagues.skills(conn, [who.staff])[who.staff]) == {"防災", "計画づくり", "観光", "ボウサイ"}
    colleagues.set_skills(conn, officer, who.staff, "観光")
    assert colleagues.skills(conn, [who.staff, who.staff_colleague]) == {who.staff: ("観光",), who.staff_colleague: ()}


@pytest.mark.parametrize(
    ("written", "reason"),
    [("長" * 41, "40字まで"), ("、".join(f"技{n}" for n in range(21)), "20個まで"), ("防災\x07", "U+0007")],
)
def test_skills_that_cannot_be_kept_change_nothing(conn, who, officer, written, reason):
    colleagues.set_skills(conn, officer, who.staff, "観光")
    with pytest.raises(NotTaken) as refusal:
        colleagues.set_skills(conn, officer, who.staff, written)
    assert reason in refusal.value.fields[f"skills-{who.staff}"]
    assert colleagues.skills(conn, [who.staff])[who.staff] == ("観光",)


def test_an_absence_is_entered_with_who_entered_it_and_can_be_taken_back(conn, who, officer):
    entry = absences.enter(conn, officer, {"person": str(who.staff), "from": "R12.4.1", "to": "令和12年4月3日"})
    absences.enter(conn, officer, {"person": str(who.staff), "from": "2030-05-01", "to": ""})
    first, second = absences.listed(conn, [who.staff])
    assert (first["valid_from"], first["valid_to"], second["valid_to"]) == (
        date(2030, 4, 1),
        date(2030, 4, 3),
        date(2030, 5, 1),
    )
    assert first["entered_by"] == officer.name
    assert colleagues.away(conn, [who.staff], date(2030, 4, 2), date(2030, 12, 31)) == {
        who.staff: [(date(2030, 4, 2), date(2030, 4, 3)), (date(2030, 5, 1), date(2030, 5, 1))]
    }
    absences.drop(conn, officer, entry)
    assert [row["id"] for row in absences.listed(conn, [who.staff])] == [second["id"]]


@pytest.mark.parametrize(
    ("told", "field", "reason"),
    [
        ({"person": "", "from": "2030-04-01"}, "person", "職員を選んで"),
        ({"from": ""}, "from", "書かれていません"),
        ({"from": "2030-04-31"}, "from", "4月は30日まで"),
        ({"from": "2030-04-02", "to": "2030-04-01"}, "to", "初めの日より前"),
        ({"from": "2030-04-02", "to": "2031-04-03"}, "to", "1年を超える"),
        ({"from": "2030-04-02", "to": "らいねん"}, "to", "読めません"),
    ],
)
def test_an_absence_that_cannot_be_is_told_with_its_field(conn, who, officer, told, field, reason):
    with pytest.raises(NotTaken) as refusal:
        absences.enter(conn, officer, {"person": str(who.staff), **told})
    assert reason in refusal.value.fields[field]
    assert absences.listed(conn, [who.staff]) == []


def test_only_the_bureau_keeps_them_and_only_of_its_own_people(conn, who, officer):
    stranger = factory.person(conn, "staff", OTHER)
    told = {"person": str(stranger), "from": "2030-04-01", "to": ""}
    theirs = absences.enter(conn, factory.reader(conn, factory.person(conn, "bureau", OTHER)), told)
    for attempt in (
        lambda: absences.enter(conn, officer, told),
        lambda: colleagues.set_skills(conn, officer, stranger, "観光"),
        lambda: absences.drop(conn, officer, theirs),
        lambda: absences.drop(conn, officer, 10**9),
        lambda: absences.enter(conn, factory.reader(conn, who.director), told | {"person": str(who.staff)}),
        lambda: colleagues.set_skills(conn, factory.reader(conn, who.municipality), who.staff, "観光"),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert len(absences.listed(conn, [stranger, who.staff])) == 1
