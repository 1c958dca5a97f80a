"""Where the staff of a bureau went in a fiscal year: by municipality, by month, and which towns nobody visited.

Counted as the prescribed report counts (`states.documents.Report`): a case whose beginning stands in its history, with
the half-days that the ledger holds for it. Cases that are decided and have not begun stand beside, never in the figures.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from psycopg.rows import namedtuple_row

from states.dates import fiscal_year_label
from states.documents import Amount, amount
from states.places import Directory, Municipality
from workflow import cases
from workflow.access import SCOPE, VISIBLE, Actor
from workflow.documents import declared
from workflow.export import BOM, cell
from workflow.history import canonical
from workflow.loading import Connection, NotFound

READERS = frozenset({"bureau", "director", "headquarters"})
ALL = "all"
MOST_CASES = 200  # in the list behind a figure
NEWEST = 100  # cases of a town among which its last visit is looked for

# The cases with a day in the year come off the ledger's index of days, whatever the archive holds besides. Each further row
# is looked up by its key (LIMIT, OFFSET and `day + 0` hold the planner to that), so the history of others costs nothing.
_OF_YEAR = f"""found AS MATERIALIZED (SELECT DISTINCT x.case_id AS id FROM assignment x WHERE x.day BETWEEN %(first)s AND %(last)s),
mine AS MATERIALIZED (SELECT c.id, c.lead, c.place, c.number, c.title, c.state FROM me CROSS JOIN found f
  CROSS JOIN LATERAL (SELECT * FROM cases k WHERE k.id = f.id LIMIT 1) c WHERE c.process = ANY (%(processes)s) /* office */ AND {VISIBLE}),
told AS MATERIALIZED (SELECT m.*,
    (SELECT true FROM event b WHERE b.case_id = m.id AND b.action = ANY (%(begins)s) LIMIT 1) IS true AS begun FROM mine m),
known AS MATERIALIZED (SELECT * FROM told WHERE begun OR state = ANY (%(waiting)s)),
worked AS (SELECT k.*, w.person_id, w.day FROM known k CROSS JOIN LATERAL (
  SELECT p.person_id, p.day FROM assignment p WHERE p.case_id = k.id AND p.day + 0 BETWEEN %(first)s AND %(last)s OFFSET 0) w)"""

# By place, and once more by month, in one reading.
FIGURES = f"""WITH {SCOPE}, {_OF_YEAR}
SELECT w.lead, w.place, w.begun, w.month, count(DISTINCT w.id) AS cases, count(*) AS half_days,
  count(*) FILTER (WHERE w.day > %(today)s) AS to_come FROM (SELECT *, date_trunc('month', day)::date AS month FROM worked) w
GROUP BY GROUPING SETS ((w.lead, w.place, w.begun), (w.begun, w.month))"""

CASES = f"""WITH {SCOPE}, {_OF_YEAR}
SELECT w.id, w.lead, w.place, w.number, w.title, w.begun, min(w.day) AS first, max(w.day) AS last, count(DISTINCT w.person_id) AS persons,
  count(*) AS half_days FROM worked w WHERE true /* places */ /* month */
GROUP BY w.id, w.lead, w.place, w.number, w.title, w.begun ORDER BY min(w.day), w.id LIMIT {MOST_CASES + 1}"""

LAST = f"""WITH {SCOPE}
SELECT t.place, v.day, v.number FROM unnest(%(places)s::text[]) AS t (place) CROSS JOIN LATERAL (
  SELECT n.number, (SELECT max(p.day + 0) FROM assignment p WHERE p.case_id = n.id AND p.day + 0 <= %(today)s) AS day
  FROM (SELECT c.id, c.number FROM me CROSS JOIN cases c WHERE c.place = t.place AND {VISIBLE} /* office */ ORDER BY c.id DESC LIMIT {NEWEST}) n
  WHERE EXISTS (SELECT 1 FROM event b WHERE b.case_id = n.id AND b.action = ANY (%(begins)s)) ORDER BY 2 DESC NULLS LAST LIMIT 1) v
WHERE v.day IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Cases and person-days, how much of that is still to come, and cases that are decided and have not begun."""

    cases: int = 0
    person_days: Amount = 0
    to_come: Amount = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Town:
    """A municipality with its figures and the last day on which somebody was there; `home` is the bureau of its area."""

    code: str
    name: str
    home: str
    figures: Figures
    last: date | None = None
    last_number: str = ""


@dataclass(frozen=True, slots=True)
class Bureau:
    """A bureau with its figures and the towns of its area to which nobody went."""

    code: str
    name: str
    figures: Figures
    towns: int
    quiet: tuple[str, ...]


@dataclass(frozen=True)
class Balance:
    """One fiscal year of one bureau, or of all."""

    year: int
    office: str
    today: date
    towns: tuple[Town, ...]
    bureaus: tuple[Bureau, ...]
    months: tuple[tuple[date, Amount], ...]

    @cached_property
    def total(self) -> Figures:
        every = [bureau.figures for bureau in self.bureaus]
        return Figures(
            sum(f.cases for f in every), sum(f.person_days for f in every), sum(f.to_come for f in every), sum(f.waiting for f in every)
        )  # fmt: skip

    @property
    def quiet(self) -> list[Town]:
        """Towns of the area to which nobody went, those that nobody has been to for longest first."""
        offices = {bureau.code for bureau in self.bureaus}
        found = [town for town in self.towns if not town.figures.person_days and town.home in offices]
        return sorted(found, key=lambda town: (town.last or date.min, town.code))


def offices(conn: Connection, person: Actor) -> list[tuple[str, str]]:
    """The bureaus whose balance the person may see, as code and name; all together where it is every one."""
    posts = [post for post in person.posts if post.role in READERS]
    if any(post.scope == ALL for post in posts):
        return [(ALL, "全局"), *conn.execute(_BUREAUS, prepare=True).fetchall()]
    return list({post.org_code: (post.org_code, post.org_name) for post in posts}.values())


_BUREAUS = """SELECT code, name FROM (SELECT DISTINCT ON (code) code, name, sort FROM organisation WHERE kind = 'bureau'
  ORDER BY code, valid_from DESC NULLS LAST) o ORDER BY sort, code"""


def of_year(conn: Connection, person: Actor, office: str, year: int) -> Balance:
    """The balance as of this moment. Raises `NotFound` outside the person's sight."""
    known = dict(offices(conn, person))
    if office not in known:
        raise NotFound
    told = _told(conn, person, office, year)
    directory, on = Directory.from_csv(), min(told["today"], told["last"])
    codes = [code for code in known if code != ALL] if office == ALL else [office]
    area = {town.code: town for code in codes for town in directory.of_office(code, on)}
    by_town: dict[tuple[str, str], list[Any]] = {}
    figures = _rows(conn, FIGURES, told)
    for row in (row for row in figures if row.month is None):
        by_town.setdefault((row.lead, _today_code(directory, row.place, on)), []).append(row)
    seen = {town for _, town in by_town} | set(area)
    visits = {}
    for row in _rows(conn, LAST, told | {"places": sorted(seen)}):
        visits[row.place] = row
    towns = []
    for code in sorted(seen):
        there = area.get(code) or directory.municipality(code, on)
        rows = [row for (_, town), found in by_town.items() if town == code for row in found]
        visit = visits.get(code)
        towns.append(
            Town(
                code, there.name if there else code or "市町村の記入なし", there.office_code if there else "", _figures(rows),
                visit.day if visit else None, (visit.number or "") if visit else "",
            )
        )  # fmt: skip
    bureaus = tuple(_bureau(code, known[code], directory.of_office(code, on), by_town) for code in codes)
    months = {row.month: amount(row.half_days) for row in figures if row.month and row.begun}
    every = [date(year + (m < 4), m, 1) for m in (4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3)]
    return Balance(year, office, told["today"], tuple(towns), bureaus, tuple((m, months.get(m, 0)) for m in every))


@dataclass(frozen=True, slots=True)
class Behind:
    """A case behind a figure."""

    id: int
    number: str
    title: str
    lead: str
    place: str
    first: date
    last: date
    persons: int
    person_days: Amount
    begun: bool


def behind(
    conn: Connection, person: Actor, office: str, year: int, *, place: str = "", month: date | None = None
) -> list[Behind]:
    """The cases behind a figure, by first day; one more than `MOST_CASES` where there are more."""
    if office not in dict(offices(conn, person)):
        raise NotFound
    directory, told = Directory.from_csv(), _told(conn, person, office, year)
    on = min(told["today"], told["last"])
    places = (
        [place, *(m.code for m in directory.municipalities if _today_code(directory, m.code, on) == place)]
        if place
        else None
    )
    return [
        Behind(
            row.id, row.number or "番号なし", row.title, row.lead, _called(directory, row.place, on), row.first, row.last, row.persons,
            amount(row.half_days), row.begun,
        )
        for row in _rows(conn, CASES, told | {"places": places, "month": month})
    ]  # fmt: skip


HEADINGS = ("年度", "振興局", "市町村コード", "市町村", "案件[件]", "延べ人日[人日]", "うちこれから[人日]", "準備中[件]", "最後に行った日", "その案件")  # fmt: skip


def taken(conn: Connection, person: Actor, office: str, year: int) -> tuple[str, bytes]:
    """The table by municipality as CSV (UTF-8 with BOM), its name and bytes; that it was taken is recorded."""
    found = of_year(conn, person, office, year)
    names = dict(offices(conn, person))
    directory = Directory.from_csv()
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(HEADINGS)
    for town in found.towns:
        home = directory.office(town.home)
        f = town.figures
        last = town.last.isoformat() if town.last else ""
        texts = (fiscal_year_label(year), home.name if home else "", town.code, town.name)
        writer.writerow([*map(cell, texts), f.cases, f.person_days, f.to_come, f.waiting, last, cell(town.last_number)])
    conn.execute(
        """INSERT INTO export_record (at, person_id, what, filter, rows)
           VALUES (clock_now(), %(person)s, 'balance', %(filter)s::jsonb, %(rows)s)""",
        {"person": person.person_id, "filter": canonical({"office": office, "fiscal_year": year}), "rows": len(found.towns)},
        prepare=True,
    )  # fmt: skip
    return f"行き先のかたより_{fiscal_year_label(year)}_{names[office]}.csv", (BOM + buffer.getvalue()).encode()


def _told(conn: Connection, person: Actor, office: str, year: int) -> dict[str, Any]:
    reports = list(declared.reports())
    return {
        "person": person.person_id, "office": office, "first": date(year, 4, 1), "last": date(year + 1, 3, 31), "today": cases.today(conn),
        "processes": sorted({process.key for process, _ in reports}),
        "begins": sorted({action for _, report in reports for action in report.begins}),
        "waiting": sorted({state for _, report in reports for state in report.waiting}),
    }  # fmt: skip


def _today_code(directory: Directory, code: str, on: date) -> str:
    """The code that a municipality has on that day, or its successor's; what is no code stays as it is."""
    current = directory.municipality(code, on) or directory.successor(code, on)
    return current.code if current else code


def _called(directory: Directory, code: str, on: date) -> str:
    found = directory.municipality(_today_code(directory, code, on), on)
    return found.name if found else code


def _bureau(
    code: str, name: str, area: Sequence[Municipality], by_town: Mapping[tuple[str, str], Sequence[Any]]
) -> Bureau:
    rows = [row for (lead, _), found in by_town.items() if lead == code for row in found]
    visited = {town for (_, town), found in by_town.items() if any(row.begun for row in found)}
    quiet = tuple(town.name for town in area if town.code not in visited)
    return Bureau(code, name, _figures(rows), len(area), quiet)


def _figures(rows: Sequence[Any]) -> Figures:
    begun = [row for row in rows if row.begun]
    return Figures(
        sum(row.cases for row in begun), amount(sum(row.half_days for row in begun)), amount(sum(row.to_come for row in begun)),
        sum(row.cases for row in rows if not row.begun),
    )  # fmt: skip


# What narrows a statement, each only where it was asked for: a few constant texts, values as parameters.
_FILTERS = {
    "office": "AND c.lead = %(office)s", "places": "AND w.place = ANY (%(places)s)",
    "month": "AND date_trunc('month', w.day)::date = %(month)s",
}  # fmt: skip


def _rows(conn: Connection, text: str, told: Mapping[str, Any]) -> list[Any]:
    """Planned anew each time: what is good for a quiet town is not good for all of them."""
    for name, narrowing in _FILTERS.items():
        text = text.replace(f"/* {name} */", narrowing if told.get(name) not in (None, ALL) else "")
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(text, told, prepare=False).fetchall()
