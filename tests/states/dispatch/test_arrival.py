"""How a request came in: its true day, its deadline, what is alike; and municipalities that end or change their bureau."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from states import catalogue
from states.calendar import Calendar
from states.dispatch import arrival, documents, entries
from states.documents import Matter
from states.places import Directory, check_digit
from states.terms import Facts

PROCESS = catalogue.process("dispatch")
TODAY = date(2026, 11, 17)  # a Tuesday
CODE, OFFICE, RIGHT = "014591", "hk-kamikawa", "hk-sorachi"


def form(**receipt):
    asked = {"origin": "municipality_request", "office_code": OFFICE, "title": "計画への助言",
             "period": {"from": "2026-12-07", "to": "2026-12-11"},
             "destination": {"type": "municipality", "municipality_code": CODE, "municipality_name": "美瑛町"}}  # fmt: skip
    return {"request": asked, "contact": {"municipality_code": CODE, "municipality_name": "美瑛町"}, "receipt": receipt}


def facts(told, *, today=TODAY, directory=None):
    registers = {"lead": OFFICE, "numbers": {"receipt": "上川収第1号"}}
    return Facts(
        "municipal_request",
        told,
        PROCESS.read(told),
        today,
        directory or Directory.from_csv(),
        Calendar(),
        registers=registers,
    )


@pytest.mark.parametrize(
    ("receipt", "way", "day"),
    [
        ({"channel": "fax", "arrived_on": "R8.11.13", "entered_by": "7"}, "ファクシミリ", date(2026, 11, 13)),
        ({"arrived_on": "2026-11-13", "entered_by": "7"}, "紙", date(2026, 11, 13)),
        ({"arrived_on": "2026-11-13"}, "画面", date(2026, 11, 13)),
        ({}, "画面", None),
        ({"channel": "mail", "arrived_on": "来年"}, "メール", None),
    ],
)
def test_the_way_and_the_day(receipt, way, day):
    came = PROCESS.arrival(form(**receipt))
    assert came is not None
    assert (came.way, came.day, came.entered_by) == (way, day, receipt.get("entered_by", ""))


def test_what_the_director_begins_came_by_no_way():
    assert PROCESS.arrival({"request": {"origin": "director"}}) is None


@pytest.mark.parametrize(
    ("receipt", "since"),
    [
        ({"channel": "paper", "arrived_on": "2026-11-13"}, date(2026, 11, 13)),
        ({"channel": "", "arrived_on": "2026-11-13", "entered_by": "7"}, date(2026, 11, 13)),
        ({"channel": "screen", "arrived_on": "2026-11-13"}, None),
        ({"channel": "paper", "arrived_on": ""}, None),
        ({"channel": "paper", "arrived_on": "1890-01-01"}, None),
    ],
)
def test_the_reply_is_counted_from_the_day_of_arrival_of_what_came_outside_the_screen(receipt, since):
    assert arrival.counted_from(facts(form(**receipt))) == since


@pytest.mark.parametrize(
    ("written", "said"),
    [("", "実際に届いた日を書いてください"), ("  ", "実際に届いた日を書いてください"), ("きのう", "きのう"), ("2026-11-18", "今日より後"), ("2026-11-17", ""), ("R8.11.13", "")],
)  # fmt: skip
def test_an_entry_on_behalf_says_when_it_really_came(written, said):
    told = [v.sentence for v in arrival.true_day.ask(facts(form(channel="paper", arrived_on=written)))]
    assert bool(told) == bool(said)
    assert said in "".join(told)


@settings(deadline=None)
@given(st.text(max_size=20), st.text(max_size=20), st.dates(date(2026, 1, 1), date(2028, 1, 1)), st.integers(0, 40))
def test_being_alike_is_mutual_and_what_lies_a_year_apart_is_not(one, other, first, length):
    told = form()
    mine = PROCESS.read({**told, "request": {**told["request"], "title": one}})
    theirs = {
        "title": other,
        "period": {"from": first.isoformat(), "to": first.fromordinal(first.toordinal() + length).isoformat()},
    }
    read = PROCESS.read({**told, "request": {**told["request"], **theirs}})
    assert PROCESS.alike(mine, read)[1] == PROCESS.alike(read, mine)[1]
    assert len(PROCESS.alike(mine, read)[0]) == len(PROCESS.alike(read, mine)[0])
    if abs(first - date(2026, 12, 7)).days > 365:
        assert PROCESS.alike(mine, read) == ((), False)


# ── a municipality that ends, or belongs to another bureau ──────────────────────────────────────────────────────────


def directory(*, ends: date, successor: str = "", moves_to: str = "") -> Directory:
    """The directory as if the municipality had ended that day, or had belonged to another bureau from the next one on."""
    known = Directory.from_csv()
    kept = [m for m in known.municipalities if m.code != CODE]
    (town,) = [m for m in known.municipalities if m.code == CODE and m.valid_to is None]
    first = ends.fromordinal(ends.toordinal() + 1)
    kept.append(replace(town, valid_to=ends, successor_code=successor or CODE))
    if moves_to:
        kept.append(replace(town, valid_from=first, office_code=moves_to))
    if successor:
        kept.append(replace(town, code=successor, name="丘野市", kind="市", valid_from=first))
    return Directory(known.offices, tuple(kept), known.excluded)


def blocked(told, **known):
    return [v.sentence for v in entries.places_are_known.ask(facts(told, **known)) if v.refuses]


def test_a_request_that_came_before_the_move_stands_at_the_old_bureau_and_at_the_new_one():
    moved = directory(ends=date(2026, 11, 14), moves_to=RIGHT)
    told = form(channel="paper", arrived_on="2026-11-13", entered_by="7")
    assert blocked(told, directory=moved) == []
    told["request"]["office_code"] = RIGHT
    assert blocked(told, directory=moved) == []
    assert blocked(told, directory=moved, today=date(2026, 11, 13)) != []
    told["receipt"]["arrived_on"] = "2026-11-16"
    told["request"]["office_code"] = OFFICE
    assert blocked(told, directory=moved) != []


def test_a_letter_after_the_merger_goes_to_the_town_of_that_day():
    merged = directory(ends=date(2026, 12, 31), successor=f"01499{check_digit('01499')}")
    told = form(channel="paper", arrived_on="2026-11-13", entered_by="7")
    for day, name in ((date(2026, 12, 28), "美瑛町長 様"), (date(2027, 1, 4), "丘野市長 様")):
        matter = Matter(
            number="上川-R8-001", form=told, inputs={}, office_name="上川総合振興局", office_contact="", prefecture="北海道", on=day,
            directory=merged,
        )  # fmt: skip
        assert documents._addressee(matter) == name
    assert "令和8年11月13日に紙で受け付けた要請について" in documents._asked(matter)
