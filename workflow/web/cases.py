"""The page of a case: evidence left, decision right; and the acts that its buttons post."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from states.dates import month_day
from states.kernel import Refused
from states.route_actions import BY_NAME, standing_of, waiting
from states.routes import BLOCKING, desk
from states.terms import CLOCK, Verdict, block
from workflow import (
    burden,
    cases,
    deliveries,
    diagram,
    durations,
    extending,
    foreseen,
    retention,
    routing,
    staying,
    story,
    telling,
)
from workflow.cases import Conflict, View
from workflow.db import type_connection
from workflow.deadlines import local_day
from workflow.documents import letters, records
from workflow.extending import EXTEND
from workflow.queries import ENGINE_LABELS
from workflow.rounds import KIND
from workflow.turns import BEHIND, Ledger, ledger, moves_of
from workflow.web import (
    administration,
    arrivals,
    errors,
    evidence,
    family,
    forms,
    karte,
    offers,
    papers,
    queue,
    reminded,
    route,
    seals,
    sheets,
    shown,
    thread,
)
from workflow.web.around import surroundings
from workflow.web.clashes import Clash
from workflow.web.offers import Typed
from workflow.web.posted import Fields, Posted
from workflow.web.render import Signed, clock, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()


@router.get("/cases/{case_id:int}")
def show(
    request: Request, conn: Connection, signed: SignedIn, case_id: RowId, done: str = "", same: str = ""
) -> Response:
    view = cases.look(conn, signed.actor.person_id, case_id)
    if any(one.step.kind in BLOCKING for one in standing_of(view.facts)):
        routing.mark_opened(conn, case_id, view.version, signed.actor.person_id)
    return case_page(request, conn, signed, view, arrivals.picked(view, same), done=done)


@router.post("/cases/{case_id:int}/actions/{action}")
def act(request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId, action: str) -> Response:
    """Do the act of a button. A refusal shows the same page again, with everything that was typed."""
    person = signed.actor.person_id
    view = cases.look(conn, person, case_id)
    offer = next((o for o in view.offers if o.action.name == action), None)
    rows = [row for row in view.process.table if row.name == action]
    rows += [BY_NAME[action].action(view.state.name, BY_NAME[action].asks)] if action in BY_NAME else []
    groups: dict[str, Any] | None = None
    try:
        groups = forms.taken_over(conn, signed, view, offer.action, posted) if offer else None
        cases.act(
            conn, person, case_id, action, version=sheets.number(posted.get("version", "")), key=sheets.key_of(posted),
            inputs=sheets.inputs_of(rows, posted), form=groups, saves=sheets.number(posted["saves"]) if not view.version and "saves" in posted else None,
        )  # fmt: skip
    except Clash as clash:
        return forms.clash(request, conn, signed, view, clash.found, posted, action)
    except cases.SaveClash as clash:
        if offer is None:
            raise
        view = cases.look(conn, person, case_id)
        told = (
            f"{clash.who}さんが {clock(clash.saved_at)} に書き換えました。下の内容を確かめて、もう一度押してください。"
        )
        typed = Typed(action, "", dict(posted))
        return forms.act_page(
            request, conn, signed, view, offer, typed, sheet=sheets.Sheet({}), problems=[block(told)], status=409
        )
    except cases.KeyReused:
        pass  # the key is bound to what was sent: this is the same form once more, and it was carried out
    except Conflict as conflict:
        about = " ".join(filter(None, (view.number, view.title)))
        return errors.conflict(request, conflict, _written(posted), about=about, yours=rows[0].label if rows else "")
    except Refused as refusal:
        if refusal.kind != "guard" or offer is None:
            raise
        typed = Typed(
            action, posted.get("key", ""), dict(posted), {v.field: v.sentence for v in refusal.verdicts if v.field}
        )
        if offer.action.edits or not view.version:
            if groups and forms.kept(conn, person, view, action, groups, posted):
                view = cases.look(conn, person, case_id)
            sheet = sheets.Sheet(sheets.as_typed(posted) if view.version else sheets.flat(view.form))
            return forms.act_page(
                request, conn, signed, view, offer, typed, sheet=sheet, problems=refusal.verdicts, status=422
            )
        return case_page(request, conn, signed, view, typed, problems=refusal.verdicts)
    return RedirectResponse(f"/cases/{case_id}?done={action}{queue.kept(request, signed.actor)}", 303)


def _written(posted: Fields) -> list[str]:
    """What the person wrote, without the marks that the page itself carried."""
    return [
        value
        for name, value in posted.multi_items()
        if "." in name and value.strip() and not value.startswith("drafter")
    ]


def case_page(
    request: Request,
    conn: type_connection,
    signed: Signed,
    view: View,
    typed: Typed,
    *,
    done: str = "",
    problems: Sequence[Verdict] = (),
) -> Response:
    """The whole case for one reader: the acts it offers, what speaks for and against them, what happened so far."""
    lines = story.timeline(conn, view) if view.version else []
    inner = offers.inside(view)
    names = offers.names_of(view)
    turns = _ledger(view, lines)
    usual = durations.answer(conn, view.process, view.lead, view.facts.today) if evidence.usual(view) else None
    around = surroundings(conn, signed, view.process, view.origin, view.lead, view)
    path = [view.process.initial.name, *(_to(line) for line in reversed(lines) if line["moved"])]
    asked = next((o.action for o in view.offers if o.action.name == typed.action), None)
    same = arrivals.same(conn, signed, view)
    elsewhere = arrivals.elsewhere(conn, view)
    choices = arrivals.choices(view, same, elsewhere.office_code if elsewhere else "")
    able = [offer for offer in view.offers if offer.allowed]
    told = telling.before(conn, signed.actor.person_id, view.id, able)
    turns_to = foreseen.turns(conn, signed.actor.person_id, view.id, able) if route.open_to(view) else {}
    context = around | route.context(conn, view) | queue.around(request, conn, signed, view.id, done) | {
        "came": arrivals.came(conn, view, inner), "same": same, "elsewhere": elsewhere, "linked": arrivals.linked(conn, signed, view),
        "view": view, "read": view.read, "inside": inner, "routed": route.open_to(view), "names": names, "state_word": view.ended or _state_word(view, inner), "left": _left(view, lines, names),
        "origin_word": getattr(around["words"], "origins", {}).get(view.origin, ""), "dues": offers.due_lines(view),
        "steps": diagram.step_bar(view.process, view.state.name, _notes(view, lines)),
        "map": diagram.svg(view.process, view.state.name, path) if inner else "",
        "map_words": diagram.words(view.process, view.state.name, path),
        "reminders": reminded.lines(conn, signed, view),
        "letters": story.letters(conn, view) if view.version else [], "records": records.offered(view), "events": _events(view, lines, inner, _deliveries(conn, signed, view, lines)),
        "clock": evidence.clock(view, turns) if inner and not view.ended else None, "strip": evidence.strip(view, turns, names, usual), "turn": "" if view.ended else _turn(view, signed, names), "mine": bool(_own(view, signed)),
        "verdicts": _verdicts(view, around["words"].clauses), "cards": offers.cards(view, view.offers, typed, choices=choices, told=told, turns=turns_to),
        "extends": extending.dues(view), "stays": staying.open_to(conn, view), "refused": offers.shut(view, view.offers), "editing": not view.version and bool(view.offers),
        "deciding": any(offer.action.weighs == "decider" for offer in view.offers),
        "burden": burden.of_case(conn, signed, view) if _decides(view) else [],
        "files": papers.files(conn, signed, view, back="case", done=done), "remarks": papers.remarks(conn, signed, view, back="case", done=done),
        "children": family.children(conn, view), "parent": family.parent(conn, signed.actor.person_id, view), "kartes": karte.to_read(conn, signed, view.process.places(view.form)), **thread.context(conn, signed, view),
        "difference": view.process.difference(view.form),
        "erasable": bool(view.version) and administration.ERASES in signed.actor.roles,
        "disposal": any(step["ask"] == retention.ASK for step in view.steps) and retention.ANSWERS in view.roles,
        "problems": sheets.listed(problems, asked), "refused_label": asked.label if asked else "", "notice": _notice(view, names, done),
    }  # fmt: skip
    return page(request, signed, "case.html", status=422 if problems else 200, **context)


def _ledger(view: View, lines: Sequence[Mapping[str, Any]]) -> Ledger:
    """Whose the business days of the case were, from its events as the page has them, the newest first."""
    return ledger(moves_of(reversed(lines)), view.process, view.origin, view.facts.calendar, view.facts.today)


@router.get("/cases/{case_id:int}/letters/{kind}")
def letter(conn: Connection, signed: SignedIn, case_id: RowId, kind: str) -> Response:
    """A letter of the case as it was filed, to be printed."""
    return HTMLResponse(letters.render(conn, case_id, kind, signed.actor.person_id))


@router.get("/cases/{case_id:int}/print")
def paper(request: Request, conn: Connection, signed: SignedIn, case_id: RowId) -> Response:
    """The form of the case on paper."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    around, names = surroundings(conn, signed, view.process, view.origin, view.lead, view), offers.names_of(view)
    turns = _ledger(view, story.timeline(conn, view) if view.version else [])
    return page(
        request,
        signed,
        "case_print.html",
        view=view,
        read=view.read,
        names=names,
        strip=evidence.on_paper(evidence.strip(view, turns, names, None)),
        part=[f"{view.process.key}/print.html", "form_print.html"],
        then=None,
        **around,
    )


@dataclass(frozen=True)
class Notice:
    """What was just done, on top of the page."""

    title: str
    text: str


def _notice(view: View, names: Mapping[str, str], done: str) -> Notice | None:
    if done == "save":
        saved = (view.working or {}).get("saves", 1) if view.version else view.saves + 1
        return Notice(f"書いた内容を残しました(第{saved}版)", "まだどこにも届いていません。続きはいつでも書けます。")
    if done in ENGINE_LABELS:
        return Notice(f"「{ENGINE_LABELS[done]}」を行いました", "取り消せない記録として残しました。")
    label = next((row.label for row in view.process.table if row.name == done), "")
    if not label:
        return None
    holder = names.get(view.holder, "")
    turn = "この案件は終わりました。" if view.state.final else f"いまの手番は{holder}です。" if holder else ""
    turn = (waiting(view.facts) if route.open_to(view) else "") or turn
    return Notice(
        f"「{label}」を行いました", f"{turn}取り消せない記録として残しました。" if not view.state.final else turn
    )


def _left(view: View, lines: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Notice | None:
    """What is said above a case that the reader's organisation has left."""
    if not view.ended:
        return None
    until = f"ここに見えるのは、記録{view.version}号({clock(lines[0]['at'])})までの内容です。"
    return Notice(f"{view.ended}の案件です", f"{until}そのあとのことは、{names['bureau']}に聞いてください。")


def _state_word(view: View, inner: bool) -> str:
    """The state's own name for the offices and for its holder; to others the public step."""
    own = inner or view.state.final or view.holder in view.roles
    return view.state.label if own else f"「{view.state.step}」の段階"


def _verdicts(view: View, clauses: Mapping[str, str]) -> list[offers.Judged]:
    """What the rules say of the acts this reader has; the main act first, since its levels count."""
    ordered = sorted(view.offers, key=lambda o: not o.action.main)
    found = [v for offer in ordered for v in offer.verdicts if v.rule] + _on_the_way(view)
    return offers.judged(found, clauses, offers.reasons_of(view.form))


def _on_the_way(view: View) -> list[Verdict]:
    """What the rules say of the decision itself, for the offices that answer for it before it is taken, or wait for it."""
    matter = view.process.matter(view.state.name)
    if matter is None or not route.open_to(view) or matter.role in view.facts.roles:
        return []
    rows = [view.process.row(name, view.facts) for name in sorted(matter.decides)]
    return [v for row in rows if row is not None and row.main for v in row.verdicts(view.facts) if v.rule]


def _turn(view: View, signed: Signed, names: Mapping[str, str]) -> str:
    mine = _own(view, signed)
    if view.state.final and not mine:
        return view.state.outcome or view.state.label
    if not mine and not offers.inside(view) and view.holder not in view.roles:
        return f"いまの手番は{names.get(BEHIND.get(view.holder, view.holder), '')}です"
    lines = {line.due_at: f"({line.day}まで ・ {line.left})" for line in offers.due_lines(view)}
    names = {**names, **seals.desks(view)}
    steps = view.steps if offers.inside(view) and not view.state.final else mine
    asks = [f"{names.get(step['role'], step['role'])}: {step['ask']}{lines.get(step['due_at'], '')}" for step in steps]
    return "、".join(dict.fromkeys(asks)) or f"いまの手番は{names.get(view.holder, '')}です"


def _decides(view: View) -> bool:
    """Whether the reader has the case before him to decide it, or to answer for it on its way."""
    weighs = any(offer.action.weighs == "decider" for offer in view.offers)
    return weighs or any(one.step.kind in BLOCKING for one in standing_of(view.facts))


def _own(view: View, signed: Signed) -> list[Mapping[str, Any]]:
    """The open items of the case that wait for this reader."""
    desks = {(post.org_code, role) for post in signed.actor.posts for role in (post.role, desk(post.id))}
    return [
        step for step in view.steps
        if (step["org_code"], step["role"]) in desks and step["person_id"] in (None, signed.actor.person_id)
    ]  # fmt: skip


def _notes(view: View, lines: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """A line under each public step: from when to when the case was in it, or by when it is promised."""
    notes: dict[str, str] = {}
    spans: dict[str, list[str]] = {}
    if lines:
        spans[view.process.initial.step] = [month_day(local_day(lines[-1]["at"]))]
    for line in reversed(lines):
        spans.setdefault(view.process.state(_to(line)).step, []).append(month_day(local_day(line["at"])))
    for step, days in spans.items():
        notes[step] = days[0] if days[0] == days[-1] else f"{days[0]}〜{days[-1]}"
    promised = offers.whole_case_due(view)
    if promised:
        notes[view.state.step] = next(
            f"{d.label} {d.day}" for d in offers.due_lines(view) if d.due_at == promised["due_at"]
        )
    return notes


def _to(line: Mapping[str, Any]) -> str:
    """The state that an event led to."""
    found: str = json.loads(line["body"])["to"]
    return found


@dataclass(frozen=True)
class Told:
    """A line of what an event carries."""

    label: str
    text: str
    inside: bool


def _deliveries(
    conn: type_connection, signed: Signed, view: View, lines: Sequence[Mapping[str, Any]]
) -> Mapping[int, str]:
    """What became of each event's notices: all of it for the offices, to others what concerns their own people."""
    if view.ended:
        return {}
    orgs = None if offers.inside(view) else sorted(signed.actor.orgs)
    return deliveries.of_events(conn, view.id, [line["seq"] for line in lines], orgs=orgs)


def _events(
    view: View, lines: Sequence[Mapping[str, Any]], inner: bool, delivered: Mapping[int, str]
) -> list[dict[str, Any]]:
    """The events, newest first; who stands outside sees those that were theirs or were told to them."""
    told: list[dict[str, Any]] = []
    again = inner and view.may_read("shown")
    for line in lines:
        rows = [row for row in view.process.table if row.name == line["action"]]
        known = any((row.by | row.tells) & view.roles for row in rows) or (line["action"] == EXTEND and line["shown"])
        if not inner and not known:
            continue
        moved = f"({line['from_label']} → {line['to_label']})" if inner and line["moved"] else ""
        by = " ".join(filter(None, (line["org_name"], line["post_title"], line["actor_name"] if inner else "")))
        acting = line["acting"] if inner and view.may_read(KIND) else line["acting_outside"]
        by += f"({acting})" if acting else ""
        parts = [
            Told(
                part["label"],
                f"消去済み(記録{part['erased_by']}号)" if part["text"] is None else str(part["text"]),
                part["internal"],
            )
            for part in line["shown"]
        ]
        parts += [Told("知らせ", delivered[line["seq"]], False)] if delivered.get(line["seq"]) else []
        told.append(
            {
                "at": line["at"],
                "tag": "自動" if line["actor"] == CLOCK else line["holder"],
                "text": f"{line['action_label']}{moved}",
                "by": by,
                "lines": parts,
                "now": not told,
                "screen": line["seq"] if again and shown.decides(view.process, line["action"]) else 0,
            }
        )
    return told
