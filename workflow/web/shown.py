"""「決裁時の画面」: what a decider had on the screen, built again from history; what was erased since and what differs now is marked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from states import figures, routes
from states.dates import wareki
from states.kernel import Process
from states.route_actions import BY_NAME, CONSENTER, REVIEWER, VERBS
from states.seats import Seats
from states.terms import Level, Verdict
from workflow import cases, differences, ended, history, rounds, seating, story
from workflow.blackout import filled
from workflow.called import Called, teller
from workflow.cases import View
from workflow.deadlines import local_day
from workflow.differences import Line
from workflow.ended import Past
from workflow.loading import NotFound
from workflow.queries import _dicts, label_of, named
from workflow.web import offers, papers, seals
from workflow.web.around import surroundings
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

EVENT = "SELECT e.case_id, e.seq, e.at, e.action, e.actor, e.post, e.office, e.body, e.hash FROM event e WHERE e.case_id = %(case)s AND e.seq = %(seq)s"
MOST_FIGURES = 40
ANSWERS = frozenset(verb.name for verb in VERBS if not verb.rare and verb.by & {REVIEWER, CONSENTER})


@dataclass(frozen=True)
class Decided:
    """An act as its record tells it: who, for whom, when; what was typed and held against the rules."""

    label: str
    by: str
    at: datetime
    day: str
    seq: int
    version: int
    written: tuple[tuple[str, str], ...]
    judged: tuple[offers.Judged, ...]
    figures: tuple[tuple[str, str], ...]
    erased: str  # of the verdicts and figures themselves
    rows: int  # content rows that stood on the screen
    whole: bool  # whether they are those that the record before the act names
    head: str
    judged_at: int = 0  # the earlier record that the verdicts come from, where the act itself was held against no rule


@dataclass(frozen=True)
class Screen:
    """A past act, the case as it stood before it, and what was kept of the screen; `view` is the case now."""

    view: View
    then: View
    past: Past
    event: Mapping[str, Any]
    body: Mapping[str, Any]
    shown: Mapping[str, Any]
    kept: Mapping[str, Any] | None
    rows: list[dict[str, Any]]
    judged: tuple[int, Sequence[Any]]  # the last verdicts recorded before the act, with the record that has them


@router.get("/cases/{case_id:int}/shown/{seq:int}")
def show(request: Request, conn: Connection, signed: SignedIn, case_id: RowId, seq: RowId) -> Response:
    """The screen of a past decision, for who may read what deciders are shown."""
    screen = _screen(conn, signed, case_id, seq)
    view, then = screen.view, screen.then
    around = surroundings(conn, signed, view.process, view.origin, view.lead, then)
    decided = _decided(conn, screen, around["words"])
    return page(request, signed, "case_shown.html", **(around | {
        "view": then, "read": then.read, "now": view, "names": offers.names_of(view), "inside": True, "decided": decided,
        "boxes": _route(conn, then, screen.past.seq), "files": papers.stood(conn, view, screen.past.seq), "others": papers.shared_with(view),
        "sheet": f"/cases/{view.id}/shown/{seq}/print",
        "later": _later(conn, view, then), "added": _added(view, then, around["words"]), "gone": _gone(then, around["words"]), "difference": view.process.difference(then.form),
    }))  # fmt: skip


@router.get("/cases/{case_id:int}/shown/{seq:int}/print")
def paper(request: Request, conn: Connection, signed: SignedIn, case_id: RowId, seq: RowId) -> Response:
    """The form on paper as it stood on the screen of a past decision, never today's."""
    screen = _screen(conn, signed, case_id, seq)
    view, then, event = screen.view, screen.then, screen.event
    label = label_of(view.process, event["action"], screen.body["from"])
    around = surroundings(conn, signed, view.process, view.origin, view.lead, then)
    return page(request, signed, "case_print.html", **(around | {
        "view": then, "read": then.read, "names": offers.names_of(view), "strip": None, "part": [f"{view.process.key}/print.html", "form_print.html"],
        "then": {"seq": seq, "label": label, "day": wareki(local_day(event["at"])), "version": then.version},
    }))  # fmt: skip


def _screen(conn: Connection, signed: Signed, case_id: int, seq: int) -> Screen:
    """What was on the screen of an act. Raises `NotFound`, also for who may not read what deciders are shown."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    if not view.may_read("shown") or not offers.inside(view) or seq > view.version:
        raise NotFound
    found = _dicts(conn, EVENT, {"case": case_id, "seq": seq})
    every = list(filled(story.content_rows(conn, view)))
    rows = [row for row in every if row["seq"] == seq]
    kept = next((row for row in rows if row["kind"] == "shown"), None)
    if not found or (kept is None and not decides(view.process, found[0]["action"])):
        raise NotFound
    event = named(conn, found)[0]
    body = json.loads(event["body"])
    shown = json.loads(bytes(kept["data"])) if kept is not None and kept["data"] is not None else {}
    version = int(shown.get("version", seq - 1))
    past = ended.as_they_were(conn, {case_id: version}).get(case_id) if version else None
    if past is None:
        raise NotFound
    then, judged = as_it_was(view, past, body["from"], event["at"]), _judged_before(every, past.seq)
    return Screen(view, then, past, event, body, shown, kept, rows, judged)


def _judged_before(rows: Sequence[Mapping[str, Any]], version: int) -> tuple[int, Sequence[Any]]:
    """What the rules last said up to that version, and the record that has it: who answers a route reads that."""
    kept = [row for row in rows if row["kind"] == "shown" and row["seq"] <= version and row["data"] is not None]
    for row in sorted(kept, key=lambda row: row["seq"], reverse=True):
        if found := json.loads(bytes(row["data"])).get("verdicts"):
            return row["seq"], found
    return 0, ()


def decides(process: Process, action: str) -> bool:
    """Whether an act decided, gave the case back, or answered a route: its screen can be opened again."""
    if action in BY_NAME:
        return BY_NAME[action].main or action in ANSWERS
    rows = [row for row in process.table if row.name == action]
    ends = frozenset().union(*(matter.decides | matter.returns for matter in process.matters))
    return action in ends or any(row.weighs == "decider" for row in rows)


def as_it_was(view: View, past: Past, state: str, at: datetime) -> View:
    """The case for the same reader as it stood at an earlier version; nothing can be done on it."""
    form = {
        group: part for group, part in past.form.items() if view.process.reads(history.FORM + group, view.roles, state)
    }
    told, read = past.told, view.process.reading(form)
    facts = replace(view.facts, state=state, form=form, read=read, today=local_day(at), memo={})
    erased = {group: part["erased"] for group, part in form.items() if set(part) == {"erased"}}
    return replace(
        view, number=told["number"], title=past.title, lead=told["lead"], state=view.process.state(state), version=past.seq, form=form,
        read=read, facts=facts, offers=[], steps=[], deadlines=[], working=None, editable=frozenset(), erased=erased, now=at,
        head_hex=past.digest.hex(),
    )  # fmt: skip


def _decided(conn: Connection, screen: Screen, words: Any) -> Decided:
    view, event, past, shown, kept = screen.view, screen.event, screen.past, screen.shown, screen.kept
    called = Called(conn)
    rows = [row for row in screen.rows if view.may_read(row["kind"])]
    parts = [story.part_told(view.process, event["action"], row, called) for row in rows]
    written = [(p["label"], p["text"] or f"消去済み(記録{p['erased_by']}号)") for p in parts if p]
    gone = kept is not None and kept["data"] is None
    before = [ref[:3] for ref in past.told["content"]]
    at, known = (0, shown.get("verdicts", ())) if shown.get("verdicts") or gone else screen.judged
    own = [Verdict(Level(level), sentence, field, rule) for level, rule, field, sentence in known]
    return Decided(
        label_of(view.process, event["action"], screen.body["from"]), by(event), event["at"], wareki(local_day(event["at"])), event["seq"], past.seq,
        tuple(written), tuple(offers.judged(own, words.clauses, offers.reasons_of(past.form))),
        tuple(figures.told(past.process.wording.figures, shown.get("computed") or {}))[:MOST_FIGURES],
        f"消去済み(記録{kept['erased_by']}号)" if gone and kept else "", len(shown.get("rows", before)), shown.get("rows", before) == before,
        shown.get("head") or past.digest.hex(), at,
    )  # fmt: skip


def by(event: Mapping[str, Any]) -> str:
    """Who did it, with office and post, and for whom."""
    who = " ".join(filter(None, (event["org_name"], event["post_title"], event["actor_name"])))
    return f"{who}({event['acting']})" if event.get("acting") else who


def _route(conn: Connection, then: View, version: int) -> seals.Boxes | None:
    """The route as it stood on that screen."""
    one = rounds.at(rounds.written(conn, replace(then, version=version)), version)
    route = one.route if one else routes.of(then.form)
    seats = seating.posts_on(conn, sorted({step.post for step in route.open}), then.facts.today) if route else Seats()
    return seals.boxes(then, route, seats) if route else None


def _later(conn: Connection, view: View, then: View) -> list[Line]:
    """What is no longer as it was on that screen: before, now."""
    return differences.between(
        teller(conn, view.process), then.form, view.form, {group.partition(":")[0] for group in then.form}
    )


def _added(view: View, then: View, words: Any) -> list[str]:
    """The parts of the form that were written only afterwards."""
    called = getattr(words, "group_names", {})
    heads = {group.partition(":")[0] for group in then.form} | {routes.GROUP}
    return sorted(
        {called.get(head, "様式の一部") for group in view.form if (head := group.partition(":")[0]) not in heads}
    )


def _gone(then: View, words: Any) -> list[tuple[str, int]]:
    """The parts of that screen that were erased since, with the event."""
    called = getattr(words, "group_names", {})
    return [(called.get(group.partition(":")[0], "様式の一部"), seq) for group, seq in sorted(then.erased.items())]
