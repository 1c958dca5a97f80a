"""A field and its value in words, for two versions of a form that stand side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from states.dispatch.labels import CHOICES, LABELS, label, pattern

_MOST_COLUMNS = 4  # of a table, in its name
_SAID_OTHERWISE = frozenset({"person"})  # the name stands beside it


def told(path: str, value: Any) -> tuple[str, str]:
    """What a field, a table or a row of one is called, and what it holds; an empty text where it holds nothing."""
    kind = pattern(path)
    if kind in LABELS:
        return label(path).removeprefix("「").replace("」", " ").strip(), _text(kind, value)
    row = path.rpartition(".")[2] if kind.endswith(".#") else ""
    table = kind.removesuffix(".#")
    columns = {
        name.removeprefix(f"{table}.#."): called for name, called in LABELS.items() if name.startswith(f"{table}.#.")
    }
    rows = [value] if row else value if isinstance(value, Sequence) and not isinstance(value, str) else []
    lines = [_row(table, columns, entry) for entry in rows if isinstance(entry, Mapping)]
    called = "・".join(list(columns.values())[:_MOST_COLUMNS]) or "表"
    return (f"{called} {int(row) + 1}行目" if row else called), "\n".join(filter(None, lines))


def _row(table: str, columns: Mapping[str, str], entry: Mapping[str, Any]) -> str:
    cells = {key: _text(f"{table}.#.{key}", entry.get(key)) for key in columns}
    named = bool(cells.get("name"))
    return "、".join(
        f"{columns[key]}: {text}" for key, text in cells.items() if text and not (named and key in _SAID_OTHERWISE)
    )


def _text(kind: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    return "はい" if value is True else CHOICES.get(kind, {}).get(str(value), str(value))
