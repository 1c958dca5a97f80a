"""What was published of cases (公開): searched, and offered beside the form of somebody who is about to answer the like.

Publishing is an act that somebody decided, by which the words of a case go to every office and municipality, whoever its
parties are. So nothing here asks who takes part in the case: only the places that the process declares leave it, only in
the states that it names, and the case itself stays with its parties.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from states import catalogue
from states.dates import read_date
from states.documents import erased, written
from states.kernel import Process
from states.places import Directory
from states.text import search_key
from workflow import search
from workflow.access import NARROW, SCOPE, SCOPE_OF, VISIBLE, Actor
from workflow.queries import _dicts

MOST = 2000  # of a process that are looked through, the newest
BESIDE = 4  # offered beside a form
ALIKE = 0.3  # from here on a question is like the one at hand
_TELLING = re.compile("[㐀-鿿豈-﫿ァ-ヺ]{2,}")  # kanji and katakana; what stands between them says little

FOUND = f"""WITH {SCOPE} SELECT c.id, coalesce(c.number, '') AS number, c.process_version, c.state, c.lead, c.form, {VISIBLE} AS mine
FROM me CROSS JOIN cases c WHERE c.process = %(process)s AND c.state = ANY (%(states)s) ORDER BY c.id DESC LIMIT {MOST}"""


@dataclass(frozen=True)
class Item:
    """Something published: its words, whether they still hold and until when, the office that answers for them.

    `case` is set for who sees the case that it came from.
    """

    head: str
    text: str
    kind: str
    until: date | None
    on: date | None
    holds: bool
    office: str
    told: tuple[tuple[str, str], ...]
    wrong: str
    case: int | None
    number: str


def processes() -> list[Process]:
    """The processes of which something may be published."""
    return [process for process in catalogue.newest().values() if process.published]


def may_read(reader: Actor) -> bool:
    """Whether somebody is of an office or a municipality; who sees but one case, or none, looks nothing up."""
    return any(SCOPE_OF.get(role, "none") != "none" and role not in NARROW for role in reader.roles)


def found(
    conn: psycopg.Connection[Any],
    reader: Actor,
    process: Process,
    today: date,
    words: Sequence[str] = (),
    kind: str = "",
) -> list[Item]:
    """What was published of a process and says all these words (keys of the search): what holds first, the newest before."""
    items = [
        item for item in _all(conn, reader, process, today) if (not kind or item.kind == kind) and _says(item, words)
    ]
    return sorted(items, key=lambda item: not item.holds)


def beside(
    conn: psycopg.Connection[Any], reader: Actor, process: Process, form: Mapping[str, Any], today: date
) -> list[tuple[Process, Item]]:
    """What was published, still holds and is most like the form at hand."""
    title = process.title(form)
    if title == process.title({}) or not may_read(reader):
        return []
    own = _pairs(title)
    offered: list[tuple[float, int, Process, Item]] = []
    for other in processes():
        if other.published is None or process.key not in other.published.beside:
            continue
        for place, item in enumerate(_all(conn, reader, other, today)):
            if item.holds and (near := _likeness(own, item)) >= ALIKE:
                offered.append((near, -place, other, item))
    offered.sort(key=lambda one: one[:2], reverse=True)
    return [(other, item) for _, _, other, item in offered[:BESIDE]]


def _all(conn: psycopg.Connection[Any], reader: Actor, process: Process, today: date) -> list[Item]:
    if process.published is None or not may_read(reader):
        return []
    told = {"person": reader.person_id, "process": process.key, "states": sorted(process.published.states)}
    items = (_item(row, process, today) for row in _dicts(conn, FOUND, told))
    return [item for item in items if item]


def _item(row: Mapping[str, Any], process: Process, today: date) -> Item | None:
    """The words of one case; none where they were erased."""
    public, form = process.published, row["form"]
    if public is None or any(
        erased(form.get(group)) for group in (public.head.split(".")[0], public.text.split(".")[0])
    ):
        return None
    until, on = (read_date(written(form, place)).date for place in (public.until, public.on))
    office = Directory.from_csv().office(row["lead"])
    told = [process.told(place, written(form, place)) for place in public.told]
    return Item(
        head=written(form, public.head), text=written(form, public.text), kind=written(form, public.kind) if public.kind else "",
        until=until, on=on, holds=row["state"] not in public.stale and (until is None or today <= until),
        office=office.name if office else row["lead"], told=tuple((label, text) for label, text in told if text),
        wrong=written(form, public.wrong) if public.wrong else "", case=row["id"] if row["mine"] else None, number=row["number"],
    )  # fmt: skip


def _says(item: Item, words: Sequence[str]) -> bool:
    if not words:
        return True
    text = search_key("\n".join((item.head, item.text, *(value for _, value in item.told))))
    return all(word in text for word in words)


def _likeness(own: set[str], item: Item) -> float:
    """How much of a title stands in a question, or, counting less, in its answer."""
    if not own:
        return 0.0
    head = _pairs(item.head)
    both = 2 * len(own & head) / (len(own) + len(head)) if head else 0.0
    runs = {pair for run in _TELLING.findall(item.head + "\n" + item.text) for pair in _pairs(run)}
    return max(both, len(own & runs) / len(own) * 0.7)


def _pairs(text: str) -> set[str]:
    return {gram for gram in search.grams(search_key(text)) if len(gram) > 1}
