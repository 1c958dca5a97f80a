"""The plan of a year (年間計画): the cases of a process by the day that stands in their forms, month by month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from states import catalogue
from states.dates import read_date
from states.documents import written
from states.kernel import Process
from states.terms import OUTSIDE
from workflow.access import SCOPE, VISIBLE, Actor
from workflow.called import Teller, teller
from workflow.loading import NotFound
from workflow.queries import _dicts

MOST = 500  # cases of an office in a year
FORM = "form:"


@dataclass(frozen=True)
class Planned:
    """A case of the plan: its day (None where none is settled), what it is called, how it stands, what it says."""

    id: int
    number: str
    title: str
    day: date | None
    state: str
    kind: str
    told: tuple[tuple[str, str], ...]


# Drafts and what nobody beyond the office knows yet are its own; VISIBLE sees to that.
CASES = f"""WITH {SCOPE} SELECT c.id, coalesce(c.number, '') AS number, c.title, c.process_version, c.state, c.form
FROM me CROSS JOIN cases c WHERE c.process = %(process)s AND c.lead = %(office)s AND {VISIBLE} ORDER BY c.id DESC LIMIT %(most)s"""


NEWEST = f"""WITH {SCOPE} SELECT c.lead FROM me CROSS JOIN cases c WHERE c.process = %(process)s AND {VISIBLE} ORDER BY c.id DESC LIMIT 1"""


def newest_office(conn: psycopg.Connection[Any], actor: Actor, process: Process) -> str:
    """The office that planned last of those that the actor may see: where a reader of every office begins."""
    return next((row["lead"] for row in _dicts(conn, NEWEST, {"person": actor.person_id, "process": process.key})), "")


def processes() -> list[Process]:
    """The processes that have a plan of the year."""
    return [process for process in catalogue.newest().values() if process.plan]


def of_year(
    conn: psycopg.Connection[Any], actor: Actor, process: Process, office: str, year: int, *, undated: bool
) -> list[Planned]:
    """The cases of an office whose day lies in the fiscal year, and the `undated` open ones behind them."""
    if process.plan is None:
        raise NotFound
    group = process.plan.day.partition(".")[0]
    found = []
    rows = _dicts(conn, CASES, {"person": actor.person_id, "process": process.key, "office": office, "most": MOST})
    for row in rows:
        version = catalogue.process(process.key, row["process_version"])
        state = version.state(row["state"])
        if actor.roles <= OUTSIDE and not version.reads(FORM + group, actor.roles, state.name):
            continue
        day = read_date(written(row["form"], process.plan.day)).date
        if day is None and (state.final or not undated):
            continue
        if day is not None and not date(year, 4, 1) <= day < date(year + 1, 4, 1):
            continue
        told = _told(teller(conn, version), row["form"], process.plan.shows)
        kind = "ok" if state.final else "now"
        found.append(Planned(row["id"], row["number"], row["title"], day, state.outcome or state.label, kind, told))
    return sorted(found, key=lambda one: (one.day is None, one.day or date.min, one.id))


def _told(tell: Teller, form: Mapping[str, Any], paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
    told = [tell(path, written(form, path)) for path in paths]
    return tuple((label, text) for label, text in told if text)


def months(found: Sequence[Planned], year: int) -> list[tuple[date, list[Planned]]]:
    """April to March, each with its cases."""
    firsts = [date(year + (number > 12), number if number <= 12 else number - 12, 1) for number in range(4, 16)]
    return [
        (first, [one for one in found if one.day and (one.day.year, one.day.month) == (first.year, first.month)])
        for first in firsts
    ]
