"""Where the staff went: the same figures as the prescribed report, month by month, and the towns nobody has been to."""

import csv
import io
from datetime import date

import pytest

from tests import factory
from tests.workflow.documents.year import Bureau, a_bureau
from workflow import balance, reports
from workflow.balance import ALL, Figures
from workflow.export import BOM
from workflow.loading import NotFound

NEIGHBOUR = "014583"  # 東川町


@pytest.fixture
def bureau(fresh_database):
    with a_bureau(fresh_database) as made:
        yield made


def of(bureau: Bureau, year: int, office: str = factory.OFFICE, person: int | None = None) -> balance.Balance:
    reader = factory.reader(bureau.conn, person or bureau.who.bureau)
    assert reader is not None
    return balance.of_year(bureau.conn, reader, office, year)


def town(found: balance.Balance, code: str = factory.MUNICIPALITY) -> balance.Town:
    return next(t for t in found.towns if t.code == code)


def test_a_dispatch_over_the_end_of_the_year_is_split_by_days(bureau):
    bureau.crossing()
    before, after = of(bureau, 2024), of(bureau, 2025)
    assert town(before).figures == Figures(1, 3, 0, 0)
    assert town(after).figures == Figures(1, 4, 0, 0)
    assert {m.month: days for m, days in before.months if days} == {3: 3}
    assert {m.month: days for m, days in after.months if days} == {4: 4}
    assert [m for m, _ in after.months][0::11] == [date(2025, 4, 1), date(2026, 3, 1)]


def test_figures_are_those_of_the_report_half_days_and_days_to_come_with_them(bureau):
    bureau.crossing()
    running = bureau.decided("2025-05-07", ("6/2、6/3午前", "6/2-4"), period=("2025-06-02", "2025-06-06"))
    bureau.begun(running, "2025-06-02")
    found = of(bureau, 2025)
    reader = factory.reader(bureau.conn, bureau.who.bureau)
    (choice,) = reports.choices(bureau.conn, reader)
    told = reports.preview(bureau.conn, reader, choice, factory.OFFICE, 2025).figures
    assert (found.total.person_days, found.total.to_come) == (told.person_days, told.expected) == (8.5, 2.5)
    assert found.total.cases == told.count + told.continued == 2
    assert sum(days for _, days in found.months) == 8.5


def test_a_decided_dispatch_waits_beside_and_a_withdrawn_one_is_nowhere(bureau):
    bureau.decided("2025-05-07", ("6/2", "6/2"), period=("2025-06-02", "2025-06-06"))
    gone = bureau.decided("2025-05-07", ("6/9", "6/9"), period=("2025-06-09", "2025-06-10"))
    factory.drive(bureau.conn, bureau.who, gone, "withdraw")
    found = of(bureau, 2025)
    assert found.total == Figures(0, 0, 0, 1)
    assert [m for m, days in found.months if days] == []
    assert [(case.begun, case.person_days) for case in behind(bureau)] == [(False, 2)]


def behind(bureau: Bureau, year: int = 2025, **told) -> list[balance.Behind]:
    return balance.behind(bureau.conn, factory.reader(bureau.conn, bureau.who.bureau), factory.OFFICE, year, **told)


def test_towns_that_nobody_visited_are_named_longest_ago_first(bureau):
    bureau.crossing()
    bureau.on("2026-05-01")
    found = of(bureau, 2026)
    assert len(found.quiet) == 23
    last = found.quiet[-1]
    assert (last.code, last.last) == (factory.MUNICIPALITY, date(2025, 4, 11))
    assert last.last_number
    assert {t.last for t in found.quiet[:-1]} == {None}
    assert factory.MUNICIPALITY not in {t.code for t in of(bureau, 2025).quiet}


def test_every_figure_leads_to_its_cases(bureau):
    case = bureau.crossing()
    (found,) = behind(bureau, 2024, place=factory.MUNICIPALITY)
    assert (found.id, found.persons, found.person_days, found.first, found.last) == (
        case,
        2,
        3,
        date(2025, 3, 24),
        date(2025, 3, 31),
    )
    assert found.place == "美瑛町"
    assert behind(bureau, 2024, place=NEIGHBOUR) == []
    assert behind(bureau, 2024, month=date(2025, 2, 1)) == []
    assert [c.id for c in behind(bureau, 2024, month=date(2025, 3, 1))] == [case]


def test_headquarters_see_every_bureau_and_a_bureau_its_own_alone(bureau):
    bureau.crossing()
    wide = of(bureau, 2025, ALL, bureau.who.headquarters)
    assert len(wide.bureaus) == 14
    own = next(b for b in wide.bureaus if b.code == factory.OFFICE)
    assert (own.figures, own.towns, len(own.quiet)) == (Figures(1, 4, 0, 0), 23, 22)
    assert wide.total == own.figures
    assert of(bureau, 2025, "hk-sorachi", bureau.who.headquarters).total == Figures()
    stranger = factory.person(bureau.conn, "bureau", "hk-sorachi")
    assert of(bureau, 2025, "hk-sorachi", stranger).total == Figures()
    for office, person in (
        (factory.OFFICE, stranger),
        (ALL, bureau.who.bureau),
        (factory.OFFICE, bureau.who.municipality),
        ("x", stranger),
    ):
        with pytest.raises(NotFound):
            of(bureau, 2025, office, person)


def test_the_table_is_taken_out_on_record_and_its_texts_stay_texts(bureau):
    bureau.crossing()
    reader = factory.reader(bureau.conn, bureau.who.bureau)
    name, data = balance.taken(bureau.conn, reader, factory.OFFICE, 2025)
    assert name == "行き先のかたより_令和7年度_上川総合振興局.csv"
    head, *rows = csv.reader(io.StringIO(data.decode().removeprefix(BOM)))
    assert len(rows) == 23
    (biei,) = [dict(zip(head, row, strict=True)) for row in rows if row[2] == factory.MUNICIPALITY]
    assert (biei["案件[件]"], biei["延べ人日[人日]"], biei["最後に行った日"]) == ("1", "4", "2025-04-11")
    record = bureau.conn.execute("SELECT person_id, what, rows FROM export_record").fetchall()
    assert record == [(bureau.who.bureau, "balance", 23)]
