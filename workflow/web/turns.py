"""Whose turn it was, month by month: business days per holder over the cases of an office, how long each state takes; what is late now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from states import catalogue
from states.kernel import Process
from workflow import balance, cases, durations, queries, turns
from workflow.balance import ALL
from workflow.durations import Durations
from workflow.loading import NotFound
from workflow.story import HOLDERS
from workflow.turns import Held
from workflow.web import evidence, lists, months
from workflow.web.render import page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

ADDRESS = "/turns"
BACK = 6  # months beside each other for one office
SHOWN = 50  # cases in the list
# Columns that stand on every page; the others where they have something in them.
ALWAYS = frozenset({"municipality", "bureau", turns.LINE, "director", "headquarters", "staff"})
LATE_HOLDERS = tuple(holder for holder in turns.HOLDERS if holder != turns.LINE)  # a date is never the line's own


@router.get(ADDRESS)
def show(
    request: Request, conn: Connection, signed: SignedIn, office: str = "", month: str = "", late: str = ""
) -> Response:
    """The days of an office over some months, or of every office in one; the cases behind the month."""
    offices = balance.offices(conn, signed.actor)
    if not offices:
        raise NotFound
    names = dict(offices)
    here = office if office in names else offices[0][0]
    today = cases.today(conn)
    chosen = months.month_of(month, today)
    everything = here == ALL
    first = chosen if everything else months.beside(chosen, 1 - BACK)
    codes = [code for code in names if code != ALL] if everything else [here]
    found = turns.of_offices(conn, signed.actor.person_id, codes, first, months.end(chosen))
    if everything:
        lines = [_line(names[code], [h for h in found if h.lead == code], chosen, _to(code, chosen)) for code in codes]
    else:
        shown = [months.beside(chosen, back) for back in range(1 - BACK, 1)]
        lines = [_line(months.called(one), found, one, _to(here, one)) for one in dict.fromkeys(shown)]
    behind = sorted(_behind(found, chosen), key=lambda one: -one.total)
    delay = _late(conn, signed.actor.person_id, codes, names, chosen, holder=late, here=here)
    there = ALWAYS | {holder for line in lines for holder, days in line.days.items() if days}
    called = queries.case_names(conn, signed.actor.person_id, [one.case_id for one in behind[:SHOWN]])
    return page(
        request, signed, "turns.html", offices=offices, office=here, everything=everything, office_name=names[here], month=months.written(chosen),
        month_name=months.called(chosen), lines=lines, most=max((line.total for line in lines), default=0),
        holders=[(holder, HOLDERS[holder], evidence.FILLS.get(holder, "office")) for holder in turns.HOLDERS if holder in there],
        posts=_posts(found, chosen, names if everything else {}),
        late_holders=[(holder, HOLDERS[holder]) for holder in delay.holders],
        before=_to(here, months.beside(chosen, -1)), after=_to(here, months.beside(chosen, 1)), now=_to(here, today),
        late=delay, behind=behind[:SHOWN], names=called, total=len(behind), fewest=durations.FEWEST,
        usual=[_usual(process, durations.of_office(conn, process, None if everything else here, today)) for process in _processes()],
    )  # fmt: skip


@dataclass(frozen=True)
class Late:
    """What is late now: per office and holder how many cases, with the address of their list; the list that is asked for."""

    holders: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[int, str]]]]
    total: int
    holder: str
    cases: Sequence[Mapping[str, Any]]
    listed: int


def _late(
    conn: Connection, person: int, codes: Sequence[str], names: Mapping[str, str], month: date, *, holder: str, here: str
) -> Late:  # fmt: skip
    found = turns.late(conn, person, codes)
    holders = [one for one in LATE_HOLDERS if one in ALWAYS or any(counts.get(one) for counts in found.values())]
    rows = [
        (names[code], [(found[code].get(one, 0), _to(code, month, late=one)) for one in holders])
        for code in codes
        if code in found
    ]
    asked = holder if holder in LATE_HOLDERS else ""
    cases_ = turns.late_cases(conn, person, codes, asked, SHOWN) if asked else ()
    listed = sum(found[code].get(asked, 0) for code in found) if asked else 0
    total = sum(count for counts in found.values() for count in counts.values())
    return Late(holders, rows, total, HOLDERS[asked] if asked else "", cases_, listed)


@dataclass(frozen=True)
class Line:
    """A bar of the chart and its row of the table: days per holder, and over how many cases."""

    label: str
    days: Mapping[str, int]
    cases: int
    href: str
    total: int


@dataclass(frozen=True)
class Behind:
    """A case of the month: its days per holder, and who has the turn now."""

    case_id: int
    days: Mapping[str, int]
    total: int
    now: str


def _line(label: str, found: Sequence[Held], month: date, href: str) -> Line:
    each = _behind(found, month)
    days = {holder: sum(one.days.get(holder, 0) for one in each) for holder in turns.HOLDERS}
    return Line(label, days, len(each), href, sum(days.values()))


def _behind(found: Sequence[Held], month: date) -> list[Behind]:
    """The cases that had a business day in that month."""
    cases_ = []
    for held in found:
        days = held.ledger.within(month, months.end(month), held.days)
        if days:
            now = held.ledger.now
            cases_.append(Behind(held.case_id, days, sum(days.values()), HOLDERS.get(now.holder, "") if now else ""))
    return cases_


def _posts(found: Sequence[Held], month: date, offices: Mapping[str, str]) -> list[tuple[str, int, int]]:
    """The posts that routes asked in that month: title, business days, over how many cases; the most days first."""
    days, cases_ = dict[tuple[str, int, str], int](), dict[tuple[str, int, str], int]()
    for held in found:
        for (post, title), count in held.ledger.of_posts(month, months.end(month), held.days).items():
            key = (offices.get(held.lead, ""), post, title)
            days[key], cases_[key] = days.get(key, 0) + count, cases_.get(key, 0) + 1
    order = sorted(days, key=lambda key: (-days[key], key))
    return [(" ".join(filter(None, (key[0], key[2]))), days[key], cases_[key]) for key in order]


def _to(office: str, month: date, *, late: str = "") -> str:
    address = lists.address(ADDRESS, {"office": office, "month": months.written(month), "late": late})
    return f"{address}#h-late" if late else address


def _processes() -> list[Process]:
    """Those whose cases stand by themselves."""
    return [process for process in catalogue.newest().values() if process.opens]


def _usual(process: Process, found: Durations) -> dict[str, Any]:
    """How long each state takes: label, figure; the awaited answer first."""
    awaited = durations.awaited(process)
    spans = evidence.from_to(process)
    rows = [(f"{spans}({awaited.label}に対して)" if spans else awaited.label, found.answer)] if awaited else []
    return {"label": process.label, "rows": rows + [(figure.name, figure) for figure in found.states]}
