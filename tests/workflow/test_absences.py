"""Absences: who enters them for whom, who sees why, what begins stays, and what a file brings."""

import io
from datetime import date

import pytest
from openpyxl import Workbook

from tests import factory, offices
from workflow import absences, colleagues
from workflow.colleagues import NotTaken
from workflow.loading import NotFound

TRIP = {"kind": "trip", "from": "2026-11-02", "to": "2026-11-04"}


@pytest.fixture
def office(clock, conn, who):
    return offices.line(conn, who)


def reader(conn, person):
    return factory.reader(conn, person)


def enter(conn, by, person, **change):
    return absences.enter(conn, reader(conn, by), {"person": str(person), **TRIP, **change})


def listed(conn, person, by):
    return [row["kind_label"] for row in absences.listed(conn, [person], by)]


def test_one_enters_for_oneself_and_who_keeps_them_for_anybody_of_the_office(conn, office, who):
    assert enter(conn, who.staff, who.staff)
    assert enter(conn, who.records, office.director)
    assert enter(conn, who.bureau, office.head)
    stranger = factory.person(conn, "staff", "hk-sorachi")
    for by, person in (
        (who.staff, office.director),
        (office.director, who.staff),
        (who.records, stranger),
        (who.municipality, who.bureau),
    ):
        with pytest.raises(NotFound):
            enter(conn, by, person)
    assert enter(conn, who.municipality, who.municipality)


def test_the_kind_is_seen_by_the_person_and_by_who_entered_it_alone(conn, office, who):
    enter(conn, who.records, office.director, kind="illness")
    assert listed(conn, office.director, office.director) == ["病気"]
    assert listed(conn, office.director, who.records) == ["病気"]
    assert listed(conn, office.director, who.bureau) == ["不在"]
    assert listed(conn, office.director, 0) == ["不在"]


def test_what_has_begun_is_ended_not_taken_back(conn, office, clock, who):
    entry = enter(conn, who.records, office.director)
    clock.at(date(2026, 11, 4))
    with pytest.raises(NotTaken) as refusal:
        absences.drop(conn, reader(conn, office.director), entry)
    assert "代決の根拠" in refusal.value.fields["entry"]
    absences.came_back(conn, reader(conn, office.director), entry)
    days = colleagues.away(conn, [office.director], date(2026, 11, 1), date(2026, 11, 30))
    assert days == {office.director: [(date(2026, 11, 2), date(2026, 11, 3))]}
    with pytest.raises(NotTaken):
        absences.came_back(conn, reader(conn, office.director), entry)
    with pytest.raises(NotFound):
        absences.came_back(conn, reader(conn, who.staff), entry)


def workbook(*rows):
    book = Workbook()
    for row in (("職員番号", "種類", "初めの日", "終わりの日"), *rows):
        book.worksheets[0].append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def test_a_workbook_with_dates_and_numbers_as_they_stand_in_it(conn, office, who):
    conn.execute("UPDATE person SET staff_no = '00017' WHERE id = %s", (office.director,))
    keeper = reader(conn, who.records)
    data = workbook(
        (17, "休暇", date(2026, 12, 1), date(2026, 12, 2)),
        (17, None, date(2026, 12, 8), None),
        ("17", "出張", "=A1", None),
    )
    lines = absences.read_file(conn, keeper, data)
    assert [line.told for line in lines[:2]] == ["12月1日(火)〜12月2日(水) 休暇", "12月8日(火) 不在"]
    assert dict(lines[2].problems)["初めの日"] == "数式が入っています。値に直してください。"
    with pytest.raises(NotTaken):
        absences.take_in(conn, keeper, data, good_ones=False)
    assert listed(conn, office.director, office.director) == []
    assert absences.take_in(conn, keeper, data, good_ones=True) == 2
    assert absences.take_in(conn, keeper, data, good_ones=True) == 0, "never twice"
    assert listed(conn, office.director, office.director) == ["休暇", "不在"]


def test_a_file_is_for_those_who_keep_an_office_and_holds_its_people_only(conn, office, who):
    with pytest.raises(NotFound):
        absences.read_file(conn, reader(conn, office.above), workbook())
    keeper = reader(conn, who.records)
    number = conn.execute("SELECT staff_no FROM person WHERE id = %s", (office.above,)).fetchone()[0]
    (line,) = absences.read_file(conn, keeper, workbook((number, "出張", "R8.12.1", "")))
    assert "この所属にいません" in dict(line.problems)["職員番号"]
    with pytest.raises(NotTaken):
        absences.read_file(conn, keeper, workbook())
