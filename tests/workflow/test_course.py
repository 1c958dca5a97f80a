"""An ordinary week on the real engine: own approval, joint requests, the wrong bureau, changes, stops, who reads what."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from states.kernel import Refused
from tests import factory
from tests.factory import drive, opened
from workflow import cases
from workflow.db import Database
from workflow.deadlines import TOKYO
from workflow.loading import NotFound
from workflow.verify import verify

KAMIFURANO = "014605"
JOINT: dict[str, Any] = {"partners": [{"municipality_code": KAMIFURANO, "municipality_name": "上富良野町"}]}
ROAD = ("submit", "receive", "propose_team", "put_to_director", "approve")


@pytest.fixture
def at(fresh_database: Any) -> Any:
    """Sets the database's clock to ten o'clock of a day in November 2026."""
    return lambda day: factory.set_clock(fresh_database.owner_url, datetime(2026, 11, day, 10, tzinfo=TOKYO))


def state(conn: Any, case: int) -> str:
    row = conn.execute("SELECT state FROM cases WHERE id = %s", (case,)).fetchone()
    return str(row[0])


def ledger(conn: Any, case: int, person: int) -> list[tuple[int, int]]:
    rows = conn.execute(
        "SELECT day, half FROM assignment WHERE case_id = %s AND person_id = %s ORDER BY day, half", (case, person)
    ).fetchall()
    return [(day.day, half) for day, half in rows]


def steps(conn: Any, case: int) -> list[tuple[str, str]]:
    rows = conn.execute(
        "SELECT org_code, role FROM step WHERE case_id = %s AND closed_at IS NULL ORDER BY 1, 2", (case,)
    )
    return [(str(org), str(role)) for org, role in rows.fetchall()]


def under_way(conn: Any, who: factory.Cast, at: Any) -> int:
    """A dispatch of 16 to 20 November that has just begun."""
    at(2)
    case = opened(conn, who, first=date(2026, 11, 16), days=5)
    drive(conn, who, case, *ROAD)
    at(16)
    assert cases.act_by_clock(conn, case, "begin") is not None
    return case


# ── the municipality ────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_municipality_decides_itself_is_seen_by_nobody_before(db: Database, conn: Any, who: Any) -> None:
    head = factory.person(conn, "municipality_head", who.place)
    conn.execute(
        "INSERT INTO organisation_setting (org_code, name, valid_from, value) VALUES (%s, 'own_approval', '2020-04-01', 'yes')",
        (who.place,),
    )
    case = opened(conn, who)
    with pytest.raises(Refused, match="庁内の決裁が先です"):
        drive(conn, who, case, "submit")
    drive(conn, who, case, "ask_own_approval")
    assert steps(conn, case) == [(who.place, "municipality_head")]
    for outsider in (who.bureau, who.director, who.headquarters, who.auditor):
        with pytest.raises(NotFound):
            cases.look(conn, outsider, case)
    drive(conn, who, case, ("return_own", {"by": head}), "revise_own", ("approve_own", {"by": head}))
    view = cases.look(conn, who.bureau, case)
    assert (view.state.name, view.form["own_decision"]["number"]) == ("municipal_request", "企第1号")
    assert "own_approval" not in view.form
    assert steps(conn, case) == [(who.office, "bureau")]
    assert verify(db).whole


def test_what_is_given_up_inside_stays_inside(conn: Any, who: Any) -> None:
    conn.execute(
        "INSERT INTO organisation_setting (org_code, name, valid_from, value) VALUES (%s, 'own_approval', '2020-04-01', 'yes')",
        (who.place,),
    )
    case = opened(conn, who)
    drive(conn, who, case, "ask_own_approval", ("withdraw", {"by": who.municipality}))
    assert state(conn, case) == "not_submitted"
    for outsider in (who.bureau, who.headquarters, who.auditor):
        with pytest.raises(NotFound):
            cases.look(conn, outsider, case)


def test_municipalities_that_ask_together_each_say_so(db: Database, conn: Any, who: Any) -> None:
    neighbour = factory.person(conn, "municipality", KAMIFURANO)
    case = opened(conn, who, **JOINT)
    with pytest.raises(NotFound):
        cases.look(conn, neighbour, case)
    drive(conn, who, case, "submit")
    assert steps(conn, case) == [(KAMIFURANO, "municipality"), (who.office, "bureau")]
    drive(conn, who, case, "receive", "propose_team")
    with pytest.raises(Refused, match="上富良野町の同意を待っています"):
        drive(conn, who, case, "put_to_director")
    seen = cases.look(conn, neighbour, case)
    assert {"request", "receipt"} <= set(seen.form)
    assert not {"team", "drafting"} & set(seen.form)
    drive(conn, who, case, ("partner_agree", {"by": neighbour, "inputs": {"note": "町長も了解。"}}))
    assert cases.look(conn, who.municipality, case).form[f"consent_note:{KAMIFURANO}"] == {"note": "町長も了解。"}
    assert f"consent_note:{KAMIFURANO}" not in cases.look(conn, neighbour, case).form
    drive(conn, who, case, "put_to_director", "approve")
    assert "team" in cases.look(conn, neighbour, case).form
    assert verify(db).whole


def test_who_is_taken_out_of_a_joint_request_asks_and_reads_no_more(conn: Any, who: Any) -> None:
    neighbour = factory.person(conn, "municipality", KAMIFURANO)
    case = opened(conn, who, **JOINT)
    drive(conn, who, case, "submit", "receive", ("partner_refuse", {"by": neighbour}), "ask_correction")
    alone = factory.request_form(conn, who)
    form = cases.look(conn, who.municipality, case).form["request"]
    drive(conn, who, case, ("resubmit", {"form": {"request": form | {"partners": []}, "contact": alone["contact"]}}))
    assert (KAMIFURANO, "municipality") not in steps(conn, case)
    with pytest.raises(Refused):
        drive(conn, who, case, ("partner_agree", {"by": neighbour}))
    drive(conn, who, case, "propose_team", "put_to_director")


# ── the right office ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_that_was_passed_on_is_the_other_bureaus_and_keeps_its_number(
    db: Database, conn: Any, who: Any
) -> None:
    there = factory.person(conn, "bureau", "hk-soya")
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive", "propose_team", "forward")
    row = conn.execute("SELECT lead, number FROM cases WHERE id = %s", (case,)).fetchone()
    assert row[0] == "hk-soya"
    assert row[1].startswith("上川-")
    assert steps(conn, case) == [("hk-soya", "bureau")]
    assert ledger(conn, case, who.staff) == []
    with pytest.raises(Refused):
        drive(conn, who, case, "propose_team")
    form = factory.team(conn, who, case, people=(factory.person(conn, "staff", "hk-soya"),))
    drive(conn, who, case, ("propose_team", {"by": there, "form": form}))
    assert cases.look(conn, who.municipality, case).form["forwarding"]["rows"][0]["to"] == "hk-soya"
    assert verify(db).whole


def test_an_office_that_helps_reads_all_and_does_nothing(conn: Any, who: Any) -> None:
    helper = factory.person(conn, "bureau", "hk-soya")
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive", "add_co_office", "propose_team", "put_to_director")
    view = cases.look(conn, helper, case)
    assert {"team", "drafting"} <= set(view.form)
    assert view.offers == []


def test_staff_of_an_office_that_helps_may_go(conn: Any, who: Any) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive")
    helping = factory.person(conn, "staff", "hk-soya")
    team = factory.team(conn, who, case, people=(who.staff, helping))
    with pytest.raises(Refused, match="職員ではない人"):
        drive(conn, who, case, ("propose_team", {"form": team}))
    drive(conn, who, case, "add_co_office", ("propose_team", {"form": team}))
    assert ledger(conn, case, helping)


def test_one_request_that_came_twice_is_closed_and_tied_to_the_first(db: Database, conn: Any, who: Any) -> None:
    first, second = opened(conn, who), opened(conn, who)
    drive(conn, who, first, "submit", "receive")
    drive(conn, who, second, "submit")
    number = conn.execute("SELECT number FROM cases WHERE id = %s", (first,)).fetchone()[0]
    with pytest.raises(Refused, match="見つかりません"):
        drive(conn, who, second, ("mark_duplicate", {"inputs": {"same_as": "上川-R8-999"}}))
    drive(conn, who, second, ("mark_duplicate", {"inputs": {"same_as": number}}))
    assert state(conn, second) == "not_accepted"
    assert conn.execute("SELECT case_id, other_id, kind FROM link").fetchall() == [(second, first, "duplicate")]
    assert verify(db).whole


# ── while it runs ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_swap_and_a_shortening_are_what_the_ledger_says(db: Database, conn: Any, who: Any, at: Any) -> None:
    case = under_way(conn, who, at)
    at(18)
    stands_in = factory.person(conn, "staff", who.office)
    members = cases.look(conn, who.bureau, case).form["team"]["members"]
    swapped = [
        members[0] | {"days": "11/16-17"},
        members[0] | {"person": stands_in, "name": "代わり（仮名）", "leader": False, "days": "11/18午後、11/19"},
        members[1] | {"days": "11/16-18"},
    ]
    told = {
        "kind": "swap",
        "reason_code": "illness",
        "reason": "発熱のため。",
        "period": {"from": "", "to": "2026-11-19"},
    }
    drive(conn, who, case, ("propose_change", {"form": {"change": told | {"members": swapped}}}))
    assert ledger(conn, case, stands_in) == []
    assert "change" not in cases.look(conn, who.municipality, case).form
    drive(conn, who, case, "approve_change")
    assert state(conn, case) == "dispatched"
    assert ledger(conn, case, who.staff) == [(16, 0), (16, 1), (17, 0), (17, 1)]
    assert ledger(conn, case, stands_in) == [(18, 1), (19, 0), (19, 1)]
    row = cases.look(conn, who.municipality, case).form["changes"]["rows"][0]
    assert ["派遣期間", "11月16日〜11月20日", "11月16日〜11月19日"] in row["lines"]
    at(20)
    assert cases.act_by_clock(conn, case, "end") is not None
    assert verify(db).whole


def test_the_clock_ends_what_is_still_being_judged(db: Database, conn: Any, who: Any, at: Any) -> None:
    case = under_way(conn, who, at)
    drive(conn, who, case, "propose_change")
    at(21)
    assert cases.act_by_clock(conn, case, "end") is not None
    assert state(conn, case) == "change_judgement"
    assert conn.execute(
        "SELECT count(*) FROM deadline WHERE case_id = %s AND move <> '' AND closed_at IS NULL", (case,)
    ).fetchone() == (0,)
    drive(conn, who, case, "decline_change")
    assert state(conn, case) == "awaiting_report"
    assert verify(db).whole


def test_a_blizzard_frees_the_people_at_once_and_waits_three_days_for_the_director(
    conn: Any, who: Any, at: Any
) -> None:
    case = under_way(conn, who, at)
    nobody = {"reason_code": "weather", "text": "暴風雪のため。", "last_day": "2026-11-15"}
    drive(conn, who, case, ("stop", {"inputs": nobody}))
    assert ledger(conn, case, who.staff) == []
    due = conn.execute("SELECT due_at FROM deadline WHERE kind = 'ratification' AND closed_at IS NULL").fetchone()[0]
    assert (due.astimezone(TOKYO) - timedelta(seconds=1)).day == 19
    other = opened(conn, who, first=date(2026, 11, 18), days=2)
    members = cases.look(conn, who.bureau, case).form["team"]["members"]
    team = {"team": {"members": [m | {"days": "11/18-19"} for m in members]}}
    drive(conn, who, other, "submit", "receive", ("propose_team", {"form": team}))
    drive(conn, who, case, ("ratify", {"inputs": {}}))
    assert state(conn, case) == "cancelled"


def test_what_is_taken_up_again_finds_its_people_taken_or_free(conn: Any, who: Any, at: Any) -> None:
    """The stopped days were free for others; taking the dispatch up again needs its people back."""
    case = under_way(conn, who, at)
    drive(conn, who, case, ("stop", {"inputs": {"reason_code": "weather", "text": "吹雪。", "last_day": "2026-11-16"}}))
    other = opened(conn, who, first=date(2026, 11, 19), days=1)
    members = cases.look(conn, who.bureau, case).form["team"]["members"]
    team = {"team": {"members": [members[0] | {"days": "11/19"}]}}
    drive(conn, who, other, "submit", "receive", ("propose_team", {"form": team}))
    at(18)
    with pytest.raises(Refused):
        drive(conn, who, case, ("resume", {"inputs": {}}))
    assert state(conn, case) == "stopped"
    drive(conn, who, other, "withdraw")
    drive(conn, who, case, ("resume", {"inputs": {}}))
    assert ledger(conn, case, who.staff) == [(d, half) for d in (16, 18, 19, 20) for half in (0, 1)]


def test_an_evaluation_is_written_after_the_case_has_ended(db: Database, conn: Any, who: Any, at: Any) -> None:
    case = under_way(conn, who, at)
    at(21)
    cases.act_by_clock(conn, case, "end")
    drive(conn, who, case, "file_trip_report", ("file_trip_report", {"by": who.staff_colleague}), "file_result")
    assert state(conn, case) == "reported"
    assert steps(conn, case) == [(who.place, "municipality")]
    drive(conn, who, case, "evaluate")
    assert steps(conn, case) == []
    assert cases.look(conn, who.bureau, case).form["evaluation"]["grade"] == "5"
    assert verify(db).whole
