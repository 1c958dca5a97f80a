"""Headquarters' roll-up of all offices: every figure leads to the cases behind it, the chart to the table beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from states.dates import fiscal_year, fiscal_year_label
from states.documents import Grouping, Line
from workflow import cases, reports, rollup
from workflow.documents.lines import ALL, Figures
from workflow.loading import NotFound
from workflow.rollup import ONLY, WORDS, Part, Rollup
from workflow.web import lists
from workflow.web.posted import Posted
from workflow.web.render import page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

ADDRESS = "/reports/rollup"
SHOWN = 200  # cases in the list; all of them stand in the file


@router.get(ADDRESS)
def show(
    request: Request, conn: Connection, signed: SignedIn, report: str = "", fiscal_year: str = "", status: str = "",
    office: str = "", only: str = "", why: str = "",
) -> Response:  # fmt: skip
    """The figures by office and by every declared grouping; with a filter the cases behind them."""
    chosen = rollup.choice(conn, signed.actor, report)
    years = reports.years(conn, _this_year(conn))
    year = next((number for number in years if str(number) == fiscal_year), years[0])
    rolled = rollup.roll_up(conn, signed.actor, chosen, year)
    part = Part(
        office, {g.key: code for g in chosen.report.groupings if (code := request.query_params.get(g.key, ""))}, only
    )
    told = _Address({"report": report, "fiscal_year": str(year)})
    picked = rolled.lines(part)
    charted = chosen.report.groupings[-1]
    return page(
        request, signed, "rollup.html", chosen=chosen, key=f"{chosen.process.key}/{chosen.report.key}", report=report, rolled=rolled,
        found=rolled.found, year=year, year_label=fiscal_year_label(year), before_label=fiscal_year_label(year - 1),
        years=[(str(number), fiscal_year_label(number)) for number in years], to=told, words=WORDS,
        counters=_counters(rolled, told, status), offices=[o for o in rolled.offices if status in ("", o.standing)],
        groupings=[_Grouped(rolled, grouping, told) for grouping in chosen.report.groupings], charted=charted,
        chart=_chart(rolled, charted), picked=[_told(rolled, line) for line in picked[:SHOWN]], total=len(picked),
        crossing=[_crossing(line) for line in rolled.crossing], filters=_filters(rolled, part, why), why=why,
        apart=rolled.apart(part, why), everything=ALL,
    )  # fmt: skip


@router.post(ADDRESS + "/csv")
def take(conn: Connection, signed: SignedIn, fields: Posted) -> Response:
    """The figures, or the cases by person, as CSV; that it was taken out is recorded with it, so it is no GET."""
    year = fields.get("fiscal_year", "")
    if not (year.isdecimal() and year.isascii() and len(year) <= len("9999")):
        raise NotFound
    chosen = rollup.choice(conn, signed.actor, fields.get("report", ""))
    rolled = rollup.roll_up(conn, signed.actor, chosen, int(year))
    name, data = rollup.taken(conn, signed.actor, rolled, fields.get("kind", ""))
    disposition = f"attachment; filename=\"rollup-{year}.csv\"; filename*=UTF-8''{quote(name)}"
    return Response(data, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})


def _this_year(conn: Connection) -> int:
    return fiscal_year(cases.today(conn))


@dataclass(frozen=True)
class _Address:
    """The page's own address with a filter."""

    base: Mapping[str, str]

    def __call__(self, anchor: str = "cases", **filters: str) -> str:
        return lists.address(ADDRESS, self.base, **filters) + (f"#h-{anchor}" if anchor else "")


def _counters(rolled: Rollup, to: _Address, status: str) -> list[dict[str, Any]]:
    """How many offices stand how; each narrows the table."""
    items = [("", "", "すべて"), *((key, kind, word) for key, (kind, word) in WORDS.items())]
    return [
        {
            "href": to("offices", status=key), "kind": kind, "label": word, "unit": "局", "current": status == key,
            "count": sum(key in ("", office.standing) for office in rolled.offices),
        }
        for key, kind, word in items
    ]  # fmt: skip


class _Grouped:
    """The table of one grouping: code, label, this year's figures, the count of the year before, the address of its cases."""

    def __init__(self, rolled: Rollup, grouping: Grouping, to: _Address) -> None:
        before = {code: figures.count for code, _, figures in rolled.last.by(grouping)}
        self.key, self.label = grouping.key, grouping.label
        self.rows: list[tuple[str, Figures, int, dict[str, str]]] = [
            (label, figures, before.get(code, 0), {grouping.key: code}) for code, label, figures in rolled.found.by(grouping)
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Bar:
    """A bar of the chart: where it lies, how long it is, where the mark of the year before stands, its words."""

    y: int
    width: float
    before: float
    count: int
    second: bool
    words: Sequence[str]


LEFT, RIGHT, STEP, TOP = 240, 682, 46, 8  # of the drawing, in its own units
WORDS_WIDE = 15  # characters of a label on one line


@dataclass(frozen=True)
class _Chart:
    bars: Sequence[_Bar]
    ticks: Sequence[tuple[float, int]]
    height: int
    left: int
    fills: Sequence[str]  # what the two kinds of fill stand for


def _chart(rolled: Rollup, grouping: Grouping) -> _Chart:
    """Counts by code as bars; the second kind of fill tells the codes that belong to another group of the one before."""
    rows = rolled.found.by(grouping)
    before = {code: figures.count for code, _, figures in rolled.last.by(grouping)}
    most = max([figures.count for *_, figures in rows] + list(before.values()) + [1])
    step = next(size for size in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**9) if most <= 5 * size)
    top = -(-most // step) * step
    scale = (RIGHT - LEFT) / top
    first = next(iter(grouping.under.values()), "")
    bars = []
    for place, (code, label, figures) in enumerate(rows):
        said = grouping.short.get(code, label)
        bars.append(
            _Bar(TOP + STEP * place, round(figures.count * scale, 1), round(LEFT + before.get(code, 0) * scale, 1), figures.count,
                 grouping.under.get(code, first) != first, _broken(said))
        )  # fmt: skip
    ticks = [(round(LEFT + number * scale, 1), number) for number in range(0, top + 1, step)]
    named = {code: label for other in rolled.found.report.groupings for code, label in other.codes}
    fills = [named.get(code, code) for code in dict.fromkeys(grouping.under.values())]
    return _Chart(bars, ticks, TOP + STEP * len(rows), LEFT, fills)


def _broken(said: str) -> list[str]:
    """A label on lines of the drawing's width; a comma never begins one."""
    lines: list[str] = []
    while said:
        cut = WORDS_WIDE + (said[WORDS_WIDE : WORDS_WIDE + 1] in ("、", "。"))
        lines.append(said[:cut])
        said = said[cut:]
    return lines[:3]


def _filters(rolled: Rollup, part: Part, why: str) -> list[str]:
    """The filters that are on, in words."""
    told = [rolled.found.offices.get(part.office, part.office)] if part.office else []
    labels = {grouping.key: dict(grouping.codes) for grouping in rolled.found.report.groupings}
    told += [labels[key].get(code, code) for key, code in part.codes.items()]
    told += [ONLY.get(part.only, part.only)] if part.only else []
    return told + ([why] if why else [])


def _told(rolled: Rollup, line: Line) -> dict[str, Any]:
    """A case of the list."""
    code = rolled.found.process.place(line.form)
    place = line.directory.municipality(code, line.decided_on or line.whole[0])
    return {
        "line": line, "place": place.name if place else "",
        "groups": [dict(g.codes).get(g.of(line), g.of(line)) for g in rolled.found.report.groupings][-1],
    }  # fmt: skip


def _crossing(line: Line) -> dict[str, Any]:
    """A case over the end of a fiscal year: its person-days year by year, and the year that counts it."""
    return {
        "line": line,
        "years": [(fiscal_year_label(year), line.in_year(year)) for year in sorted(line.years)],
        "counted_in": fiscal_year_label(line.counted_in),
    }
