"""Erasing: the words that must go are looked for, what holds them is ticked, one act blacks them out. For records officers only.

What holds no words to look for – a page of a form, a file – is chosen row by row and goes whole.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.kernel import Refused
from states.text import problems as unfit
from workflow import blackout, history, story, traces
from workflow.cases import View
from workflow.db import database
from workflow.erase import ERASES, LONGEST_GROUND, Choice, erase_all
from workflow.loading import NotFound
from workflow.traces import FILE, REMARK, ROW, Trace
from workflow.web import offers
from workflow.web.posted import Fields, Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

__all__ = ["ERASES", "router"]

router = APIRouter()

EXCERPT = 200  # characters shown of a part, enough to know it by
SHOWN = 12  # places of the words shown of one part
# What an event writes of itself.
NAMES = {
    "names": "その日の氏名・職・所属", "shown": "判断のときに示した照合と計算", "letter": "通知の文面", "file": "ファイルの名前", "child": "条件などの動き",
    "retention": "保存・廃棄の理由", "extension": "期限を動かした理由",
}  # fmt: skip
_CODE = re.compile(r"[a-z][a-z_.-]*")  # a choice of the form; nothing that anybody wrote
_MARK = re.compile(r"([1-9][0-9]{0,17})\.([0-9]{1,9})(?:\.([0-9]{1,9}))?")


@dataclass(frozen=True)
class Asked:
    """What the page was sent: the words, what was ticked, the ground; `whole` where rows go as they are."""

    words: str = ""
    whole: bool = False
    looked: bool = False  # the words have been looked for
    ticked: frozenset[str] | None = None  # None: everything that was found
    ground: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One thing that can be ticked."""

    name: str  # of the field: rows, remarks, files
    mark: str
    at: datetime
    told: str
    by: str
    text: str
    excerpts: Sequence[tuple[str, str, str]]
    more: int  # places that are not shown
    hidden: bool
    gone: int | None
    ticked: bool
    seq: int = 0


@dataclass(frozen=True)
class Group:
    """Things of one kind: a field group in all its versions, the remarks, the files."""

    label: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Member:
    """A case of the family with what was found in it."""

    view: View
    own: bool
    groups: Sequence[Group]


@router.get("/cases/{case_id:int}/erase")
def show(request: Request, conn: Connection, signed: SignedIn, case_id: RowId, by: str = "") -> Response:
    """The field for the words; with `by=rows` everything of the case, row by row."""
    return _page(request, conn, signed, _family(conn, signed, case_id), Asked(whole=by == "rows", ticked=frozenset()))


@router.post("/cases/{case_id:int}/erase")
def carry_out(request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId) -> Response:
    """Look for the words, or erase what is ticked. A refusal shows the page again with the boxes and the ground as they were."""
    family = _family(conn, signed, case_id)
    asked = _asked(posted)
    if asked.problems or posted.get("do") == "find":
        return _page(request, conn, signed, family, asked)
    choices = _choices(family, posted)
    wrong = {} if choices else {"rows": "消去する内容を1つ以上選んでください。"}
    wrong |= {} if asked.ground else {"ground": "消去の理由を書いてください。"}
    if not wrong and choices is not None:
        words = () if asked.whole else blackout.read(asked.words).words
        try:
            erase_all(database(), signed.actor.person_id, choices, ground=asked.ground, words=words)
        except Refused as refusal:
            if refusal.kind != "guard":
                raise
            wrong = {"ground" if "理由" in refusal.sentence else "rows": refusal.sentence}
        else:
            return RedirectResponse(f"/cases/{case_id}?done=erase", 303)
    again = Asked(asked.words, asked.whole, not asked.whole, asked.ticked, asked.ground, wrong)
    return _page(request, conn, signed, family, again)


def _family(conn: Connection, signed: Signed, case_id: int) -> list[View]:
    """The case and those tied to it, for who may erase. Raises `NotFound` for everybody else, and for drafts, which have no history."""
    found = traces.family(conn, signed.actor.person_id, case_id)
    if not found or found[0].id != case_id:
        raise NotFound
    return found


def _asked(posted: Fields) -> Asked:
    """What was sent, and what is wrong with the words. Raises nothing."""
    typed, whole = posted.get("words", ""), posted.get("do") == "whole"
    finding = posted.get("do") == "find"
    marks = frozenset(mark for name in ("rows", "remarks", "files") for mark in posted.getlist(name))
    words, wrong = blackout.read(typed).words, ""
    if not whole:
        if not words:
            wrong = "消す言葉を、1行に1つ書いてください。"
        elif len(words) > blackout.MOST_WORDS or max(map(len, words)) > blackout.LONGEST_WORD:
            wrong = f"言葉は{blackout.MOST_WORDS}個まで、1つ{blackout.LONGEST_WORD}字までにしてください。"
        elif found := unfit(typed):
            wrong = f"使えない文字があります({'、'.join(found)})。取り除いてください。"
    ticked = None if finding else marks
    return Asked(
        typed,
        whole,
        not wrong and not whole,
        ticked,
        posted.get("ground", "").strip(),
        {"words": wrong} if wrong else {},
    )


def _choices(family: Sequence[View], posted: Fields) -> dict[int, Choice] | None:
    """What was ticked, by case; None where nothing was, or something that this page does not offer."""
    known = {view.id for view in family}
    found: dict[int, dict[str, set[Any]]] = {}
    for name in ("rows", "remarks", "files"):
        for mark in posted.getlist(name):
            match = _MARK.fullmatch(mark)
            if match is None or int(match[1]) not in known or (match[3] is not None) is not (name == "rows"):
                return None
            place = (int(match[2]), int(match[3])) if match[3] is not None else int(match[2])
            found.setdefault(int(match[1]), {}).setdefault(name, set()).add(place)
    return {
        case: Choice(**{name: frozenset(places) for name, places in told.items()}) for case, told in found.items()
    } or None


def _page(request: Request, conn: Connection, signed: Signed, family: Sequence[View], asked: Asked) -> Response:
    members = (
        [Member(view, view is family[0], _groups(conn, view, asked)) for view in family]
        if asked.looked or asked.whole
        else []
    )
    members = [member for member in members if member.groups or member.own]
    found = sum(len(line.excerpts) + line.more or line.hidden for m in members for g in m.groups for line in g.lines)
    return page(
        request, signed, "erase.html", status=422 if asked.problems else 200, view=family[0], asked=asked, members=members, found=found,
        black=blackout.BLACK, limit=LONGEST_GROUND, related=len(family) - 1,
    )  # fmt: skip


def _groups(conn: Connection, view: View, asked: Asked) -> list[Group]:
    """What can be ticked, by what it is, so that a group that was written several times is seen together."""
    found = (
        traces.everything(conn, view)
        if asked.whole
        else traces.with_words(conn, view, blackout.read(asked.words).words)
    )
    groups: dict[str, list[Line]] = {}
    for trace in found:
        groups.setdefault(_label(view, trace), []).append(_line(view, trace, asked))
    return [Group(label, lines) for label, lines in groups.items()]


def _line(view: View, trace: Trace, asked: Asked) -> Line:
    name = {ROW: "rows", REMARK: "remarks", FILE: "files"}[trace.kind]
    # Words are found for good reason; a file goes whole, and only if somebody says so.
    ticked = trace.kind != FILE if asked.ticked is None else trace.mark in asked.ticked
    shown, more = trace.excerpts[:SHOWN], max(0, len(trace.excerpts) - SHOWN)
    if trace.event is not None:
        event = trace.event
        by = " ".join(filter(None, (event["org_name"], event["post_title"], event["actor_name"])))
        by += f"({event['acting']})" if event["acting"] else ""
        text = "" if asked.looked else _excerpt(trace)
        told = f"記録{trace.row['seq']}号「{event['action_label']}」"
        return Line(
            name,
            trace.mark,
            event["at"],
            told,
            by,
            text,
            shown,
            more,
            trace.hidden,
            trace.gone,
            ticked,
            trace.row["seq"],
        )
    who = trace.row.get("names") or {}
    by = " ".join(filter(None, (who.get("office"), who.get("post"), who.get("actor"))))
    inside = "局内のみ" if trace.row["scope"] == "internal" else "市町村と共有"
    text = _cut(trace.row["body"]) if trace.kind == REMARK and not asked.looked else ""
    told = " ・ ".join(filter(None, (trace.row["name"], trace.row["label"]))) if trace.kind == FILE else "書き込み"
    return Line(name, trace.mark, trace.row["at"], f"{told}({inside})", by, text, shown, more, False, None, ticked)


def _label(view: View, trace: Trace) -> str:
    """What a thing is, in words."""
    if trace.kind != ROW:
        return "やりとり" if trace.kind == REMARK else "ファイル(中身ごと消します)"
    assert trace.event is not None
    kind = blackout.plain(trace.row["kind"])
    head, _, name = kind.partition(":")
    if kind.startswith(history.FORM):
        group = name.partition(":")[0]
        return f"様式: {getattr(offers.words(view.process), 'group_names', {}).get(group, name)}"
    told = story.part_told(view.process, trace.event["action"], {**trace.row, "kind": kind, "erased_by": None})
    if told and "file:" not in kind:
        return f"書かれた理由など: {told['label']}"
    return NAMES.get(name.partition(":")[0] if head == "internal" else head, kind)


def _excerpt(trace: Trace) -> str:
    """The beginning of what stands there, where this reader may read it."""
    if trace.row["data"] is None or trace.row["kind"] == "shown" or trace.hidden:
        return ""
    return _cut(" / ".join(filter(None, _texts(json.loads(bytes(trace.row["data"]))))))


def _cut(text: str) -> str:
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "…"


def _texts(value: Any) -> Iterator[str]:
    return (text.strip() for text in blackout.texts(value) if not _CODE.fullmatch(text))
