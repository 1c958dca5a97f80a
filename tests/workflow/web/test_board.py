"""The board beside a team, without script: ticks and typed days are one thing, whoever is taken is told before, nothing is lost."""

import html
import re
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest

from states.dates import days_text, short
from tests import factory
from tests.workflow.web.browsing import Browser, browser_of, sheet, visible
from workflow import absences, colleagues, db
from workflow.deadlines import TOKYO

NOW = datetime(2026, 10, 14, 9, tzinfo=TOKYO)
SKILL = "防災"


@pytest.fixture
def conn(web):
    with db.database().connection() as connection:
        yield connection


@pytest.fixture
def who(conn, fresh_database):
    factory.set_clock(fresh_database.owner_url, NOW)
    return factory.cast(conn)


@pytest.fixture
def officer(web, conn, who) -> Browser:
    return browser_of(web, conn, who.bureau)


@pytest.fixture
def first(conn, who):
    return factory.first_day(conn, who.office)


def received(conn, who, **request) -> int:
    case = factory.opened(conn, who, **request)
    factory.drive(conn, who, case, "submit", "receive")
    return case


def address(case) -> str:
    return f"/cases/{case}/actions/propose_team"


def ticks(page: str) -> dict[str, str]:
    """Label of every tick → its value."""
    found = re.findall(r'<input type="checkbox" name="team\.members~on" value="([^"]+)"[^>]*aria-label="([^"]+)"', page)
    return {html.unescape(label): value for value, label in found}


def ticked(page: str) -> list[str]:
    return re.findall(r'name="team\.members~on" value="([^"]+)" checked', page)


def send(officer: Browser, case: int, page: str, on: list[str], do: str = "look", **fields: str) -> str:
    """Press a button of the page with these ticks; the page that follows."""
    told = {name: value for name, value in sheet(page).items() if not name.endswith("~on")} | fields
    data = {"csrf": officer.csrf, **told, "team.members~on": on, "do": do}
    answer = officer.client.post(f"/cases/{case}/edit?action=propose_team", data=data, follow_redirects=True)
    assert answer.status_code == 200, visible(answer.text)[:800]
    return answer.text


def members(conn, case):
    (form,) = conn.execute("SELECT form FROM working WHERE case_id = %s", (case,)).fetchone()
    return form["team"]["members"]


def name_of(conn, person):
    return conn.execute("SELECT name FROM person WHERE id = %s", (person,)).fetchone()[0]


def test_ticks_become_rows_with_typed_days_and_come_back_ticked(conn, who, officer, first):
    case = received(conn, who, first=first)
    page = officer.get(address(case))
    labels = ticks(page)
    name = name_of(conn, who.staff)
    days = [first, first + timedelta(days=1)]
    page = send(officer, case, page, [labels[f"{name} {short(day)}"] for day in days])
    assert sheet(page)["team.members.0.days"] == days_text(days)
    assert sheet(page)["team.members.0.person"] == str(who.staff)
    assert len(ticked(page)) == 2
    assert members(conn, case)[0] | {"name": name, "section": "", "role": "主任"} == members(conn, case)[0]
    page = send(officer, case, page, ticked(page)[:1])
    assert sheet(page)["team.members.0.days"] == days_text(days[:1])


def test_typed_days_are_shown_as_ticks_half_days_too(conn, who, officer, first):
    case = received(conn, who, first=first)
    page = officer.get(address(case))
    typed = f"{first.month}/{first.day}午前"
    page = send(officer, case, page, [], **{"team.members.0.person": str(who.staff), "team.members.0.days": typed})
    assert ticked(page) == [f"{who.staff}:{first}.0"]
    assert sheet(page)["team.members.0.days"] == typed
    assert f"{name_of(conn, who.staff)} {short(first)} 午前" in ticks(page)
    assert "0.5日" in visible(page)


def test_a_person_who_is_taken_cannot_be_ticked_and_the_row_says_where(conn, who, officer, first):
    other = received(conn, who, first=first)
    factory.drive(conn, who, other, "propose_team")
    number = conn.execute("SELECT number FROM cases WHERE id = %s", (other,)).fetchone()[0]
    case = received(conn, who, first=first)
    page = officer.get(address(case))
    assert f"{name_of(conn, who.staff)} {short(first)}" not in ticks(page)
    assert f"ほかの派遣の案(決定前) {number}" in html.unescape(page)
    page = send(
        officer, case, page, [], **{"team.members.0.person": str(who.staff), "team.members.0.days": days_text([first])}
    )
    assert f"{days_text([first])}はほかの派遣({number})に入っています。日か人を替えてください。" in visible(page)
    assert ticks(page)[f"{name_of(conn, who.staff)} {short(first)} 重なり"]


def test_another_offices_case_is_only_told_as_another(web, conn, who, first):
    other = received(conn, who, first=first)
    factory.drive(conn, who, other, "propose_team")
    number = conn.execute("SELECT number FROM cases WHERE id = %s", (other,)).fetchone()[0]
    far = factory.cast(conn, "hk-sorachi", "014231")
    # The same person holds a post at both offices.
    factory.post(conn, who.staff, "staff", far.office)
    case = received(conn, far, first=first)
    page = browser_of(web, conn, far.bureau).get(address(case))
    assert "ほかの派遣(案件は見られません)" in visible(page)
    assert number not in page


def test_absence_is_shown_and_asks_no_reason(conn, who, officer, first):
    absences.enter(
        conn, factory.reader(conn, who.bureau), {"person": str(who.staff), "from": first.isoformat(), "to": ""}
    )
    case = received(conn, who, first=first)
    page = officer.get(address(case))
    assert "不在(理由は出しません)" in visible(page)
    page = send(
        officer, case, page, [], **{"team.members.0.person": str(who.staff), "team.members.0.days": days_text([first])}
    )
    assert "は不在です。" in visible(page)


def test_work_on_rest_days_asks_for_a_substitute_within_its_span(conn, who, officer, first):
    saturday = first + timedelta(days=(5 - first.weekday()) % 7)
    case = received(conn, who, first=first, days=10)
    page = officer.get(address(case))
    row = {"team.members.0.person": str(who.staff), "team.members.0.days": days_text([saturday])}
    page = send(officer, case, page, [], **row)
    span = f"{short(saturday)}の勤務: {short(saturday - timedelta(days=28))}から{short(saturday + timedelta(days=56))}までに振り替えます"
    assert "振替があと1日分要ります" in visible(page)
    assert span in visible(page)
    monday = saturday + timedelta(days=9)
    page = send(officer, case, page, ticked(page), **{"team.members.0.substitute": f"{monday.month}/{monday.day}"})
    assert "振替はそろっています" in visible(page)
    page = send(
        officer, case, page, ticked(page), **{"team.members.0.substitute": days_text([saturday + timedelta(days=1)])}
    )
    assert "もともと休みの日" in visible(page)


def test_one_leader_is_chosen_of_all_rows(conn, who, officer, first):
    case = received(conn, who, first=first)
    page = officer.get(address(case))
    rows = {"team.members.0.person": str(who.staff), "team.members.1.person": str(who.staff_colleague)}
    page = send(officer, case, page, [], **rows, **{"team.members~leader": "1"})
    assert [m["leader"] for m in members(conn, case)] == [False, True]
    page = send(officer, case, page, [], **{"team.members~leader": "0"})
    assert [m["leader"] for m in members(conn, case)] == [True, False]
    assert "(隊長)" in visible(page)


def test_a_candidate_is_put_into_the_place_and_what_was_typed_stays(conn, who, officer, first):
    colleagues.set_skills(conn, factory.reader(conn, who.bureau), who.staff_colleague, SKILL)
    wish = {"skill": f"{SKILL}計画", "headcount": "2", "days": days_text([first])}
    case = received(conn, who, first=first, wishes=[wish])
    page = officer.get(address(case))
    shown = visible(page)
    assert f"市町村の希望: {SKILL}計画(2人 ・ {days_text([first])})" in shown
    assert shown.index(f"1. {name_of(conn, who.staff_colleague)}") < shown.index(f"2. {name_of(conn, who.staff)}")
    assert f"得意なこと: {SKILL}" in shown
    (pick,) = picks(page, name_of(conn, who.staff_colleague))
    typed = {"team.members.0.role": "保健師", "team.members.0.headcount": "3", "team.members.0.days": "11/3、らいげつ"}
    page = send(officer, case, page, [], do=pick, **typed)
    first_row, second = members(conn, case)
    assert (first_row["role"], first_row["headcount"], first_row["days"]) == ("保健師", 3, "11/3、らいげつ")
    assert (second["person"], second["days"], second["headcount"]) == (who.staff_colleague, days_text([first]), 1)


def test_one_of_several_open_places_gets_a_name_and_the_others_wait(conn, who, officer, first):
    case = received(conn, who, first=first)
    page = officer.get(address(case))
    page = send(
        officer,
        case,
        page,
        [],
        **{"team.members.0.role": "保健師", "team.members.0.headcount": "3", "team.members.0.days": days_text([first])},
    )
    assert "1行目の席: 保健師(3人" in visible(page)
    assert "名前の決まっていない席" in visible(page)
    page = send(officer, case, page, [], do=picks(page, name_of(conn, who.staff))[0])
    named, rest = members(conn, case)
    assert (named["person"], named["headcount"], named["days"]) == (who.staff, 1, days_text([first]))
    assert (rest["person"], rest["role"], rest["headcount"], rest["days"]) == (None, "保健師", 2, days_text([first]))


def picks(page: str, name: str) -> list[str]:
    """The values of the buttons that put this person in."""
    found = re.findall(
        r'name="do" value="(set:[^"]+)">この人を入れる<span class="visually-hidden"> ([^<]+)</span>', page
    )
    return [html.unescape(value) for value, said in found if name in html.unescape(said)]


def test_two_officers_propose_one_person_at_once_and_the_one_who_loses_keeps_the_typed_text(web, conn, who, first):
    name = name_of(conn, who.staff)
    wanted = [received(conn, who, first=first) for _ in range(2)]
    officers = [browser_of(web, conn, who.bureau), browser_of(web, conn, who.bureau_colleague)]
    pages = [officer.get(address(case)) for officer, case in zip(officers, wanted, strict=True)]
    barrier = threading.Barrier(2)
    answers: list[Any] = [None, None]

    def one(place: int) -> None:
        labels = ticks(pages[place])
        told = {n: v for n, v in sheet(pages[place]).items() if not n.endswith("~on")}
        data = {"csrf": officers[place].csrf, **told, "team.members~on": [labels[f"{name} {short(first)}"]]}
        barrier.wait(30)
        answers[place] = officers[place].client.post(address(wanted[place]), data=data)

    threads = [threading.Thread(target=one, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answer.status_code for answer in answers) == [303, 422]
    lost = next(place for place, answer in enumerate(answers) if answer.status_code == 422)
    told = visible(answers[lost].text)
    assert f"{name}さんは、{short(first)}の" in told
    assert "何も変えていません" in told
    kept = sheet(answers[lost].text)
    assert (kept["team.members.0.person"], kept["team.members.0.days"]) == (str(who.staff), days_text([first]))
    held = conn.execute("SELECT DISTINCT case_id FROM assignment WHERE person_id = %s", (who.staff,)).fetchall()
    assert held == [(wanted[1 - lost],)]


def test_the_municipality_sees_its_own_team_alone_and_the_office_where_else_they_are(web, conn, who, officer, first):
    case = received(conn, who, first=first)
    factory.drive(conn, who, case, "propose_team")
    absences.enter(
        conn, factory.reader(conn, who.bureau), {"person": str(who.staff), "from": first.isoformat(), "to": ""}
    )
    inside = visible(officer.get(f"/cases/{case}"))
    assert "重なり" in inside
    factory.drive(conn, who, case, "put_to_director", "approve")
    outside = visible(browser_of(web, conn, who.municipality).get(f"/cases/{case}"))
    assert "この隊で行く日" in outside
    for words in ("重なり", "不在", "今年度 —日"):
        assert words not in outside


def test_once_decided_only_consent_and_substitutes_are_written(conn, who, officer, first):
    case = received(conn, who, first=first)
    people = team_without_consent(who, first)
    factory.drive(conn, who, case, ("propose_team", {"form": people}), "put_to_director", "approve")
    page = officer.get(f"/cases/{case}/actions/record_consent")
    assert "team.members~on" not in page
    assert "だれに行ってもらうか" not in visible(page)
    told = sheet(page)
    assert told["team.members.0.person"] == str(who.staff)
    consent = {"team.members.0.consent": "10月14日 農務課長"}
    officer.send(f"/cases/{case}/actions/record_consent", told | consent)
    (form,) = conn.execute("SELECT form FROM cases WHERE id = %s", (case,)).fetchone()
    (member,) = form["team"]["members"]
    assert (member["person"], member["days"], member["consent"]) == (who.staff, days_text([first]), "10月14日 農務課長")


def team_without_consent(who, first):
    member = {
        "person": who.staff,
        "name": "派遣（仮名）",
        "role": "主任",
        "section": "",
        "leader": True,
        "headcount": 1,
    }
    return {"team": {"members": [member | {"days": days_text([first]), "consent": ""}]}}


def test_staff_of_an_office_that_joins_in_stand_on_the_board_too(conn, who, officer, first):
    there = factory.person(conn, "staff", "hk-soya", section="農務課", name="宗谷の人（仮名）")
    case = received(conn, who, first=first)
    assert "宗谷の人" not in officer.get(address(case))
    factory.drive(conn, who, case, "add_co_office")
    page = officer.get(address(case))
    assert "宗谷 農務課" in visible(page)
    assert "振興局の管外です" in visible(page)
    page = send(officer, case, page, [ticks(page)[f"宗谷の人（仮名） {short(first)}"]])
    (row,) = members(conn, case)
    assert (row["person"], row["name"], row["section"]) == (there, "宗谷の人（仮名）", "農務課")


def test_the_board_of_the_office_shows_four_weeks_and_filters(conn, who, officer, first):
    colleagues.set_skills(conn, factory.reader(conn, who.bureau), who.staff, SKILL)
    case = received(conn, who, first=first)
    factory.drive(conn, who, case, "propose_team")
    page = officer.get(f"/board?since={first}")
    assert f'href="/cases/{case}"' in page
    assert "まだ行っていない市町村" in visible(page)
    alone = officer.get(f"/board?skill={SKILL}")
    assert name_of(conn, who.staff) in visible(alone)
    assert name_of(conn, who.staff_colleague) not in visible(alone)
    assert "当てはまる職員がいません" in visible(officer.get("/board?skill=ない"))
    for since in ("x" * 500, "0001-01-01", "9999-12-31", "2099-12-31"):
        officer.get(f"/board?since={since}&free=1")


def test_absences_and_skills_are_entered_and_mistakes_keep_what_was_typed(conn, who, officer):
    page = officer.get("/people")
    told = {
        "key": sheet(page)["key"],
        "person": str(who.staff),
        "from~y": "2026",
        "from~m": "11",
        "from~d": "31",
        "to~y": "",
        "to~m": "",
        "to~d": "",
    }
    answer = officer.send("/people/absences", told, status=422)
    assert "2026年11月は30日まで" in visible(answer.text)
    assert sheet(answer.text)["person"] == str(who.staff)
    officer.send("/people/absences", told | {"from~d": "30"})
    officer.send("/people/absences", told | {"from~d": "30"})
    (entry,) = absences.listed(conn, [who.staff])
    assert "不在を入れました" in visible(officer.get("/people?done=entered"))
    was = {f"was-{who.staff}": "", f"was-{who.staff_colleague}": ""}
    colleagues.set_skills(conn, factory.reader(conn, who.bureau), who.staff_colleague, "観光")
    officer.send("/people/skills", {**was, f"skills-{who.staff}": SKILL, f"skills-{who.staff_colleague}": ""})
    assert colleagues.skills(conn, [who.staff, who.staff_colleague]) == {
        who.staff: (SKILL,),
        who.staff_colleague: ("観光",),
    }, "what another wrote meanwhile stays"
    answer = officer.send("/people/skills", {f"skills-{who.staff}": "長" * 41, f"was-{who.staff}": SKILL}, status=422)
    assert sheet(answer.text)[f"skills-{who.staff}"] == "長" * 41
    officer.send(f"/people/absences/{entry['id']}/drop", {})
    assert absences.listed(conn, [who.staff]) == []


def test_the_balance_is_read_and_taken_out(web, conn, who, officer):
    page = officer.get("/balance")
    assert "まだ行っていない市町村" in visible(page)
    assert "旭川市" in visible(page)
    answer = officer.send("/balance/csv", {"office": who.office, "year": "2026"}, status=200)
    assert answer.text.startswith("\ufeff年度,振興局")
    for year in ("", "二〇二六", "1900", "99999999", "2026x"):
        officer.send("/balance/csv", {"office": who.office, "year": year}, status=404)
    officer.get("/balance?year=x&place=x&month=x&office=x")
    wide = browser_of(web, conn, who.headquarters).get("/balance")
    assert "振興局ごとの数" in visible(wide)
