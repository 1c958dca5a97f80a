"""What a case asks of people who are sent elsewhere too: their other dispatches of the fiscal year, said for who decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from states.dates import fiscal_year
from states.documents import Amount, amount
from workflow.cases import View
from workflow.loading import Connection
from workflow.queries import _dicts

# Who may know where else the staff are, as on the board.
SEES = frozenset({"bureau", "director", "headquarters"})

OTHERS = """SELECT n.id, n.name, count(DISTINCT a.case_id) AS cases, count(a.day) AS halves, count(a.day) FILTER (WHERE a.day >= %(today)s) AS ahead
FROM person n LEFT JOIN assignment a ON a.person_id = n.id AND a.case_id <> %(case)s AND a.day BETWEEN %(first)s AND %(last)s
WHERE n.id = ANY (%(people)s) GROUP BY n.id, n.name ORDER BY n.id"""


@dataclass(frozen=True)
class Burden:
    """One person: days in this case, and in others of the same fiscal year, how many of them still to come."""

    name: str
    here: Amount
    cases: int
    days: Amount
    ahead: Amount


def of_case(conn: Connection, signed: Any, view: View) -> Sequence[Burden]:
    """Everybody whom the case sends, by name, with what they have besides; nothing for who may not know."""
    if not view.process.assigned or not signed.actor.roles & SEES or view.state.final:
        return []
    own: dict[int, int] = {}
    days: list[date] = []
    for person, day, _ in set(view.process.assigned(view.facts)):
        own[person] = own.get(person, 0) + 1
        days.append(day)
    if not own:
        return []
    year = fiscal_year(min(days))
    told = {
        "case": view.id, "people": sorted(own), "today": view.facts.today, "first": date(year, 4, 1), "last": date(year + 1, 3, 31),
    }  # fmt: skip
    return [
        Burden(row["name"], amount(own[row["id"]]), row["cases"], amount(row["halves"]), amount(row["ahead"]))
        for row in _dicts(conn, OTHERS, told)
    ]
