"""The edge cases of people and places: a post that empties, a merger, a town that goes to another bureau, an official who retires."""

from datetime import date, datetime
from uuid import uuid4

import pytest

from states import routes
from states.kernel import Refused
from states.places import Directory
from tests import factory, offices
from tests.offices import act
from workflow import (
    accounts,
    appointments,
    cases,
    finding,
    following,
    posts,
    queries,
    staying,
    story,
    succession,
    tenures,
    verify,
)
from workflow.deadlines import TOKYO
from workflow.finding import Wanted
from workflow.loading import NotFound

LAST, FIRST = date(2027, 3, 31), date(2027, 4, 1)


@pytest.fixture
def office(clock, conn, who):
    clock.at(date(2027, 3, 25))
    made = offices.line(conn, who)
    offices.rule(conn, made)
    return made


def waits(conn, person):
    return [row["case_id"] for row in queries.inbox(conn, person).rows]


def put_up(conn, office, n=0):
    return offices.put_up(conn, office, first=factory.first_day(conn, after=20 + 6 * n))


def up_to_decision(conn, office, case):
    for key, verb in (
        ("chief", "approve_step"),
        ("head", "approve_step"),
        ("general", "agree_step"),
        ("health", "agree_step"),
    ):
        act(conn, office.people[key], case, verb)


def tenure(conn, person):
    return conn.execute("SELECT id FROM tenure WHERE person_id = %s AND valid_to IS NULL", (person,)).fetchone()[0]


def vacated(conn, office, person):
    """The post's holder leaves on 31 March."""
    keeper = factory.reader(conn, office.administrators[0])
    tenures.end(conn, keeper, (held := tenure(conn, person)), {f"last-{held}": LAST.isoformat()})
    return keeper


def test_t01_a_post_that_empties_hands_its_queue_to_the_successor(db, conn, office, clock):
    """Drafts put up, and the drafts of the drafter's desk: whoever holds the post on 1 April has them."""
    case = put_up(conn, office)
    up_to_decision(conn, office, case)
    written = cases.open_case(conn, office.officer, "dispatch", "director", {})
    new, clerk = (
        factory.person(conn, role, "hk-sorachi", name=name)
        for role, name in (("director", "新局長（仮名）"), ("bureau", "後任（仮名）"))
    )
    keeper = factory.reader(conn, office.administrators[0])
    name = dict(conn.execute("SELECT id, staff_no || ',' || name FROM person").fetchall())
    lines = [
        "職員番号,氏名,異動後の組織,係・課,職名,発令の種類,発令番号",
        f"{name[new]},上川総合振興局,,局長,本務,人発第1号", f"{name[clerk]},上川総合振興局,地域政策課,主査,本務,人発第2号",
        f"{name[office.director]},,,,退職・離任,", f"{name[office.officer]},,,,退職・離任,",
    ]  # fmt: skip
    appointments.take(conn, keeper, FIRST, "\n".join(lines).encode("cp932"), "四月.csv", good_ones=False)
    clock.at(LAST, hour=23, minute=59)
    assert (waits(conn, office.director), waits(conn, new)) == ([case], [])
    clock.at(FIRST, hour=0)
    assert (waits(conn, office.director), waits(conn, new)) == ([], [case])
    assert following.follow(db) == 0
    with pytest.raises(NotFound):
        cases.look(conn, office.director, case)
    reader = factory.reader(conn, clerk)
    (draft,) = finding.lines(conn, reader, Wanted(states=("draft",)), 10)
    assert draft["case_id"] == written
    assert cases.save(conn, clerk, written, {"request": {"title": "続きを書く"}}, 0) == 1
    assert act(conn, new, case, "approve").state == "preparing"
    assert not verify.run(db).breaks


def test_t01_without_a_successor_a_stand_in_decides_and_no_deputy_ever(db, conn, office, clock):
    case = put_up(conn, office)
    up_to_decision(conn, office, case)
    keeper = vacated(conn, office, office.director)
    # Before he goes he is away, and a deputy might decide; once the post is empty nobody is absent any more.
    offices.away(conn, office.director, kind="leave", days=30)
    clock.at(LAST)
    assert "approve" in [offer.action.name for offer in cases.look(conn, office.vice, case).offers]
    clock.at(FIRST)
    view = cases.look(conn, office.vice, case)
    assert "approve" not in [offer.action.name for offer in view.offers]
    with pytest.raises(Refused) as refusal:
        act(conn, office.vice, case, "approve")
    assert refusal.value.kind == "role"
    (row,) = posts.listed(conn, keeper, "", FIRST, office.posts["director"])
    assert row["vacant"]
    no = conn.execute("SELECT staff_no FROM person WHERE id = %s", (office.vice,)).fetchone()[0]
    typed = {"person": no, "kind": "acting", "from": "R9.4.1", "to": "R9.4.30", "order": "人発第3号"}
    tenures.begin(conn, keeper, office.posts["director"], typed)
    following.follow(db)
    assert waits(conn, office.vice) == [case]
    act(conn, office.vice, case, "approve")
    line = story.timeline(conn, cases.look(conn, office.officer, case))[0]
    assert line["action"] == "approve"
    names = conn.execute(
        "SELECT convert_from(data, 'UTF8') FROM content WHERE case_id = %s AND kind = 'names' ORDER BY seq DESC LIMIT 1",
        (case,),
    )
    assert '"as":"職務代理"' in names.fetchone()[0]
    found = routes.of(conn.execute("SELECT form FROM cases WHERE id = %s", (case,)).fetchone()[0])
    assert found is not None
    assert found.deciding.acting == "acting"
    assert not any(step.kind == routes.AFTER for step in found.steps), "nobody was absent: nothing to read afterwards"


def test_t06_two_codes_end_and_one_begins_and_figures_are_right_both_ways(fresh_database, db, conn):
    """熊石町 and the old 八雲町 end on 30 September 2005, the new 八雲町 begins: the cases go on, what was written stays."""
    factory.set_clock(fresh_database.owner_url, datetime(2005, 9, 20, 9, tzinfo=TOKYO))
    long_ago = date(2004, 4, 1)
    here = factory.cast(conn, "hk-oshima", "013463")
    conn.execute("UPDATE post SET valid_from = %s", (long_ago,))
    conn.execute("UPDATE tenure SET valid_from = %s", (long_ago,))
    clerk = factory.person(conn, "municipality", "013650", since=long_ago)
    conn.execute("UPDATE post SET valid_from = %s", (long_ago,))

    def called(code, day):
        found = Directory.from_csv().municipality(code, day)
        return found and found.name

    then, now = date(2005, 9, 30), date(2005, 10, 1)
    assert called("013650", then) == "熊石町"
    assert called("013650", now) is None
    assert called("013463", now) == "八雲町"
    request = factory.request_form(conn, here, first=date(2005, 11, 7), title="漁港の使い方")
    request["request"] |= {
        "office_code": "hk-hiyama",
        "destination": {"type": "municipality", "municipality_code": "013650", "municipality_name": "熊石町"},
    }
    request["contact"] |= {"municipality_code": "013650", "municipality_name": "熊石町"}
    old = cases.open_case(conn, clerk, "dispatch", "municipality_request", request)
    factory.drive(conn, here, old, ("submit", {"by": clerk}))
    yakumo = factory.opened(conn, here, first=date(2005, 11, 14), title="統合の計画")
    factory.drive(conn, here, yakumo, "submit")
    factory.set_clock(fresh_database.owner_url, datetime(2005, 10, 3, 9, tzinfo=TOKYO))
    assert succession.take_over(db) == 1
    heir = cases.look(conn, here.municipality, old)
    assert heir.form["contact"]["municipality_name"] == "熊石町"
    line = story.timeline(conn, heir)[0]
    assert line["shown"][0]["text"] == "熊石町 → 八雲町"
    assert [
        org
        for (org,) in conn.execute(
            "SELECT org_code FROM party WHERE case_id = %s AND part = 'requester' AND valid_to IS NULL", (old,)
        ).fetchall()
    ] == ["013463"]
    # Both ways: as it is now both are 八雲町's; as they were asked one is 熊石町's.
    requested = "SELECT org_code, count(*) FROM party WHERE part = 'requester' {} GROUP BY org_code ORDER BY org_code"
    assert conn.execute(requested.format("AND valid_to IS NULL")).fetchall() == [("013463", 2)]
    assert conn.execute(requested.format("AND valid_from <= '2005-09-30'")).fetchall() == [("013463", 1), ("013650", 1)]
    assert conn.execute("SELECT place, count(*) FROM cases GROUP BY place ORDER BY place").fetchall() == [
        ("013463", 1),
        ("013650", 1),
    ]
    assert verify.verify(db).whole


@pytest.fixture
def moved(conn, who, owner, clock):
    """美瑛町 goes to 空知 on 1 December, with a case open and another opened there before."""

    def go():
        owner.execute(
            "UPDATE organisation SET valid_to = '2026-11-30' WHERE code = %s AND valid_to IS NULL", (who.place,)
        )
        owner.execute(
            "INSERT INTO organisation (code, kind, name, short, kana, office, sort, contact, valid_from)"
            " VALUES (%s, 'municipality', '美瑛町', '美瑛町', '', 'hk-sorachi', 1, '', '2026-12-01')",
            (who.place,),
        )
        clock.at(date(2026, 12, 1))

    return go


def choices(conn, person):
    return [(row["case_id"], row["kind"]) for row in queries.inbox(conn, person).attention]


def test_t07_open_cases_of_a_town_that_moved_choose_to_stay_or_to_be_passed_on(db, conn, who, moved):
    stays, goes, closed = (factory.opened(conn, who, first=factory.first_day(conn, after=25 + 6 * n)) for n in range(3))
    for case in (stays, goes, closed):
        factory.drive(conn, who, case, "submit")
    factory.drive(conn, who, closed, "withdraw")
    following.follow(db)
    assert choices(conn, who.bureau) == []
    moved()
    following.follow(db)
    assert sorted(choices(conn, who.bureau)) == [(stays, staying.OFFICE_CHANGED), (goes, staying.OFFICE_CHANGED)]
    (sentence,) = {row["sentence"] for row in queries.inbox(conn, who.bureau).attention}
    assert "「転送する」" in sentence
    assert "いまの局で続ける" in sentence
    view = cases.look(conn, who.bureau, stays)
    assert "空知総合振興局に変わりました" in staying.open_to(conn, view)
    with pytest.raises(Refused) as refusal:
        staying.stay(conn, who.bureau, stays, " ", version=view.version, key=uuid4())
    assert "理由を書いてください" in refusal.value.sentence
    key, reason = uuid4(), "検討がほぼ終わっているため。"
    done = staying.stay(conn, who.bureau, stays, reason, version=view.version, key=key)
    again = staying.stay(conn, who.bureau, stays, reason, version=view.version, key=key)
    assert (again.version, again.replayed) == (done.version, True)
    with pytest.raises(Refused) as refusal:
        staying.stay(conn, who.bureau_colleague, stays, reason, version=done.version, key=uuid4())
    assert "いま選ぶことがありません" in refusal.value.sentence
    line = story.timeline(conn, cases.look(conn, who.bureau, stays))[0]
    assert (line["action_label"], line["moved"]) == ("いまの局で続ける", False)
    assert line["shown"] == [{"label": "いまの局で続ける理由", "text": reason, "erased_by": None, "internal": True}]
    outside = story.timeline(conn, cases.look(conn, who.municipality, stays))[0]
    assert outside["shown"] == []
    factory.drive(conn, who, stays, "receive")
    factory.drive(conn, who, goes, ("forward", {"inputs": {"office": "hk-sorachi", "reason": "所管が変わったため。"}}))
    assert choices(conn, who.bureau) == []
    conn.execute("DELETE FROM routes_followed")
    following.follow(db)
    assert choices(conn, who.bureau) == [], "chosen once"
    leads = dict(conn.execute("SELECT id, lead FROM cases WHERE id = ANY (%s)", ([stays, goes],)).fetchall())
    assert leads == {stays: who.office, goes: "hk-sorachi"}
    assert cases.look(conn, who.bureau, goes).ended == "転送済み"
    assert verify.verify(db).whole


def test_t07_a_town_that_goes_into_one_of_another_bureau_asks_the_same(db, conn, who, owner, clock):
    case = factory.opened(conn, who, first=factory.first_day(conn, after=25))
    factory.drive(conn, who, case, "submit")
    owner.execute(
        "UPDATE organisation SET valid_to = '2026-11-30', successor = '012181' WHERE code = %s AND valid_to IS NULL",
        (who.place,),
    )
    clock.at(date(2026, 12, 1))
    assert succession.take_over(db) == 1
    following.follow(db)
    (shown,) = queries.inbox(conn, who.bureau).attention
    assert shown["sentence"].startswith("赤平市の所管は、空知総合振興局に変わりました。")


def test_t07_any_other_act_is_no_choice_and_the_next_day_asks_again(db, conn, who, moved, clock):
    case = factory.opened(conn, who, first=factory.first_day(conn, after=25))
    factory.drive(conn, who, case, "submit")
    moved()
    following.follow(db)
    factory.drive(conn, who, case, "receive")
    assert choices(conn, who.bureau) == []
    clock.at(date(2026, 12, 2))
    following.follow(db)
    assert choices(conn, who.bureau) == [(case, staying.OFFICE_CHANGED)]
    for other in (who.municipality, who.director, who.headquarters):
        with pytest.raises(Refused) as refusal:
            staying.stay(conn, other, case, "続ける。", version=factory.version(conn, case), key=uuid4())
        assert refusal.value.kind == "role"


def test_t07_what_the_clock_does_is_no_choice(db, conn, who, moved):
    case = factory.opened(conn, who, first=factory.first_day(conn, after=25))
    factory.drive(conn, who, case, "submit")
    moved()
    following.follow(db)
    conn.execute("UPDATE attention SET closed_at = clock_now()")
    conn.execute("DELETE FROM routes_followed")
    following.follow(db)
    assert choices(conn, who.bureau) == [(case, staying.OFFICE_CHANGED)]


def test_t14_a_retired_officials_name_stays_and_the_contact_goes(db, conn, office, clock):
    case = put_up(conn, office)
    up_to_decision(conn, office, case)
    act(conn, office.director, case, "approve")
    name, mail = conn.execute("SELECT name, mail FROM person WHERE id = %s", (office.director,)).fetchone()
    assert mail
    conn.execute(
        "INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, 'kyokucho', '', 0, false)",
        (office.director,),
    )
    session = accounts.open_session(conn, office.director)
    keeper = vacated(conn, office, office.director)
    assert posts.left(conn, keeper) == []
    with pytest.raises(NotFound):
        tenures.clear_contact(conn, keeper, office.director)
    clock.at(FIRST)
    assert [row["id"] for row in posts.left(conn, keeper)] == [office.director]
    tenures.clear_contact(conn, keeper, office.director)
    assert conn.execute("SELECT name, mail FROM person WHERE id = %s", (office.director,)).fetchone() == (name, "")
    assert conn.execute("SELECT disabled FROM account WHERE person_id = %s", (office.director,)).fetchone() == (True,)
    assert accounts.live_session(conn, session.token) is None
    assert posts.left(conn, keeper) == []
    lines = story.timeline(conn, cases.look(conn, office.officer, case))
    decided = next(line for line in lines if line["action"] == "approve")
    assert (decided["actor_name"], decided["post_title"]) == (name, "局長")
    assert verify.verify(db).whole
