"""What pages of a declared form need (`Process.form`): its words, which groups a page shows, what its values are called."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from states import routes, thread
from states.forms import Field, Group, Table, words
from states.kernel import Process
from states.terms import Action
from workflow import offered
from workflow.cases import View
from workflow.db import type_connection

ENGINE_GROUPS = {routes.GROUP: "決裁の順序", thread.GROUP: "もとになった案件"}
MOST_COLUMNS = 4  # of a table that still fits on one line of a page
# Characters of a row and of a value that read well in a table, and of a value that stands beside others.
ONE_LINE, ONE_CELL, BRIEF = 56, 22, 16
LONG = frozenset({"long", "several", "municipalities"})  # kinds that need the width of the page


@dataclass(frozen=True)
class Words:
    """The words of a process that has no template for them."""

    clauses: Mapping[str, str] = field(default_factory=dict)
    groups: Sequence[str] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    begins: Mapping[str, str] = field(default_factory=dict)
    group_names: Mapping[str, str] = field(default_factory=dict)
    folded: Sequence[str] = ()
    decisions: Mapping[str, str] = field(default_factory=dict)
    heading: Mapping[str, str] = field(default_factory=dict)
    lead: Mapping[str, str] = field(default_factory=dict)
    awaited: str = ""


def words_of(process: Process) -> Words:
    """The words that a process declares, its groups by the names of its form."""
    groups = process.form.groups if process.form else ()
    return Words(
        **{
            "groups": tuple(group.name for group in groups),
            "group_names": {group.name: group.label for group in groups} | ENGINE_GROUPS,
            **process.words,
        }
    )


def groups_of_draft(process: Process, origin: str, editable: frozenset[str]) -> list[Group]:
    """The groups that stand on the page of a draft, in their order."""
    found = process.form.groups if process.form else ()
    return [g for g in found if g.typed and g.name in editable and (not g.origins or origin in g.origins)]


def writes(process: Process) -> frozenset[str]:
    """The groups that a draft may write."""
    return frozenset().union(*(row.edits for row in process.table if process.initial.name in row.source))


@dataclass(frozen=True)
class Part:
    """A field group on the page of an act: the template of its own or the common one, and where its fields are kept."""

    templates: Sequence[str]
    group: Group | None = None
    name: str = ""


def parts(process: Process, action: Action, groups: Sequence[str], who: str) -> list[Part]:
    """The groups that an act writes, in the order in which the process names them; `who` of those of which each has one."""
    declared = process.form.by_name if process.form else {}
    found = []
    for name in (g for g in groups if g in action.edits):
        group = declared.get(name)
        own = f"{process.key}/{name}.html"
        if group is None or group.typed:
            named = f"{name}:{who}" if group and group.many else name
            found.append(Part([own, "form_group.html"] if group else [own], group, named))
    return found


def begun(action: Action, view: View, form: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """The form of an act's page with what stands in its fields at first; a group that was kept already stays as it is."""
    if action.begins is None:
        return dict(form)
    first = {group: part for group, part in action.begins(view.facts).items() if group not in kept}
    return {**form, **{group: _filled_up(form.get(group) or {}, part) for group, part in first.items()}}


def _filled_up(stored: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, Any]:
    said = {} if set(stored) == {"erased"} else stored
    return {**said, **{key: value for key, value in first.items() if said.get(key) in (None, "", [], False)}}


# --- what was written, for reading ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A field as it is read: `kind` is one of `states.forms.KINDS`."""

    label: str
    text: str
    kind: str
    inside: bool = False
    brief: bool = False  # in a row that is no line of a table: it stands on one line with others


@dataclass(frozen=True)
class Rows:
    """A table as it is read: the columns in which something stands, and its rows; `wide` where they need more than a line.

    `lines` are the rows in sentences, each with its day, where the table tells them so.
    """

    label: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Shown]]
    wide: bool
    lines: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Section:
    """A field group as it is read; `gone` is the event that erased it."""

    id: str
    label: str
    of: str
    fields: Sequence[Shown]
    tables: Sequence[Rows]
    gone: int = 0


class Reader:
    """Reads the form of one case as people read it; names are looked up once."""

    def __init__(self, conn: type_connection, view: View, municipalities: Any, people: Mapping[str, str]) -> None:
        self._view, self._municipality, self._people = view, municipalities, people
        self._form = view.process.form
        values = list(_picked(self._form.fields_by_path, view.form)) if self._form else []
        self._names = offered.names(
            conn,
            frozenset(value for kind, value in values if kind == "post"),
            frozenset(value for kind, value in values if kind == "department")
            | {name.partition(":")[2] for name in view.form if ":" in name},
        )

    def sections(self) -> list[Section]:
        """Every group in which something stands, in the order of the form."""
        if self._form is None:
            return []
        found = []
        for group in self._form.groups:
            stored = [n for n in self._view.form if n == group.name or (group.many and n.startswith(f"{group.name}:"))]
            erased = [
                n for n in self._view.erased if n == group.name or (group.many and n.startswith(f"{group.name}:"))
            ]
            found += [self._section(group, name) for name in dict.fromkeys([*stored, *erased])]
        return [section for section in found if section.fields or section.tables or section.gone]

    def _section(self, group: Group, name: str) -> Section:
        part = self._view.form.get(name) or {}
        own = name.partition(":")[2]
        of = self._municipality(self._names.get(own, self._people.get(own, own))) if own else ""
        gone = self._view.erased.get(name, 0)
        if gone:
            return Section(name, group.label, of, (), (), gone)
        fields = [
            shown
            for known in group.parts
            if isinstance(known, Field) and (shown := self._shown(known, part.get(known.name)))
        ]
        tables = [
            rows
            for known in group.parts
            if isinstance(known, Table) and (rows := self._rows(known, part.get(known.name)))
        ]
        return Section(name, group.label, of, fields, tables)

    def _shown(self, known: Field, value: Any) -> Shown | None:
        text = self._text(known, value)
        return Shown(known.label, text, known.kind, known.inside) if text else None

    def _text(self, known: Field, value: Any) -> str:
        if value in (None, "", False) or (known.kind == "mark" and known.name == "by"):
            return ""
        if known.kind == "municipality":
            return str(self._municipality(str(value)))
        if known.kind == "municipalities":
            return "、".join(str(self._municipality(code)) for code in str(value).split())
        if known.kind in ("post", "department"):
            return self._names.get(str(value), str(value))
        if known.kind == "person":
            return self._people.get(str(value), "")
        return words(known, value)

    def _rows(self, table: Table, stored: Any) -> Rows | None:
        rows = [row for row in stored if isinstance(row, Mapping)] if isinstance(stored, list) else []
        texts = [
            [Shown(c.label, self._text(c, row.get(c.name)), c.kind, c.inside) for c in table.columns] for row in rows
        ]
        used = [n for n in range(len(table.columns)) if any(row[n].text for row in texts)]
        if not used:
            return None
        columns = [table.columns[n].label for n in used]
        brief = {n for n in used if all(len(row[n].text) <= BRIEF for row in texts) and table.columns[n].kind != "long"}
        shown = [[replace(row[n], brief=n in brief) for n in used] for row in texts]
        return Rows(table.label, columns, shown, _wide(columns, shown), self._lines(table, texts))

    def _lines(self, table: Table, texts: Sequence[Sequence[Shown]]) -> list[tuple[str, str]]:
        if table.says is None:
            return []
        named = [dict(zip((c.name for c in table.columns), (one.text for one in row), strict=True)) for row in texts]
        return [(row.get("on", ""), table.says(row)) for row in named]


def _wide(columns: Sequence[str], rows: Sequence[Sequence[Shown]]) -> bool:
    """Whether rows do not fit on lines of a table; what is a little longer than its cell is broken there."""
    longest = [max(len(row[n].text) for row in rows) for n in range(len(columns))]
    needed = [min(max(most, min(len(label), 8)), ONE_CELL) for most, label in zip(longest, columns, strict=True)]
    return sum(needed) > ONE_LINE or max(longest) > 3 * ONE_CELL


def _picked(known: Mapping[str, Field], form: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The kinds and values of what was picked from a list."""
    for path, one in known.items():
        if one.kind not in ("post", "department"):
            continue
        head, *steps = path.split(".")
        for name, part in form.items():
            if name.partition(":")[0] == head.partition(":")[0] and isinstance(part, Mapping):
                rows = part.get(steps[0]) if len(steps) > 1 else [part]
                yield from (
                    (one.kind, str(row[one.name]))
                    for row in rows or ()
                    if isinstance(row, Mapping) and row.get(one.name)
                )


# --- what fields are chosen from --------------------------------------------------------------------------------------

CHOOSE = ("", "選んでください")


@dataclass(frozen=True)
class Around:
    """What the fields of a page choose from, by kind: key and label. A value that is in no list stands last, as it is called."""

    lists: Mapping[str, Mapping[str, str]]
    municipality: Callable[[str], str]
    selects = frozenset({"municipality", "person", "post", "department"})

    def options(self, known: Field, value: str) -> list[tuple[str, str]]:
        """What can be chosen in a field, what is chosen already among it."""
        there = {o[0]: o[1] for o in known.options} if known.options else dict(self.lists.get(known.kind, {}))
        if value and value not in there:
            there[value] = self.municipality(value) if known.kind == "municipality" else value
        return [CHOOSE, *there.items()]

    def towns(self, chosen: Sequence[str]) -> list[tuple[str, str]]:
        """The municipalities of the office's area, and those beyond it that were chosen."""
        there = dict(self.lists.get("municipality", {}))
        return [*(there | {code: self.municipality(code) for code in chosen if code not in there}).items()]

    def wide(self, table: Table) -> bool:
        """Whether a row of the table needs more than one line to be written in."""
        return len(table.columns) > MOST_COLUMNS or any(column.kind in LONG for column in table.columns)
