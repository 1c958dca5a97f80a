"""Whether a case that runs under one version of its process would fit another: a dry run, nothing is moved.

Publishing a version never touches running cases; this says what moving one would need. Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from states.kernel import Process
from states.routes import RUNNING, STOPPED, of
from states.terms import State


class Fit(StrEnum):
    """ok: as it is; mapping: somebody has to say what becomes of something; blocked: not at all."""

    OK = "ok"
    MAPPING = "needs_mapping"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Fitting:
    """The answer for one case, with its reasons as Japanese sentences."""

    fit: Fit
    reasons: tuple[str, ...] = ()


def fitting(
    old: Process, new: Process, *, state: str, origin: str, form: Mapping[str, Any], deadlines: Collection[str] = (),
) -> Fitting:  # fmt: skip
    """How a case in that state, with that form and those running deadlines, stands to the newer version."""
    blocked = _blocks(old, new, state, origin, form)
    if blocked:
        return Fitting(Fit.BLOCKED, tuple(blocked))
    mapped = _mappings(old, new, state, form, deadlines)
    return Fitting(Fit.MAPPING, tuple(mapped)) if mapped else Fitting(Fit.OK)


def _blocks(old: Process, new: Process, state: str, origin: str, form: Mapping[str, Any]) -> list[str]:
    found = []
    try:
        new.reading(form)
    except (TypeError, ValueError, KeyError) as problem:
        found.append(f"新しい版の様式では、書かれた内容を読めません({_where(problem)})。")
    if old.opens and origin in old.opens and origin not in new.opens:
        found.append("新しい版には、この契機で始まる案件がありません。")
    before, after = old.state(state), _same(new, state)
    if after is None and not _alike(new, before):
        found.append(f"いまの状態「{before.label}」に当たる状態が、新しい版にありません。")
    if after is not None and after.final != before.final:
        found.append(f"「{before.label}」が終わりかどうかが、版によって違います。")
    return found


def _mappings(old: Process, new: Process, state: str, form: Mapping[str, Any], deadlines: Collection[str]) -> list[str]:
    found, before = [], old.state(state)
    if _same(new, state) is None:
        likely = "、".join(f"「{one.label}」" for one in _alike(new, before))
        found.append(f"状態「{before.label}」の行き先を決めます(候補: {likely})。")
    labels = {due.kind: due.label for due in old.deadlines}
    known = {due.kind for due in new.deadlines}
    found += [
        f"動いている期限「{labels.get(kind, kind)}」が、新しい版にありません。"
        for kind in sorted(deadlines)
        if kind not in known
    ]
    route = of(form) if old.matters else None
    if route is not None and route.status in (RUNNING, STOPPED):
        was, then = old.matter(state), new.matter(state)
        if then is None or was is None or (then.key, then.role) != (was.key, was.role):
            found.append(
                f"決裁に回っている事項「{route.label}」が、新しい版のこの状態にありません。回し直しが要ります。"
            )
    return found


def lost(old: Process, new: Process, state: str) -> Sequence[str]:
    """The verbs that are there today and would not be there under the newer version."""
    here = {row.name: row.label for row in old.table if state in row.source}
    there = {row.name for row in new.table if state in row.source}
    return [label for name, label in here.items() if name not in there]


def _same(new: Process, state: str) -> State | None:
    return next((one for one in new.states if one.name == state), None)


def _alike(new: Process, before: State) -> list[State]:
    """States in which the same one is asked in the same step."""
    found = [one for one in new.states if one.label == before.label]
    return found or [
        one for one in new.states if (one.step, one.holder, one.final) == (before.step, before.holder, before.final)
    ]


def _where(problem: Exception) -> str:
    errors = getattr(problem, "errors", None)
    told = errors() if callable(errors) else ()
    return "、".join(".".join(str(part) for part in error["loc"]) for error in told[:3]) or type(problem).__name__
