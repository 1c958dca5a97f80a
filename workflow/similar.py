"""Earlier cases like the one at hand, as far as the reader may see them: of the same municipality, of the same kind, or
called alike; with how they ended, who went and for how long.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from states import catalogue
from states.dates import fiscal_year, fiscal_year_label
from states.documents import amount
from states.kernel import Process
from states.text import search_key
from workflow import finding, search
from workflow.access import SCOPE, VISIBLE, Actor
from workflow.deadlines import local_day
from workflow.finding import INSIDE, STANDING, Wanted
from workflow.queries import LEAD, MUNICIPALITY, Connection, _dicts

MOST = 5  # shown
LOOKED_AT = 60  # of the same municipality, the newest
NEAR = 200  # called alike
MOST_PAIRS = 8  # of a title that are looked for
ALIKE = 0.3  # from here on two titles are called alike
SAME_PLACE, SAME_KIND = 0.35, 0.1
_TELLING = re.compile("[㐀-鿿豈-﫿ァ-ヺ]{2,}")  # kanji and katakana; what stands between them says little

ROWS = f"""WITH {SCOPE}, {STANDING}
SELECT c.id AS case_id, c.number, c.title, c.process, c.process_version, c.state, c.place, c.opened_at, c.form, {MUNICIPALITY}, {LEAD},
  {INSIDE} AS inside, count(DISTINCT a.person_id) AS people, count(a.person_id) AS halves
FROM me CROSS JOIN standing CROSS JOIN cases c LEFT JOIN assignment a ON a.case_id = c.id
WHERE {VISIBLE} AND c.id = ANY (%(cases)s) AND c.version > 0 AND c.parent_id IS NULL GROUP BY c.id, me.wide, me.orgs, standing.above, standing.desks"""


def earlier(
    conn: Connection, reader: Actor, process: Process, form: Mapping[str, Any], *, place: str = "", besides: int = 0
) -> list[dict[str, Any]]:
    """The earlier cases most like this form, the most alike first; of a blank form those of the municipality.

    `place` is used while the form names none; `besides` is the case at hand.
    """
    here = process.place(form) or place
    title = process.title(form) if process.title(form) != process.title({}) else ""
    found = finding.newest(conn, reader, Wanted(place=here), LOOKED_AT) if here else []
    found += _called_alike(conn, reader, title)
    rows = _dicts(conn, ROWS, finding.reading(reader) | {"cases": [case for case in set(found) if case != besides]})
    kind = search.kind_of(process, form)
    ranked = sorted(
        ((_likeness(row, title, here, kind), row) for row in rows), key=lambda pair: (-pair[0], -pair[1]["case_id"])
    )
    return [_told(row) for likeness, row in ranked if likeness >= ALIKE][:MOST]


def _called_alike(conn: Connection, reader: Actor, title: str) -> list[int]:
    """Cases in whose words some telling pairs of this title stand."""
    runs = (search_key(run) for run in _TELLING.findall(title))
    pairs = dict.fromkeys(run[at : at + 2] for run in runs for at in range(len(run) - 1))
    return finding.with_any(conn, reader, list(pairs)[:MOST_PAIRS], NEAR) if pairs else []


def _likeness(row: Mapping[str, Any], title: str, place: str, kind: str) -> float:
    process = catalogue.process(row["process"], row["process_version"])
    own, other = _pairs(title), _pairs(row["title"])
    alike = 2 * len(own & other) / (len(own) + len(other)) if own and other else 0.0
    same_place = SAME_PLACE if place and row["place"] == place else 0.0
    return alike + same_place + (SAME_KIND if kind and search.kind_of(process, row["form"]) == kind else 0.0)


def _pairs(title: str) -> set[str]:
    return {gram for gram in search.grams(search_key(title)) if len(gram) > 1}


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says of an earlier case; who went only where the reader may read that."""
    process = catalogue.process(row["process"], row["process_version"])
    state = process.state(row["state"])
    named: Sequence[str] = [group for group, part in row["form"].items() if search.people_in(part)]
    readable = row["inside"] or all(search.shared(process, group, row["state"]) for group in named)
    return {
        "case_id": row["case_id"], "number": row["number"], "title": row["title"], "municipality": row["municipality"],
        "lead_name": row["lead_name"], "final": state.final, "word": state.outcome if state.final else f"いま「{state.step}」",
        "year": fiscal_year_label(fiscal_year(local_day(row["opened_at"]))), "people": row["people"] if readable else 0,
        "days": amount(row["halves"]) if readable else 0,
    }  # fmt: skip
