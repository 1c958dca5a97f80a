"""The roll-up of all offices: totals are those of the offices' workbooks, every figure leads to its cases, each case once."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from states.dates import fiscal_year
from tests import factory
from tests.factory import drive
from tests.workflow.documents.year import Bureau, a_bureau
from workflow import reports, rollup
from workflow.access import Actor, actor
from workflow.documents.declared import report
from workflow.documents.lines import ALL, Gathered, gather
from workflow.loading import NotFound
from workflow.rollup import Part, Rollup

KEYS = ("dispatch", "year-end")
OFFICES = {"hk-sorachi": "012220", "hk-kamikawa": "014591", "hk-tokachi": "016349"}
YEARS = (2024, 2025)
BEGIN = date(2024, 3, 25)


@pytest.fixture
def bureau(fresh_database: Any) -> Iterator[Bureau]:
    with a_bureau(fresh_database) as found:
        yield found


@dataclass
class Prefecture:
    """Cases of three offices, all of them begun, decided in different years; whose days a test writes itself."""

    bureaus: list[Bureau]
    cases: list[tuple[int, str, str, int]]  # id, office, ground, fiscal year of the decision
    people: list[int]

    @property
    def conn(self) -> Any:
        return self.bureaus[0].conn

    def ledger(self, rows: list[tuple[int, int, date, int]]) -> None:
        """Write who is where on which half-day, by places in `cases` and `people`."""
        with self.conn.transaction():
            self.conn.execute("DELETE FROM assignment")
            with self.conn.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO assignment (case_id, person_id, day, half) VALUES (%s, %s, %s, %s)",
                    [(self.cases[case][0], self.people[person], day, half) for case, person, day, half in rows],
                )

    def gathered(self, office: str, year: int) -> Gathered:
        return gather(self.conn, *report(*KEYS), office, year, None)


@pytest.fixture
def prefecture(fresh_database: Any) -> Iterator[Prefecture]:
    with a_bureau(fresh_database) as first:
        bureaus = [
            first if office == first.who.office
            else Bureau(first.owner_url, first.app_url, first.db, first.conn, factory.cast(first.conn, office, place))
            for office, place in OFFICES.items()
        ]  # fmt: skip
        found = []
        for number, (asked, day) in enumerate(
            (("2024-05-08", "2024-06-05"), ("2025-02-03", "2025-03-05"), ("2025-05-08", "2025-06-05"))
        ):
            for bureau in bureaus:
                ground = ("request.plan", "request.event", "request.other")[number]
                case = bureau.decided(asked, [day], period=(day, day), ground=ground, **_tasks(ground))
                found.append(
                    (bureau.begun(case, day), bureau.who.office, ground, fiscal_year(date.fromisoformat(asked)))
                )
        people = [person for bureau in bureaus for person in (bureau.who.staff, bureau.who.staff_colleague)]
        yield Prefecture(bureaus, found, people)


def _tasks(ground: str) -> dict[str, Any]:
    return {"tasks": [{"text": "催しの企画", "role": "planning"}]} if ground == "request.event" else {}


def ledgers(size: int = 40) -> Any:
    """Random ledgers around two ends of a fiscal year, nobody in two places on a half-day."""
    row = st.tuples(
        st.integers(0, 8), st.integers(0, 5),
        st.one_of(st.integers(0, 14), st.integers(340, 400), st.integers(720, 745)).map(lambda n: BEGIN + timedelta(days=n)), st.integers(0, 1),
    )  # fmt: skip
    return st.lists(row, max_size=size, unique_by=lambda r: r[1:])


def told(
    prefecture: Prefecture, rows: list[tuple[int, int, date, int]], office: str, year: int
) -> tuple[int, int, int, float]:
    """The figures by hand: 件数, 継続, 実人数, 延べ人日."""
    here = [r for r in rows if office in (ALL, prefecture.cases[r[0]][1])]
    cases = {r[0] for r in here if fiscal_year(r[2]) == year}
    counted = 0
    for case in cases:
        years = {fiscal_year(day) for other, _, day, _ in rows if other == case}
        decided = prefecture.cases[case][3]
        counted += year == (decided if decided in years else min(years))
    inside = [r for r in here if fiscal_year(r[2]) == year]
    return counted, len(cases) - counted, len({r[1] for r in inside}), len(inside) / 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ledgers())
def test_all_offices_are_the_sum_of_the_offices_whatever_the_ledger(prefecture: Prefecture, rows: list[Any]) -> None:
    prefecture.ledger(rows)
    for year in YEARS:
        whole = prefecture.gathered(ALL, year)
        parts = {office: prefecture.gathered(office, year) for office in OFFICES}
        for office, found in {ALL: whole, **parts}.items():
            figures = found.figures
            assert (figures.count, figures.continued, figures.persons, figures.person_days) == told(
                prefecture, rows, office, year
            )
            for grouping in found.report.groupings:
                groups = [group for *_, group in found.by(grouping)]
                for name in ("count", "continued", "person_days", "expected"):
                    assert sum(getattr(group, name) for group in groups) == getattr(figures, name)
        by_office = {code: figures for code, _, figures in whole.by_office}
        assert {code: by_office[code] for code in OFFICES} == {code: found.figures for code, found in parts.items()}
        for name in ("count", "continued", "person_days", "expected"):
            assert sum(getattr(found.figures, name) for found in parts.values()) == getattr(whole.figures, name)
    # Every case is counted once in all years together, as often as it was anywhere.
    assert sum(prefecture.gathered(ALL, year).figures.count for year in (2023, *YEARS, 2026)) == len(
        {r[0] for r in rows}
    )


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ledgers(25))
def test_the_workbooks_say_the_same(prefecture: Prefecture, rows: list[Any]) -> None:
    prefecture.ledger(rows)
    names = ("count", "count_continued", "person_days", "expected_days")
    books = {office: book(prefecture, office) for office in (ALL, *OFFICES)}
    for name in names:
        assert cell(books[ALL], name) == sum(cell(books[office], name) for office in OFFICES), name
    for office, made in books.items():
        data = [
            dict(zip(_heads(made), row, strict=True)) for row in made["データ"].iter_rows(min_row=2, values_only=True)
        ]
        expected = told(prefecture, rows, office, 2025)
        columns = ("件数[件]", "継続[件]", "実人数[人]", "延べ人日[人日]")
        assert tuple(sum(row[column] for row in data) for column in columns) == expected
        assert (
            cell(made, "count"),
            cell(made, "count_continued"),
            cell(made, "persons"),
            cell(made, "person_days"),
        ) == expected


def book(prefecture: Prefecture, office: str) -> Any:
    data, _ = reports.year_end(prefecture.conn, *KEYS, office, 2025)
    return openpyxl.load_workbook(io.BytesIO(data))


def cell(made: Any, name: str) -> Any:
    ((sheet, area),) = made.defined_names[name].destinations
    return made[sheet][area.replace("$", "")].value


def _heads(made: Any) -> list[str]:
    return [str(head.value) for head in made["データ"][1]]


# ── how offices stand, what lies behind a figure, what is taken out ─────────────────────────────────────────────────


def headquarters(bureau: Bureau) -> Actor:
    found = actor(bureau.conn, bureau.who.headquarters)
    assert found is not None
    return found


def rolled_up(bureau: Bureau, year: int = 2025) -> Rollup:
    person = headquarters(bureau)
    return rollup.roll_up(bureau.conn, person, rollup.choice(bureau.conn, person, ""), year)


def standing(bureau: Bureau, office: str, year: int = 2025) -> str:
    return next(o.standing for o in rolled_up(bureau, year).offices if o.code == office)


def test_which_office_has_made_its_workbook(bureau: Bureau) -> None:
    office = bureau.who.office
    assert standing(bureau, office) == rollup.NOTHING
    case = bureau.crossing()
    assert standing(bureau, office) == rollup.MISSING
    assert standing(bureau, "hk-sorachi") == rollup.NOTHING
    reports.ask_report(bureau.conn, bureau.who.bureau, *KEYS, office, 2025)
    assert standing(bureau, office) == rollup.MISSING  # asked for is not made
    bureau.on("2025-04-13")
    reports.compile_next(bureau.db)
    assert standing(bureau, office) == rollup.MADE
    assert standing(bureau, office, 2024) == rollup.MISSING
    bureau.on("2025-04-14")
    drive(bureau.conn, bureau.who, case, ("file_trip_report", {"by": bureau.who.staff}))
    assert standing(bureau, office) == rollup.CHANGED


def test_a_case_over_31_march_is_behind_both_years_and_counted_in_one(bureau: Bureau) -> None:
    case = bureau.crossing()
    for year, new in ((2024, True), (2025, False)):
        rolled = rolled_up(bureau, year)
        assert [line.case_id for line in rolled.crossing] == [case]
        assert (rolled.found.figures.count, rolled.found.figures.continued) == (int(new), int(not new))
        (line,) = rolled.crossing
        assert (line.in_year(2024), line.in_year(2025), line.counted_in) == (3, 4, 2024)
        assert bool(rolled.lines(Part(only="continued"))) is not new
    assert rolled_up(bureau, 2025).last.figures.count == 1


def test_the_cases_behind_a_figure(bureau: Bureau) -> None:
    case = bureau.crossing()
    rolled = rolled_up(bureau, 2024)
    code = rolled.found.report.groupings[0].of(rolled.found.lines[0])
    for part, there in (
        (Part(), True), (Part(bureau.who.office), True), (Part("hk-sorachi"), False), (Part(codes={"origins": code}), True),
        (Part(codes={"origins": code, "kinds": "request.event"}), False), (Part(only="crossing"), True), (Part(only="expected"), False),
    ):  # fmt: skip
        assert [line.case_id for line in rolled.lines(part)] == ([case] if there else []), part


def test_what_is_taken_out_is_on_record_and_has_the_same_numbers(bureau: Bureau) -> None:
    bureau.crossing()
    person, rolled = headquarters(bureau), rolled_up(bureau, 2024)
    name, data = rollup.taken(bureau.conn, person, rolled, rollup.FIGURES)
    assert name == "年度末報告_2024年度_全局_集計.csv"
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [row["名称"] for row in rows if row["分け方"] == "計"] == ["全局"]
    offices = [row for row in rows if row["分け方"] == "振興局"]
    assert len(offices) == 14
    assert {row["コード"]: (row["件数[件]"], row["延べ人日[人日]"], row["様式の状況"]) for row in offices}[
        "hk-kamikawa"
    ] == ("1", "3", "未作成")
    assert sum(int(row["件数[件]"]) for row in offices) == 1
    _, data = rollup.taken(bureau.conn, person, rolled, rollup.LINES)
    lines = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [row["延べ人日[人日]"] for row in lines] == ["2", "1"]
    kept = bureau.conn.execute("SELECT what, person_id, rows FROM export_record ORDER BY id").fetchall()
    assert kept == [("rollup:figures", person.person_id, len(rows)), ("rollup:lines", person.person_id, 2)]
    with pytest.raises(NotFound):
        rollup.taken(bureau.conn, person, rolled, "everything")


def test_text_stays_text_in_the_csv(bureau: Bureau) -> None:
    case = bureau.decided("2025-05-07", ["2025-06-02"], period=("2025-06-02", "2025-06-02"), title="=1+1 の件")
    bureau.begun(case, "2025-06-02")
    _, data = rollup.taken(bureau.conn, headquarters(bureau), rolled_up(bureau), rollup.LINES)
    (row,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    assert row["業務名"] == "'=1+1 の件"


def test_only_who_sees_every_office_rolls_up(bureau: Bureau) -> None:
    for person_id in (
        bureau.who.bureau,
        bureau.who.director,
        bureau.who.staff,
        bureau.who.municipality,
        bureau.who.auditor,
    ):
        person = actor(bureau.conn, person_id)
        assert person is not None
        with pytest.raises(NotFound):
            rollup.choice(bureau.conn, person, "")
    with pytest.raises(NotFound):
        rollup.choice(bureau.conn, headquarters(bureau), "dispatch/weekly")
