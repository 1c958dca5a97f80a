"""Two versions of a form side by side: what both changed is chosen field by field, and nobody's words are overwritten."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from fastapi import Request
from starlette.responses import Response

from workflow import cases, merging
from workflow.called import Teller, teller
from workflow.cases import TYPED, View
from workflow.db import type_connection
from workflow.loading import load
from workflow.merging import Side
from workflow.web import written
from workflow.web.posted import Fields
from workflow.web.render import Signed, page
from workflow.web.saving import LONGEST_MET, moment, name_of, others, version
from workflow.web.written import CHOICE, LISTED, MINE, THEIRS, Written

_OUR_OWN = frozenset({"csrf", "saves", "opened", "unheard", "met", "key", "version", "do", LISTED, written.ALL})
_SENTENCE = re.compile(r"[^。\n]*[。\n]|[^。\n]+")
_LONG, _SHOWN = 240, 80  # characters of what is the same on both sides; how much of it stands at either end


@dataclass
class Clash(Exception):
    """What an act would take over was changed elsewhere since its page was opened; nothing was done."""

    found: Written


@dataclass(frozen=True)
class Piece:
    """A piece of a text, and whether the other version has another one in its place."""

    text: str
    other: bool


@dataclass(frozen=True)
class Difference:
    """A field with both versions; `choice` is the one that is ticked."""

    path: str
    label: str
    mine: Sequence[Piece]
    theirs: Sequence[Piece]
    both: bool
    choice: str


def clash_page(
    request: Request, conn: type_connection, signed: Signed, view: View, found: Written, posted: Fields, *, post: str, do: str, address: str
) -> Response:  # fmt: skip
    """The page that shows what differs and asks which to keep; everything that was typed goes along."""
    person, last = signed.actor.person_id, written.last_saved(conn, view)
    met = others(posted, found, last, person, view.now) or posted.get("met", "")[:LONGEST_MET]
    if last is None:
        acted = cases.conflict(conn, load(conn, view.id, person))
        met = f"{acted.who}さん({moment(acted.when, view.now)}、「{acted.action_label}」)"
    _, unchosen = written.chosen(posted, found)
    shown = [
        path
        for path, side in found.sides.items()
        if path in posted.get(LISTED, "").split() or side in (Side.THEIRS, Side.BOTH)
    ]
    shown = [path for path in shown if found.sides[path] is not Side.NOBODY]
    typed = [(n, v) for n, v in posted.multi_items() if n not in _OUR_OWN and not n.startswith(CHOICE)]
    return page(
        request, signed, "draft_clash.html", status=409, view=view, met=met, version=version(view), post=post, do=do,
        differences=[_difference(teller(conn, view.process), view, found, posted, path) for path in shown], unchosen=unchosen, typed=typed,
        mine_alone=[name_of(view, path) for path in found.of(Side.MINE) if path not in shown],
        saves=found.saves, opened=merging.written(merging.marks(found.theirs)), address=address,
    )  # fmt: skip


def _difference(told: Teller, view: View, found: Written, posted: Fields, path: str) -> Difference:
    mine, theirs = _text(told, found.mine, path), _text(told, found.theirs, path)
    pieces = side_by_side(mine, theirs)
    both = found.sides[path] is not Side.THEIRS
    choice = posted.get(written.ALL) or posted.get(CHOICE + path) or ("" if both else THEIRS)
    return Difference(path, name_of(view, path), *pieces, both, choice if choice in (MINE, THEIRS) else "")


def _text(told: Teller, groups: Mapping[str, Any], path: str) -> str:
    value = merging.value_at(groups, path)
    return str(value or "") if path.startswith(TYPED) else told(path, value)[1]


def side_by_side(mine: str, theirs: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces, sentence by sentence; long stretches that are the same are shortened."""
    one, other = _SENTENCE.findall(mine), _SENTENCE.findall(theirs)
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, one, other).get_opcodes():
        if kind == "equal":
            same = Piece(_shortened("".join(one[a:b])), other=False)
            left.append(same)
            right.append(same)
            continue
        left += [Piece("".join(one[a:b]), other=True)] if a < b else []
        right += [Piece("".join(other[c:d]), other=True)] if c < d else []
    return left, right


def _shortened(text: str) -> str:
    if len(text) <= _LONG:
        return text
    return f"{text[:_SHOWN]}…(同じ文 {len(text) - 2 * _SHOWN}字)…{text[-_SHOWN:]}"
