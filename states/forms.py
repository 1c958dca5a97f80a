"""A form that is declared once: page, reading, strict shape, words and search all follow from the declaration.

What a person types stays as typed: dates, numbers and codes are texts and are read on asking (`Filled`). A ticked box is
True; a person is an id; a table is a list of rows.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from states import dates
from states.kernel import Refused
from states.terms import PICKED, Facts, Guard, Verdict, Wording, block, guard
from states.text import narrow, problems

Options = tuple[tuple[str, ...], ...]  # key, label and, where one helps, a small line
# mark: written by acts and never typed, such as who and when in ISO. several: keys parted by a space.
KINDS = frozenset(
    {
        "text", "long", "date", "time", "number", "tel", "email", "choice", "several", "tick", "municipality",
        "municipalities", "person", "post", "department", "case", "mark",
    }
)  # fmt: skip
_PLAIN = frozenset({"choice", "tick", "mark", "person"})  # says nothing by itself in a row


@dataclass(frozen=True)
class Field:
    """One field. `most` is its length in characters; a `need` is said on the page and refused by `Form.lacking`."""

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    need: bool = False
    most: int = 0
    options: Options = ()
    inside: bool = False  # stays within the offices; said on the page

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.name}: unknown kind {self.kind}")


@dataclass(frozen=True)
class Table:
    """Rows of fields; a row in which nothing was written does not count."""

    name: str
    label: str
    columns: tuple[Field, ...]
    hint: str = ""
    add: str = "行を足す"
    need: bool = False
    most: int = 0  # rows
    quick: tuple[str, ...] = ()  # columns that are written while people speak; the others are folded below them
    # a row told in a sentence instead of cells, of its values in words (posts and places by their names), by column
    says: Callable[[Mapping[str, str]], str] | None = None


@dataclass(frozen=True)
class Group:
    """A field group: what is stored, shown, changed and erased together. `many`: one for each organisation or person."""

    name: str
    label: str
    parts: tuple[Field | Table, ...]
    lead: str = ""
    many: bool = False
    origins: frozenset[str] = frozenset()  # of the cases whose draft has it on its page; none: every one
    typed: bool = True  # False: written by acts only


@dataclass(frozen=True)
class Filled:
    """A group (or a row, or the whole form) as it was filled in; what is not there reads as empty."""

    stored: Mapping[str, Any] = field(default_factory=dict)

    def _at(self, path: str) -> Any:
        found: Any = self.stored
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        return found

    def text(self, path: str) -> str:
        """The value as typed, without space around it."""
        found = self._at(path)
        return str(found).strip() if isinstance(found, str | int) and not isinstance(found, bool) else ""

    def reading(self, path: str) -> dates.Reading:
        """A date as read: `.date`, `.note`, `.problem`."""
        return dates.read_date(self.text(path))

    def day(self, path: str) -> date | None:
        return self.reading(path).date if self.text(path) else None

    def number(self, path: str) -> int | None:
        plain = narrow(self.text(path)).replace(",", "")
        return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None

    def ticked(self, path: str) -> bool:
        return self._at(path) is True

    def several(self, path: str) -> tuple[str, ...]:
        """The keys that were chosen."""
        return tuple(self.text(path).split())

    def rows(self, path: str) -> tuple["Filled", ...]:
        found = self._at(path)
        return tuple(Filled(row) for row in found if isinstance(row, Mapping)) if isinstance(found, list) else ()

    def part(self, path: str) -> "Filled":
        found = self._at(path)
        return Filled(found) if isinstance(found, Mapping) else Filled()

    def each(self, prefix: str) -> dict[str, "Filled"]:
        """The groups of which there is one for each: by organisation or person."""
        return {
            name.partition(":")[2]: Filled(part) for name, part in self.stored.items() if name.startswith(f"{prefix}:")
        }

    def __bool__(self) -> bool:
        return bool(self.stored)


@dataclass(frozen=True)
class Form:
    """The whole form of a process, by its groups in the order of the page."""

    groups: tuple[Group, ...]
    kind: str = ""  # path of the choice that tells cases apart, for the search
    reports: frozenset[str] = frozenset()  # groups that say what came of a case

    @cached_property
    def by_name(self) -> dict[str, Group]:
        return {group.name: group for group in self.groups}

    @cached_property
    def fields_by_path(self) -> dict[str, Field]:
        """Every field by its pattern: # for the number of a row, and for what follows a colon."""
        found: dict[str, Field] = {}
        for group in self.groups:
            start = f"{group.name}:#" if group.many else group.name
            for part in group.parts:
                if isinstance(part, Table):
                    found |= {f"{start}.{part.name}.#.{column.name}": column for column in part.columns}
                else:
                    found[f"{start}.{part.name}"] = part
        return found

    @cached_property
    def tables(self) -> dict[str, Table]:
        return {
            f"{group.name}:#.{part.name}" if group.many else f"{group.name}.{part.name}": part
            for group in self.groups
            for part in group.parts
            if isinstance(part, Table)
        }

    # ── stored ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, form: Mapping[str, Any]) -> Filled:
        """The stored groups as they are read; raises ValueError for what this form does not have."""
        for name, part in form.items():
            for path, value in _leaves(name, part):
                known = self.fields_by_path.get(pattern(path))
                fits = known is not None and (
                    isinstance(value, bool)
                    if known.kind == "tick"
                    else value is None or (isinstance(value, int) and not isinstance(value, bool))
                    if known.kind == "person"
                    else isinstance(value, str | int) and not isinstance(value, bool)
                )
                if not fits and not (isinstance(value, list) and not value and pattern(path) in self.tables):
                    raise ValueError(path)
        return Filled(dict(form))

    def fields(self, posted: Mapping[str, Sequence[str]], form: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The groups that a page posted, laid over the stored `form`: `Process.fields`. Raises `Refused`.

        A posted table replaces the stored one, blank rows left out; a field that was not posted keeps its value.
        """
        refused: list[Verdict] = []
        groups: dict[str, Any] = {}
        begun: set[str] = set()
        for path in sorted(posted, key=_row_order):
            name = path.partition(".")[0]
            group = self.by_name.get(name.partition(":")[0])
            if group is None or not posted[path] or "." not in path:
                continue
            known = self.fields_by_path.get(pattern(path))
            if known is None or not group.typed or known.kind == "mark":
                refused.append(block(f"「{path}」という項目はこの画面にありません。画面を開き直してください。", path))
                continue
            stored = (form or {}).get(name) or {}
            part = groups.setdefault(name, {} if set(stored) == {"erased"} else copy.deepcopy(dict(stored)))
            try:
                self._put(part, path, _value(known, posted[path]), begun)
            except ValueError as reason:
                refused.append(block(str(reason), path))
        if refused:
            raise Refused("guard", "".join(dict.fromkeys(v.sentence for v in refused)), refused)
        return {name: self._kept(name, part) for name, part in groups.items()}

    def _put(self, part: dict[str, Any], path: str, value: Any, begun: set[str]) -> None:
        steps = path.split(".")
        if f"{pattern(steps[0])}.{steps[1]}" in self.tables:
            table = ".".join(steps[:2])
            if table not in begun:
                begun.add(table)
                part[steps[1]] = {}
            part[steps[1]].setdefault(int(steps[2]), {})[steps[3]] = value
        else:
            part[steps[1]] = value

    def _kept(self, name: str, part: dict[str, Any]) -> dict[str, Any]:
        for kind, table in self.tables.items():
            if kind.rpartition(".")[0] == pattern(name) and isinstance(part.get(table.name), dict):
                part[table.name] = [row for row in part[table.name].values() if not _blank(table, row)]
        return part

    # ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def told(self, path: str, value: Any) -> tuple[str, str]:
        """What a field, a table or a row of one is called, and what it holds in words: `Process.told`."""
        kind = pattern(path)
        if kind in self.fields_by_path:
            known = self.fields_by_path[kind]
            return known.label, words(known, value)
        table = self.tables.get(kind.removesuffix(".#"))
        if table is None:
            return path, str(value)
        row = path.rpartition(".")[2] if kind.endswith(".#") else ""
        rows = [value] if row else value if isinstance(value, list) else []
        lines = ["、".join(line) for entry in rows if isinstance(entry, Mapping) and (line := cells(table, entry))]
        return f"{table.label} {int(row) + 1}行目" if row else table.label, "\n".join(lines)

    def named(self, path: str, value: Any, called: Callable[[str, Any], Any]) -> Any:
        """The value of a field, a table or a row of one with names in the place of what was picked: by kind and code."""
        kind = pattern(path)
        if kind in self.fields_by_path:
            return called(self.fields_by_path[kind].kind, value)
        table = self.tables.get(kind.removesuffix(".#"))
        kinds = {column.name: column.kind for column in table.columns} if table else {}
        if isinstance(value, Mapping):
            return {key: called(kinds.get(key, ""), one) for key, one in value.items()}
        return [self.named(f"{path}.0", row, called) for row in value] if table and isinstance(value, list) else value

    @cached_property
    def wording(self) -> Wording:
        """What a search makes of the form."""
        shown = {path: known for path, known in self.fields_by_path.items() if known.kind != "mark"}
        return Wording(
            labels={path: known.label for path, known in shown.items()},
            choices={path: {o[0]: o[1] for o in known.options} for path, known in shown.items() if known.options},
            marks=frozenset(known.name for known in self.fields_by_path.values() if known.kind == "mark"),
            kind=self.kind,
            reports=self.reports,
        )

    # ── rules that every form has ───────────────────────────────────────────────────────────────────────────────────

    def lacking(self, *groups: str) -> Guard:
        """The guard that asks for every needed field and table of these groups."""

        def lacking(facts: Facts) -> Iterator[Verdict]:
            for name in groups:
                group = self.by_name[name]
                origin = str(facts.registers.get("origin") or "")
                if group.origins and origin not in group.origins:
                    continue
                filled = Filled(facts.form.get(name) or {})
                for part in group.parts:
                    if part.need and not (
                        filled.rows(part.name) if isinstance(part, Table) else filled.text(part.name)
                    ):
                        yield block(f"「{part.label}」を書いてください。", f"{name}.{part.name}")

        return guard(None)(lacking)

    def strange(
        self, groups: Mapping[str, Any], before: Mapping[str, Any], lists: Mapping[str, Mapping[str, str]]
    ) -> Iterator[Verdict]:
        """What these groups hold that is in none of the lists it is picked from, by kind; what stood there before may stay."""
        stood = {(pattern(path), value) for path, value in _leaves("", dict(before)) if isinstance(value, str | int)}
        for path, value in _leaves("", dict(groups)):
            known = self.fields_by_path.get(pattern(path))
            if known is None or known.kind not in PICKED or known.kind not in lists or value in (None, ""):
                continue
            if str(value) not in lists[known.kind] and (pattern(path), value) not in stood:
                yield block(
                    f"「{known.label}」に、いまは選べないものが入っています。並びから選び直してください。", path
                )

    @cached_property
    def letters(self) -> Guard:
        """The guard of I-02: characters that cannot be kept, and of I-05: dates that are none."""

        def readable(facts: Facts) -> Iterator[Verdict]:
            for path, value in _leaves("", dict(facts.form)):
                known = self.fields_by_path.get(pattern(path))
                if known is None or not isinstance(value, str):
                    continue
                for problem in problems(value):
                    yield Verdict(
                        block("").level,
                        f"「{known.label}」の{problem}があります。その文字を消してください。",
                        path,
                        "I-02",
                    )
                if known.kind == "date" and value.strip():
                    read = dates.read_date(value)
                    if read.date is None:
                        yield Verdict(block("").level, f"「{known.label}」: {read.problem}", path, "I-05")

        return guard(None)(readable)


def words(known: Field, value: Any) -> str:
    """A stored value as people read it; choices by their labels."""
    if value is None or value is False:
        return ""
    if value is True:
        return "はい"
    labels = {option[0]: option[1] for option in known.options}
    if known.kind == "several":
        return "、".join(labels.get(key, key) for key in str(value).split())
    return labels.get(str(value), str(value))


def cells(table: Table, row: Mapping[str, Any]) -> list[str]:
    """What a row says: "見出し: 値" of each column that says something."""
    return [
        f"{c.label}: {text}"
        for c in table.columns
        if c.kind not in ("mark", "person") and (text := words(c, row.get(c.name)))
    ]


_NUMBER = re.compile(r"\.\d+(?=\.|$)")


def pattern(path: str) -> str:
    """`reply:hk-zaisei.text` → `reply:#.text`, `notes.rows.0.summary` → `notes.rows.#.summary`."""
    head, dot, rest = path.partition(".")
    head = f"{head.partition(':')[0]}:#" if ":" in head else head
    return head + _NUMBER.sub(".#", dot + rest)


def _value(known: Field, posted: Sequence[str]) -> Any:
    written = posted[-1].replace("\r\n", "\n")
    if known.kind == "tick":
        return written.strip().lower() in ("on", "true", "1", "yes")
    if known.kind == "person":
        plain = narrow(written)
        if plain and not (plain.isascii() and plain.isdigit() and len(plain) < 10):
            raise ValueError(f"「{known.label}」を選び直してください。")
        return int(plain) if plain else None
    keys = {option[0] for option in known.options}
    if known.kind == "several":
        chosen = list(dict.fromkeys(key for one in posted for key in one.split()))
        if not set(chosen) <= keys:
            raise ValueError(f"「{known.label}」を選び直してください。")
        return " ".join(chosen)
    if known.kind == "municipalities":
        return " ".join(dict.fromkeys(code for one in posted for code in one.split()))
    if known.kind == "choice" and written and written not in keys:
        raise ValueError(f"「{known.label}」を選び直してください。")
    return written


def _blank(table: Table, row: Mapping[str, Any]) -> bool:
    said = {column.name for column in table.columns if column.kind not in _PLAIN}
    return not any(str(value or "").strip() for key, value in row.items() if key in said or not said)


def _leaves(path: str, part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), value)
    elif isinstance(part, list) and part:
        for row, value in enumerate(part):
            yield from _leaves(f"{path}.{row}", value)
    else:
        yield path, part


def _row_order(path: str) -> list[tuple[int, str]]:
    steps: Iterable[str] = path.split(".")
    return [(int(s), "") if s.isascii() and s.isdigit() and len(s) < 10 else (-1, s) for s in steps]
