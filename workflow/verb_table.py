"""Every verb of a route in one table – what it is called, who may do it, when, what comes of it – for a page and a document.

The engine's own are `states.route_actions.VERBS`; what moves the case are rows of the process. Nothing is written twice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from states import catalogue
from states.authority import Matter
from states.kernel import Process
from states.route_actions import LABELS, VERBS, WHO
from states.terms import STAY, Action
from workflow.diagram import HOLDERS

# What changes a route without being one of its verbs: who, when, what comes of it, what is asked.
BESIDE = {
    "reassign_step": (
        "管理者",
        "だれも就いていない職の番の間",
        "別の職に聞き直します。理由は決裁欄に残ります",
        "相手の職、理由",
    ),
    "follow_route": (
        "時計",
        "人事の発令の日",
        "職に就いた人に引き継ぎ、同じ人に二度聞かず、起案した人や本人には決めさせません",
        "",
    ),
}

ROUTE, DECIDES, RETURNS, PUTS_UP = "回っている間", "決める", "起案者に戻す", "回り始める"


@dataclass(frozen=True)
class Line:
    """One row of the table, in words; `name` is the act."""

    label: str
    who: str
    when: str
    effect: str
    asks: str
    name: str


def engine() -> list[Line]:
    """The verbs that every route has, and what an administrator or a change of personnel does to one."""
    own = [Line(v.label, v.who, v.when, v.effect, _asked(ask.label for ask in v.asks), v.name) for v in VERBS]
    return [*own, *(Line(LABELS[name], *told, name) for name, told in BESIDE.items())]


def of_process(process: Process) -> list[tuple[Matter, list[tuple[str, Line]]]]:
    """The acts of the process about each of its matters: what puts a case up, what decides it, what gives it back."""
    return [(matter, list(_about(process, matter))) for matter in process.matters]


def _about(process: Process, matter: Matter) -> Iterator[tuple[str, Line]]:
    """Rows that differ only in where they lead are one line."""
    found: dict[tuple[str, Action], tuple[dict[str, None], dict[str, None]]] = {}
    for row in process.table:
        here = [name for name in row.source if name in matter.states]
        group = (
            DECIDES if row.name in matter.decides and here else RETURNS if row.name in matter.returns and here else ""
        )
        group = group or (PUTS_UP if row.dest in matter.states and not here else "")
        if group:
            same = next(
                (k for k in found if (k[0], k[1].name, k[1].label, k[1].by) == (group, row.name, row.label, row.by)),
                None,
            )
            sources, dests = found.setdefault(same or (group, row), ({}, {}))
            sources |= dict.fromkeys(here or row.source)
            dests |= {} if row.dest == STAY else dict.fromkeys((row.dest,))
    for (group, row), (sources, dests) in found.items():
        yield group, _line(process, matter, row, sources, dests)


def _line(process: Process, matter: Matter, row: Action, sources: Iterable[str], dests: Iterable[str]) -> Line:
    words = {**HOLDERS, **WHO, matter.role: f"{WHO['decider']}(経路がなければ{HOLDERS.get(matter.role, matter.role)})"}
    who = "、".join(dict.fromkeys(words.get(role, role) for role in sorted(row.by)))
    when = "、".join(f"「{process.state(name).label}」" for name in sources) + "の間"
    moved = "か".join(dict.fromkeys(f"「{process.state(name).label}」" for name in dests))
    effect = "。".join(filter(None, (row.effect.rstrip("。"), f"{moved}になります" if moved else "")))
    return Line(row.label, who, when, effect, _asked(ask.label for ask in row.asks), row.name)


def _asked(labels: Iterable[str]) -> str:
    return "、".join(labels)


def markdown() -> str:
    """The table as a document; `docs/verbs.md` is this text."""
    parts = [
        "# 決裁の操作",
        "この文書は `tobidashi verbs` が作ります。画面(/verbs)と、実際に操作を許す表(`states/route_actions.py` と業務フローの表)と、同じものです。",
        "表にない操作は、だれにも、画面からもコマンドからも、できません。",
        f"## どの案件でも({ROUTE})",
        _table(("操作", engine())),
    ]
    for process in catalogue.newest().values():
        for matter, lines in of_process(process):
            parts.append(f"## {process.label}: {matter.label}")
            groups = [(group, [line for kind, line in lines if kind == group]) for group in (PUTS_UP, DECIDES, RETURNS)]
            parts += [_table(group) for group in groups if group[1]]
    return "\n\n".join(parts) + "\n"


def _table(group: tuple[str, list[Line]]) -> str:
    head, lines = group
    rows = [f"| {head} | だれが | いつ | どうなるか | 書くこと |", "|---|---|---|---|---|"]
    rows += [f"| {one.label} | {one.who} | {one.when} | {one.effect} | {one.asks or '—'} |" for one in lines]
    return "\n".join(rows)
