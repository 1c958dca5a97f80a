"""The fields of a page: flat names and texts, laid over the stored form without losing or mending what was typed."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from states.dispatch.course import Appointment, Change, Conditions, Evaluation, Result, TripReport
from states.dispatch.form import erased
from states.dispatch.labels import CHOICES, LABELS, label, pattern
from states.dispatch.parts import Contact, Part, Receipt, Request, Team
from states.kernel import Refused
from states.terms import Verdict, block
from states.text import narrow

# Opened with the case, or written by an act: no page can set them.
_NOT_TYPED = (
    "request.origin", "request.office_code", "consultation.", "change_consultation.", "receipt.same_as", "own_decision.",
    "change_request.", "stop.",
)  # fmt: skip
TYPED = frozenset(path for path in LABELS if not path.startswith(_NOT_TYPED))
MOST_PLACES = 1000  # of one row of a team
_FLAGS = frozenset({"request.destination.recognition.approved", "team.members.#.leader", "change.members.#.leader"})
_COUNTS = frozenset(path for path in TYPED if path.endswith((".person", ".members.#.headcount")))
_TABLES = frozenset(path.split(".#.")[0] for path in TYPED if ".#." in path)
_GROUPS: dict[str, type[Part]] = {
    "request": Request, "contact": Contact, "receipt": Receipt, "team": Team, "report": TripReport, "result": Result,
    "conditions": Conditions, "appointment": Appointment, "change": Change, "evaluation": Evaluation,
}  # fmt: skip
_CHOSEN = frozenset({"headcount", "leader", "owner", "stops", "kind", "issuer"})  # given in a row nobody has written in


def read_fields(fields: Mapping[str, Sequence[str]], form: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The field groups that a page posted, laid over the stored `form`, ready to be stored.

    A field is named by its path: `request.title`, `request.period.from`, `request.tasks.0.text`, `report:12.findings`.
    Of several values the last counts, so a tick box stands behind a hidden empty field of its name. A posted table
    replaces the stored one, blank rows left out; a field that was not posted keeps its value. Names without a group of
    the form are others' business and ignored. Raises `Refused` for a field that no page has or a value it cannot take.
    """
    refused: list[Verdict] = []
    groups: dict[str, Any] = {}
    tables: set[str] = set()
    for path in sorted(fields, key=_row_order):
        group = path.partition(".")[0]
        if group.partition(":")[0] not in _GROUPS or not fields[path]:
            continue
        if pattern(path) not in TYPED:
            refused.append(block(f"「{path}」という項目はこの画面にありません。画面を開き直してください。", path))
            continue
        if group not in groups:
            stored = (form or {}).get(group) or {}
            groups[group] = {} if erased(stored) else copy.deepcopy(dict(stored))
        try:
            _put(groups[group], path.split(".")[1:], _value(path, fields[path][-1]), tables, group)
        except ValueError as reason:
            refused.append(block(str(reason), path))
    if refused:
        raise Refused("guard", "".join(dict.fromkeys(v.sentence for v in refused)), refused)
    return {group: _stored(group, part) for group, part in groups.items()}


def show_fields(form: Mapping[str, Any]) -> dict[str, str]:
    """The stored form as the flat fields of a page: every path with its value as typed; a tick is "on"."""
    return {path: value for group, part in form.items() for path, value in _leaves(group, part)}


def _value(path: str, written: str) -> str | int | bool | None:
    kind = pattern(path)
    if kind in _FLAGS:
        return written.strip().lower() in ("on", "true", "1", "yes")
    if kind in _COUNTS:
        plain = narrow(written)
        if not plain and kind.endswith("person"):
            return None
        if not (plain.isascii() and plain.isdigit() and 1 <= len(plain) <= 9 and int(plain) > 0):
            raise ValueError(f"{label(path)}は1以上の数で書いてください。")
        if kind.endswith("headcount") and int(plain) > MOST_PLACES:
            raise ValueError(f"{label(path)}は{MOST_PLACES}までの数で書いてください。")
        return int(plain)
    if kind in CHOICES and written and written not in CHOICES[kind]:
        raise ValueError(f"{label(path)}を選び直してください。")
    return written.replace("\r\n", "\n")


def _put(part: Any, way: list[str], value: Any, tables: set[str], path: str) -> None:
    """Set the value at its place; the first field of a table empties the stored rows."""
    step, rest = way[0], way[1:]
    path = f"{path}.{step}"
    if not rest:
        part[step] = value
    elif path in _TABLES:
        if path not in tables:
            part[step] = {}
            tables.add(path)
        _put(part[step].setdefault(rest[0], {}), rest[1:], value, tables, f"{path}.{rest[0]}")
    else:
        _put(part.setdefault(step, {}), rest, value, tables, path)


def _stored(group: str, part: dict[str, Any]) -> dict[str, Any]:
    """The group with every key of its model and its tables as lists of the rows that are not blank."""
    model = _GROUPS[group.partition(":")[0]]
    for table in (t.partition(".")[2] for t in _TABLES if t.startswith(f"{group}.")):
        rows = part.get(table, [])
        part[table] = [row for row in (rows.values() if isinstance(rows, dict) else rows) if not _blank(row)]
    return model.model_validate(part).model_dump(by_alias=True)


def _blank(row: Mapping[str, Any]) -> bool:
    written = {key: value for key, value in row.items() if key not in _CHOSEN}
    return not any(str(value or "").strip() for value in written.values())


def _row_order(path: str) -> list[tuple[int, str]]:
    return [
        (int(step), "") if step.isascii() and step.isdigit() and len(step) < 10 else (-1, step)
        for step in path.split(".")
    ]


def _leaves(path: str, part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _leaves(f"{path}.{key}", value)
    elif isinstance(part, (list, tuple)):
        for row, value in enumerate(part):
            yield from _leaves(f"{path}.{row}", value)
    else:
        yield path, ("on" if part is True else "" if part is False or part is None else str(part))
