"""Numbers have no gap and no double, begin anew with the fiscal year, and never stand twice for two offices."""

from datetime import date, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from states.dates import fiscal_year_label
from states.kernel import Refused
from states.places import Directory
from tests import factory
from workflow import case_sql, cases, loading
from workflow.access import CLOCK_NOW
from workflow.cases import Conflict
from workflow.numbers import FORMS, era, short_name

TOKYO = ZoneInfo("Asia/Tokyo")


def value(conn, text: str, *values: Any) -> Any:
    row = conn.execute(text, values).fetchone()
    return row[0] if row else None


@pytest.mark.parametrize(
    ("name", "short"),
    [("上川総合振興局", "上川"), ("宗谷総合振興局", "宗谷"), ("檜山振興局", "檜山"), ("村山総合支庁", "村山"), ("本庁", "本庁"), ("振興局", "振興局")],
)  # fmt: skip
def test_the_short_name_of_an_office(name, short):
    assert short_name(name) == short


@pytest.mark.parametrize(("year", "label"), [(2026, "R8"), (2019, "R1"), (2018, "H30"), (2030, "R12")])
def test_the_era_of_a_fiscal_year(year, label):
    assert era(year) == label
    assert fiscal_year_label(year)


def test_no_two_offices_of_a_prefecture_share_a_number():
    offices = Directory.from_csv().offices
    for prefecture in {office.prefecture_code for office in offices}:
        shorts = [short_name(office.name) for office in offices if office.prefecture_code == prefecture]
        assert len(set(shorts)) == len(shorts)
    assert len(set(FORMS.values())) == len(FORMS)


def test_the_fiscal_year_of_the_statement_is_that_of_the_calendar(conn):
    """Three months back is the year in which the fiscal year began, on every day of four years."""
    said = case_sql.FISCAL_YEAR.replace(f"({CLOCK_NOW} AT TIME ZONE 'Asia/Tokyo')", "d")
    assert "now()" not in said
    rows = conn.execute(
        f"SELECT d::date, {said} FROM generate_series('2027-01-01 00:00'::timestamp, '2030-12-31', interval '1 day') AS d"
    ).fetchall()
    assert all(year == (day.year if day.month >= 4 else day.year - 1) for day, year in rows)
    last = conn.execute(f"SELECT {said} FROM (VALUES ('2027-03-31 23:59:59.999999'::timestamp)) AS v (d)").fetchone()
    assert last == (2026,)


def test_numbers_begin_anew_on_the_first_of_april_in_tokyo(fresh_database, conn, who):
    factory.set_clock(fresh_database.owner_url, datetime(2027, 3, 31, 23, 50, tzinfo=TOKYO))
    some = [factory.opened(conn, who, first=date(2027, 4, 12)) for _ in range(4)]
    for case in some:
        factory.drive(conn, who, case, "submit")
    factory.drive(conn, who, some[0], "receive")
    factory.drive(conn, who, some[1], "receive")
    factory.set_clock(fresh_database.owner_url, datetime(2027, 4, 1, 0, 5, tzinfo=TOKYO))
    factory.drive(conn, who, some[2], "receive")
    factory.drive(conn, who, some[3], "receive")
    rows = conn.execute(
        "SELECT number, form -> 'receipt' ->> 'number', form -> 'receipt' ->> 'arrived_on' FROM cases ORDER BY id"
    ).fetchall()
    assert rows == [
        ("上川-R8-001", "上川収第1号", "2027-03-31"),
        ("上川-R8-002", "上川収第2号", "2027-03-31"),
        ("上川-R9-001", "上川収第1号", "2027-04-01"),
        ("上川-R9-002", "上川収第2号", "2027-04-01"),
    ]
    counters = conn.execute("SELECT fiscal_year, kind, value FROM counter ORDER BY 1, 2").fetchall()
    assert counters == [(2026, "case", 2), (2026, "receipt", 2), (2027, "case", 2), (2027, "receipt", 2)]


def test_each_office_counts_for_itself(conn, who):
    other = factory.cast(conn, office="hk-soya", place="015121")
    for people in (who, other, who):
        case = factory.opened(conn, people)
        factory.drive(conn, people, case, "submit", "receive")
    numbers = [row[0] for row in conn.execute("SELECT number FROM cases ORDER BY id").fetchall()]
    assert [number.rpartition("-")[2] for number in numbers] == ["001", "001", "002"]
    assert [number.partition("-")[0] for number in numbers] == ["上川", "宗谷", "上川"]


def test_an_act_that_fails_takes_no_number(conn, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")
    with pytest.raises(Refused):
        factory.drive(conn, who, case, ("receive", {"inputs": {"arrived_on": "2099-01-01"}}))
    with pytest.raises(Conflict):
        factory.drive(conn, who, case, ("receive", {"version": 0}))
    assert value(conn, "SELECT count(*) FROM counter") == 0
    factory.drive(conn, who, case, "receive")
    assert value(conn, "SELECT number FROM cases").endswith("-001")


def test_an_act_beaten_after_it_drew_its_number_gives_it_back(db, conn, who, monkeypatch):
    """Somebody else takes the counter, then the case, between reading and writing: neither leaves a gap."""
    first, second = factory.opened(conn, who), factory.opened(conn, who)
    for case in (first, second):
        factory.drive(conn, who, case, "submit")
    real, calls = loading.load, count()

    def overtaken(*args: Any, **named: Any) -> Any:
        found = real(*args, **named)
        if (turn := next(calls)) < 2:
            with db.connection() as other:
                monkeypatch.setattr(cases, "load", real)
                if turn == 0:
                    factory.drive(other, who, second, "receive")
                else:
                    factory.drive(
                        other,
                        who,
                        first,
                        ("not_accept", {"inputs": {"ground": "wrong_addressee", "reason": "宛先違い。"}}),
                    )
                monkeypatch.setattr(cases, "load", overtaken)
        return found

    monkeypatch.setattr(cases, "load", overtaken)
    with pytest.raises(Conflict):
        factory.drive(conn, who, first, "receive")
    monkeypatch.setattr(cases, "load", real)
    assert conn.execute("SELECT DISTINCT value FROM counter").fetchall() == [(1,)]
    third = factory.opened(conn, who)
    factory.drive(conn, who, third, "submit", "receive")
    assert value(conn, "SELECT number FROM cases WHERE id = %s", third).endswith("-002")


def test_the_number_of_a_case_stays_through_every_act(conn, who):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive")
    number = value(conn, "SELECT number FROM cases")
    factory.drive(conn, who, case, "propose_team", "put_to_director", "approve")
    assert value(conn, "SELECT number FROM cases") == number
    decided = value(conn, "SELECT form -> 'decision' ->> 'number' FROM cases")
    assert decided == "上川第1号"
