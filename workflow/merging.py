"""What two people wrote, compared field by field with what the page was opened with; nobody's words go unseen.

A page carries no copy of what it was opened with, only a mark of each field: whether it is still the same is all that the
comparison asks. A table is one field; where nobody added or took away rows, each of its rows is one.
"""

import copy
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any

from states.dates import read_date
from workflow import history

Marks = Mapping[str, Any]  # path → mark of a field, or the marks of a table's rows; a blank field has none

LONGEST = 100_000  # characters of all marks of a page
_LONGEST_DATE = 20
_NOTHING = object()


class Side(StrEnum):
    """Who changed a field since the page was opened."""

    NOBODY = "nobody"
    MINE = "mine"
    THEIRS = "theirs"
    BOTH = "both"


def marks(groups: Mapping[str, Any]) -> dict[str, Any]:
    """The marks of all fields that hold something."""
    found = {path: _mark(value) for path, value in _fields("", groups)}
    return {path: mark for path, mark in found.items() if mark}


def written(found: Marks) -> str:
    """Marks as the text that a page carries."""
    return json.dumps(found, separators=(",", ":"))


def read(text: str) -> Marks | None:
    """The marks that came back with a page; None where there are none that can be read."""
    if not text or len(text) > LONGEST:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and all(isinstance(mark, (str, list)) for mark in found.values()) else None


def compared(mine: Mapping[str, Any], theirs: Mapping[str, Any], opened: Marks | None) -> dict[str, Side]:
    """Who changed which field of `mine`, in the order of the form. Without marks whatever differs counts as both sides'."""
    found: dict[str, Side] = {}
    for path, value in _fields("", mine):
        here, there = _mark(value), _mark(value_at(theirs, path))
        before = None if opened is None else opened.get(path, "")
        lists = [part for part in (here, there, before) if isinstance(part, list)]
        if len(lists) == 3 and len({len(rows) for rows in lists}) == 1:
            found |= {f"{path}.{number}": _side(*row) for number, row in enumerate(zip(*lists, strict=True))}
        else:
            found[path] = _side(here, there, before)
    return found


def merged(mine: Mapping[str, Any], theirs: Mapping[str, Any], take_theirs: Collection[str]) -> dict[str, Any]:
    """What I wrote, with their value in each of these fields."""
    found = copy.deepcopy(dict(mine))
    for path in take_theirs:
        way, _, last = path.rpartition(".")
        place, value = value_at(found, way), copy.deepcopy(value_at(theirs, path, _NOTHING))
        if isinstance(place, list):
            place[int(last)] = value
        elif value is _NOTHING:
            place.pop(last, None)
        else:
            place[last] = value
    return found


def value_at(groups: Mapping[str, Any], path: str, otherwise: Any = None) -> Any:
    """What stands in a field, or in the row of a table."""
    found: Any = groups
    for step in path.split("."):
        if isinstance(found, Mapping) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isdecimal() and len(step) < 10 and int(step) < len(found):
            found = found[int(step)]
        else:
            return otherwise
    return found


def _side(mine: Any, theirs: Any, before: Any) -> Side:
    if mine == theirs:
        return Side.NOBODY
    if theirs == before:
        return Side.MINE
    return Side.THEIRS if mine == before else Side.BOTH


def _fields(path: str, part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _fields(f"{path}.{key}" if path else key, value)
    else:
        yield path, part


def _mark(value: Any) -> Any:
    if value is None or value is False or value in ("", [], {}):
        return ""
    if isinstance(value, list):
        return [_digest(history.canonical(row)) for row in value]
    return _digest(_as_boxed(value) if isinstance(value, str) else history.canonical(value))


def _as_boxed(text: str) -> str:
    """A date as the three boxes of a page give it back: 2026-11-09 and 2026.11.09 are one."""
    if len(text) > _LONGEST_DATE or not any(sign in text for sign in "-/年"):
        return text
    boxed = re.sub(r"[-/年月]", ".", text.strip()).removesuffix("日")
    day = read_date(text).date
    return boxed if day and day == read_date(boxed).date else text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
