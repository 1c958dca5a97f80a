"""Why a case was found: the places of its readable text in which the words stand, cut to a line and marked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from states.text import search_key, search_place
from workflow import search
from workflow.queries import Connection, _dicts

BEFORE, AFTER = 24, 60  # characters shown around a word
MOST = 2  # excerpts of a case

Pieces = Sequence[tuple[str, bool]]  # text, and whether it is what was looked for


@dataclass(frozen=True)
class Excerpt:
    """A line of a case: the source and name of its field, and its pieces."""

    source: str
    label: str
    pieces: Pieces


ENTRIES = """SELECT s.case_id, s.mark, s.text FROM search_entry s
JOIN unnest(%(cases)s::bigint[], %(inside)s::bool[]) AS u (case_id, inside) ON s.case_id = u.case_id AND s.inside = u.inside"""


def marked(text: str, words: Iterable[str]) -> Pieces:
    """The text in pieces, the first place of every word marked."""
    places = sorted(filter(None, (search_place(text, word) for word in words)))
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, end in places:
        pieces += [(text[at : max(start, at)], False), (text[max(start, at) : max(end, at)], True)]
        at = max(end, at)
    return [piece for piece in (*pieces, (text[at:], False)) if piece[0]]


def excerpts(
    conn: Connection, rows: Sequence[Mapping[str, Any]], words: Sequence[str], *, reports: bool = False
) -> dict[int, list[Excerpt]]:
    """For each row of a list why it was found, where its title, number and place do not say so already.

    `inside` of a row tells which entry its reader reads; nothing else of the case is looked at.
    """
    left = {row["case_id"]: words if reports else _untold(row, words) for row in rows}
    asked = [row for row in rows if left[row["case_id"]]]
    if not asked:
        return {}
    ids, inside = [row["case_id"] for row in asked], [row["inside"] for row in asked]
    stored = {entry["case_id"]: entry for entry in _dicts(conn, ENTRIES, {"cases": ids, "inside": inside})}
    made = {source.id: source for source in search.sources(conn, ids)}
    found = {}
    for row in asked:
        source = made.get(row["case_id"])
        if source is not None:
            parts = search.of_entry(source.parts, inside=row["inside"])
            keys = _keys(parts, source.mark, stored.get(row["case_id"]))
            found[row["case_id"]] = _of(parts, keys, list(left[row["case_id"]]), words, reports=reports)
    return found


def _untold(row: Mapping[str, Any], words: Sequence[str]) -> Sequence[str]:
    """The words that a line of the list does not show already, in title, number or place."""
    told = (row["title"], row["number"], row["municipality"], row["lead_name"])
    said = "\n".join(search_key(text) for text in told if text)
    return [word for word in words if word not in said]


def _keys(parts: Sequence[search.Part], mark: str, stored: Mapping[str, Any] | None) -> list[str]:
    """The key of each part: the lines of the entry where it is of this state, else made anew."""
    if not stored or stored["mark"] != mark:
        return [search_key(part.text) for part in parts]
    reports = sum(part.report for part in parts)
    before, _, after = stored["text"].partition(search.REPORTS)
    return [*before.split("\n")[: len(parts) - reports], *after.split("\n")[:reports]]


def _of(
    parts: Sequence[search.Part], keys: Sequence[str], left: list[str], words: Sequence[str], *, reports: bool
) -> list[Excerpt]:
    shown: list[Excerpt] = []
    for part, key in zip(parts, keys, strict=True):
        here = [word for word in left if word in key] if part.report or not reports else []
        if here and len(shown) < MOST:
            left = [word for word in left if word not in here]
            shown.append(Excerpt(part.source, part.label, _cut(part.text, here[0], words)))
    return shown


def _cut(text: str, word: str, words: Sequence[str]) -> Pieces:
    """A line of the text around the word."""
    start, end = search_place(text, word) or (0, 0)
    first, last = max(start - BEFORE, 0), min(end + AFTER, len(text))
    line = f"{'…' if first else ''}{text[first:last]}{'…' if last < len(text) else ''}"
    return marked(" ".join(line.split()), words)
