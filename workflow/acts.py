"""What an act brings about, worked out as parameters of the one write: no database here, only the decision's results."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from states import thread
from states.calendar import CalendarEnds
from states.kernel import Move, Process, Refused
from states.route_actions import waiting
from states.routes import GROUP
from states.terms import CLOCK, STAY, Action, Ask, Facts
from workflow import deadlines, history, numbers, routing
from workflow.access import DESKS, PARTS, PostHeld
from workflow.loading import Loaded, instant, microseconds

WEIGHED = ("reasons", "confirm")  # inputs that answer warnings, a text for each rule
CLOCK_NAMES = {"actor": "時計(自動)", "post": "", "office": ""}


def work_out(case: Loaded, action: str, inputs: Mapping[str, Any], groups: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the process; return every row of the act. Raises `Refused`, also where the calendar ends before a deadline."""
    try:
        return _worked_out(case, action, inputs, groups)
    except CalendarEnds as ends:
        raise Refused("guard", f"期限を数えられません。何も変えていません。{ends}") from ends


def _worked_out(case: Loaded, action: str, inputs: Mapping[str, Any], groups: Mapping[str, Any]) -> dict[str, Any]:
    process, facts, row = case.process, case.facts, case.row
    facts.inputs = answers(inputs)
    rows = [r for r in process.table if r.name == action and facts.state in r.source]
    if rows and not {group.partition(":")[0] for group in groups} <= frozenset().union(*(r.edits for r in rows)):
        raise Refused(
            "role", "この操作では書き換えられない内容が含まれています。何も変えていません。最新の画面を開いてください。"
        )
    if groups:
        # Judged on the form it takes over.
        facts.form, facts.read = taken_over(process, row.form, groups)
        _picked(case, groups)
    fitting = process.row(action, facts)
    parent = facts.registers.get("parent")
    drawn = numbers.draw(fitting.numbers if fitting else (), row, facts.directory, mark=process.mark, parent=parent)
    texts = {kind: one.text for kind, one in drawn.items()}
    acting = next((case.held[role] for role in case.held if fitting and role in fitting.by), None)
    facts.registers = {
        **facts.registers, "numbers": texts, "edited": frozenset(groups), "lead": row.lead,
        "acting_org": as_written(case, acting.org_code) if acting else "",
    }  # fmt: skip
    try:
        move = process.decide(facts, action)
    except Refused as refusal:
        waits = waiting(facts) if refusal.kind == "role" else ""
        raise Refused("role", f"{refusal.sentence}{waits}何も変えていません。") if waits else refusal from refusal
    form = form_after(facts.after(move.source, facts.form, facts.read, facts.number), move.action)
    number = texts.get("case") or texts.get("branch") or row.number
    files = facts.registers.get("files", ())
    params = _rows(case, move, form, number, _parts(case, move, inputs) + [file_part(file) for file in files])
    params["rows"]["files"] = [file["id"] for file in files]
    counted = [one for one in drawn.values() if one.counter]
    params |= {
        "n_kind": [one.counter for one in counted], "n_value": [one.seen for one in counted], "n_count": len(counted),
        "n_seen": json.dumps({one.counter: one.seen for one in counted}),
        "fiscal_year": row.fiscal_year, "counts": row.lead, "takes": bool(groups) and row.version > 0,
        "taken": [*groups, f"~{action}"],
    }  # fmt: skip
    return params


def _picked(case: Loaded, groups: Mapping[str, Any]) -> None:
    """Raises `Refused` where something was picked that the lists do not offer now; of a record, what stood there may stay."""
    form, lists = case.process.form, case.facts.registers.get("offered")
    if form is None or lists is None:
        return
    strange = list(form.strange(groups, case.row.form if case.row.version else {}, lists))
    if strange:
        sentences = dict.fromkeys(verdict.sentence for verdict in strange)
        raise Refused("guard", f"{''.join(sentences)}何も変えていません。", strange)


def file_part(file: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What an event says of a file that it records: everything but the bytes."""
    inside = "internal:" if file["scope"] == "internal" else ""
    keys = ("id", "name", "size", "sha256", "media_type", "scope", "label")
    return f"{inside}file:{file['id']}", {key: file[key] for key in keys}


def taken_over(process: Process, form: Mapping[str, Any], groups: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """The form with these groups laid over it, and the process's reading of it. Raises `Refused` for what is no such form."""
    if not history.keepable(groups):
        raise Refused(
            "guard",
            "保存できない文字(NUL など)が入っています。何も変えていません。その文字を消して、もう一度送ってください。",
        )
    laid = {**form, **groups}
    try:
        if any(set(part) == {"erased"} for part in groups.values()):
            raise ValueError
        if form and process.fixed(form) not in (None, process.fixed(laid)):
            raise ValueError
        return laid, process.reading(laid)
    except (TypeError, ValueError):
        raise Refused(
            "guard",
            "様式にない項目か、形の合わない値が含まれています。何も変えていません。最新の画面を開いてください。",
        ) from None


def answers(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was typed with the act: texts, and a text for each warning. Raises `Refused` for anything else."""
    weighed = [inputs.get(name) or {} for name in WEIGHED]
    texts = [value for name, value in inputs.items() if name not in WEIGHED and value is not None]
    texts += [text for answers in weighed if isinstance(answers, Mapping) for text in answers.values()]
    shaped = all(isinstance(answers, Mapping) for answers in weighed) and all(isinstance(text, str) for text in texts)
    if not shaped or not history.keepable(inputs):
        raise Refused(
            "guard",
            "読み取れない値か、保存できない文字が入力に含まれています。何も変えていません。もう一度書いてください。",
        )
    return inputs


def note(
    case: Loaded, action: str, parts: Sequence[tuple[str, Any]], form: Mapping[str, Any] | None = None,
    kept: Sequence[str] = (), by: tuple[str, PostHeld] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The rows of an event that moves nothing: a letter filed, a file added, content erased.

    `kept` are field groups whose reference stands although the form shows them differently (erased ones); `by` the
    person's id and post, the clock where there is none.
    """
    return concern(case, action, parts, form=form, kept=kept, by=by) | {
        "moved": False,
        "rows": {},
        "place": case.row.place,
    }


def concern(
    case: Loaded, action: str, parts: Sequence[tuple[str, Any]], *, form: Mapping[str, Any] | None = None,
    kept: Sequence[str] = (), by: tuple[str, PostHeld] | None = None, joins: Sequence[tuple[str, str]] = (),
    leaves: Sequence[tuple[str, str]] = (), leads: str = "", heirs: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The rows of an event that the engine writes without a move, but after which others may be asked.

    A child case moved, or an organisation was succeeded by another: `joins` and `leaves` are (part, organisation), `leads`
    is who leads from then on, `heirs` who stands in whose place.
    """
    if heirs:
        case.facts.registers = {**case.facts.registers, "heirs": {**_heirs(case), **heirs}}
    row = Action(
        action,
        (case.row.state,),
        STAY,
        action,
        frozenset({CLOCK}),
        parties=lambda facts: joins,
        leaves=lambda facts: leaves,
        leads=lambda facts: leads or case.row.lead,
    )
    stay = Move(row, case.row.state, case.row.state, ())
    params = _rows(case, stay, dict(form or case.row.form), case.row.number, list(parts), kept, by)
    return params | {"n_kind": [], "n_value": [], "n_count": 0, "takes": False}


def moved_to(
    case: Loaded, action: str, days: Mapping[str, date], parts: Sequence[tuple[str, Any]], tells: Sequence[str],
    by: tuple[str, PostHeld] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The rows of an event that moves running deadlines (by kind) to other days, and with them by when the desks are asked.

    The old row is closed and another opens, so that the new day reminds anew; the item of an inbox stays the same one.
    """
    params = note(case, action, parts, by=by)
    lead, parties = case.row.lead, [[p["part"], p["org"]] for p in case.parties if p["to"] is None]
    running = {row.kind: row for row in standing(case) if row.open}
    items = {item.kind: item for item in case.process.deadlines}
    before = {kind: row.due_at for kind, row in running.items()}
    after = before | {kind: deadlines.end_of(day) for kind, day in days.items()}
    steps = {(org, role, person, ask, due): i for i, org, role, person, ask, due in case.row.steps or ()}
    asked = [
        (steps.get(desk_of(ask, case, parties, before, lead)), desk_of(ask, case, parties, after, lead))
        for ask in case.process.inbox(case.facts)
        if days.keys() & set(ask.deadlines)
    ]
    moved = {found: step for found, step in asked if found is not None}
    waited = routing.awaited(case.process, case.row.state, case.row.form)
    opened = [
        {"kind": kind, "holder": items[kind].holder, "move": items[kind].move, "due": microseconds(after[kind]),
         "planned": microseconds(running[kind].planned or running[kind].due_at)}
        for kind in days
    ]  # fmt: skip
    told = {"tells": sorted(tells), "asks": [list(step[:4]) for found, step in asked if found is not None]}
    return params | {
        "rows": {
            "deadlines_close": [{"id": running[kind].id, "days": None} for kind in days],
            "deadlines_open": opened,
            "steps_move": [{"id": found, "due": step[4]} for found, step in asked if found is not None],
            "waits": routing.waits(
                case, steps, [moved.get(found, step) for step, found in steps.items()], waited, waited
            ),
            "outbox": [{"kind": "notice", "payload": told}],
        }
    }


def stay(case: Loaded, move: Move, form: dict[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of an act that changes what stands in the form, not where the case is."""
    params = _rows(case, move, form, case.row.number, _parts(case, move, inputs))
    return params | {"n_kind": [], "n_value": [], "n_count": 0, "takes": False, "taken": [f"~{move.action.name}"]}


def standing(case: Loaded) -> list[deadlines.Standing]:
    """The deadlines of a case as they stand, open and paused."""
    return [
        deadlines.Standing(i, kind, instant(due), is_open, left, None if planned is None else instant(planned))
        for i, kind, due, is_open, left, planned in case.row.deadlines or ()
    ]


def form_after(facts: Facts, action: Action) -> dict[str, Any]:
    """The form with what the act itself writes: asked inputs that belong in it, and the row's own record."""
    form = dict(facts.form)
    for ask in action.asks:
        if ask.into and facts.inputs.get(ask.name) not in (None, ""):
            group, key = _place(ask.into, facts).split(".")
            form[group] = {**_standing(form, group), key: facts.inputs[ask.name]}
    if action.record:
        for group, value in action.record(facts.after(facts.state, form, facts.read, facts.number)).items():
            form[group] = {**_standing(form, group), **value}
    return form


def _place(into: str, facts: Facts) -> str:
    """Where an input is kept; {acting_org} stands for the actor's organisation, {name} for another input of the act."""
    return (
        into.format_map({**facts.inputs, "acting_org": facts.registers.get("acting_org", "")}) if "{" in into else into
    )


def _standing(form: Mapping[str, Any], group: str) -> Mapping[str, Any]:
    """What a field group says; one that was erased is begun anew."""
    part: Mapping[str, Any] = form.get(group, {})
    return {} if set(part) == {"erased"} else part


def _parts(case: Loaded, move: Move, inputs: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Content that belongs to this event alone: what was typed, and the verdicts and figures it was decided on."""
    parts: list[tuple[str, Any]] = [
        (("internal:" if ask.internal else "input:") + ask.name, inputs[ask.name])
        for ask in move.action.asks
        if not ask.into and inputs.get(ask.name) not in (None, "")
    ]
    for name in WEIGHED:
        parts += [(f"internal:{name}.{rule}", text) for rule, text in sorted((inputs.get(name) or {}).items())]
    if move.verdicts:
        computed = case.process.computed(case.facts) if case.process.computed else None
        shown: dict[str, Any] = {
            "verdicts": [[v.level, v.rule, v.field, v.sentence] for v in move.verdicts],
            "computed": computed,
        }
        if move.action.weighs == "decider":
            # What was decided is what was shown: version, head and the content rows on the decider's screen.
            shown |= {
                "version": case.row.version, "head": case.row.head.hex() if case.row.head else None,
                "template": case.process.version, "rows": [ref[:3] for ref in (case.body or {}).get("content", [])],
            }  # fmt: skip
        parts.append(("shown", shown))
    return parts


def _rows(case: Loaded, move: Move, form: dict[str, Any], number: str | None, parts: list[tuple[str, Any]],
          kept: Sequence[str] = (), by: tuple[str, PostHeld] | None = None) -> dict[str, Any]:  # fmt: skip
    """Every row of one event in the case's new state."""
    row, process, action, seq = case.row, case.process, move.action, case.row.version + 1
    actor = by[0] if by else case.facts.actor
    post = by[1] if by else next((case.held[role] for role in case.held if role in action.by), None)
    office = post.org_code if post else row.lead
    before = row.form if row.version else {}
    after, changed = led(case, move, form, number, post, kept)
    form = {**after.form}
    current = {(p["part"], p["org"]) for p in case.parties if p["to"] is None}
    known = {(p["part"], p["org"]) for p in case.parties}
    heirs = _heirs(case)
    # The form knows an organisation by the code that was written; a successor may stand in its place by now.
    left = [pair for part, org in _pairs(action.leaves, after) for pair in ((part, org), (part, heirs.get(org, org)))]
    leaving = [pair for pair in dict.fromkeys(left) if pair in current]
    staying = current - set(leaving)
    came = dict.fromkeys((part, heirs.get(org, org)) for part, org in _pairs(action.parties, after))
    joining = [pair for pair in came if pair not in staying]
    parties = sorted([part, org] for part, org in staying | set(joining))
    lead = action.leads(after) if action.leads else row.lead
    names, one = CLOCK_NAMES, routing.standing(case, action.by)
    if post is not None:
        names = {"actor": row.person_name or "", "post": " ".join(filter(None, (post.section, post.title))),
                 "office": _name(case, post.org_code)} | routing.for_whom(case, action.by)  # fmt: skip
    own = [(history.FORM + group, form[group]) for group in changed]
    own += [("parties", parties)] if joining or leaving or not row.version else []
    own += [] if row.version else [history.opened(row.origin, row.opened_by, row.opened_us, row.parent_id)]
    rows = history.contents(seq, [*own, ("names", names), *parts])
    refs = history.references((case.body or {}).get("content", []), rows)
    post_text = str(post.id) if post else CLOCK
    rounds = (case.body or {}).get("round", 0) + (action.weighs == "drafter")
    body = history.event_body(
        case=row.id, seq=seq, at=row.now_us, action=action.name, source=move.source, dest=move.dest,
        process=(process.key, process.version, process.digest), actor=actor, post=post_text, office=office,
        lead=lead, round_no=rounds, number=number, content=refs,
        acting_for=str(one.for_person) if one and one.acting == routing.DEPUTY else None,
    )  # fmt: skip
    plan = deadlines.plan(case.declared, action.name, move.source if row.version else "", after, standing(case))
    kinds = {desk_of(ask, case, parties, plan.due, lead): ask.kind for ask in process.inbox(after)}
    wanted, awaited = [*kinds], routing.awaited(process, after.state, after.form)
    waited = routing.awaited(process, row.state, row.form)
    open_steps = {(org, role, person, ask, due): i for i, org, role, person, ask, due in row.steps or ()}
    opening = [step for step in wanted if step not in open_steps]
    ledger = sorted(set(process.assigned(after))) if process.assigned else []
    before_it = case.facts.after(row.state, row.form, case.read, row.number)
    was = sorted(set(process.assigned(before_it))) if process.assigned and before else []
    asks = [[org, role, person, ask] for org, role, person, ask, _ in opening]
    told: dict[str, Any] = {"tells": sorted(action.tells), "asks": asks}
    dropped = routing.dropped(process, move, row.form, after.form)
    told |= {"posts": dropped} if dropped else {}
    effects = [("notice", told)] if action.tells or asks or dropped else []
    effects += [(f"letter:{letter}", {"letter": letter}) for letter in action.letters]
    return {
        "case": row.id, "version": row.version, "saves": row.saves, "acted_at": row.acted_at, "state": move.dest, "number": number,
        "title": process.title(form),
        "place": process.place(form) or row.place, "lead": lead, "open": not process.state(move.dest).private,
        "opens": action.opens(after) if action.opens else (),
        "actor": actor, "at": row.now_us, "form": history.canonical(form), "post": post.id if post else None,
        "action": action.name, "post_text": post_text, "office": office, "previous": row.head, "body": body,
        "hash": history.event_hash(row.head, body), "person": None, "moved": True,
        "c_ord": [r.ord for r in rows], "c_kind": [r.kind for r in rows], "c_digest": [r.digest for r in rows],
        "c_salt": [r.salt for r in rows], "c_data": [r.data for r in rows],
        "rows": {
            "parties": [{"org": org, "part": part} for part, org in joining if (part, org) not in known],
            "returning": [{"org": org, "part": part} for part, org in joining if (part, org) in known],
            "leaving": [{"org": org, "part": part} for part, org in leaving],
            "links": _ties(case, after, action),
            "steps_close": [i for step, i in open_steps.items() if step not in wanted],
            "steps_open": [
                {"org": s[0], "role": s[1], "person": s[2], "ask": s[3], "due": s[4], "kind": kinds[s], "awaited": awaited} for s in opening
            ],
            "steps_await": [
                {"id": i, "awaited": awaited} for step, i in open_steps.items()
                if step in kinds and awaited != waited
            ],
            "waits": routing.waits(case, open_steps, wanted, waited, awaited),
            "deadlines_close": [{"id": i, "days": left} for i, left in plan.close],
            "deadlines_open": [{"kind": d[0], "holder": d[1], "move": d[2], "due": microseconds(d[3])} for d in plan.open],
            "assignments": None if ledger == was else [{"person": p, "day": day.isoformat(), "half": half} for p, day, half in ledger],
            "outbox": [{"kind": kind, "payload": payload} for kind, payload in effects],
        },
    }  # fmt: skip


def _ties(case: Loaded, after: Facts, action: Action) -> list[dict[str, Any]]:
    """The cases that this one is tied to by the act; by its first event also the one that it came of."""
    begun = thread.of(after.form) if not case.row.version else None
    came = [{"kind": begun.kind, "other": begun.case}] if begun else []
    return came + [{"kind": kind, "number": other} for kind, other in (action.links(after) if action.links else ())]


def led(
    case: Loaded, move: Move, form: dict[str, Any], number: str | None, post: PostHeld | None, kept: Sequence[str] = ()
) -> tuple[Facts, list[str]]:
    """The case as a move with this form leaves it, its route laid, and the field groups that are others. Raises `Refused`."""
    before = case.row.form if case.row.version else {}
    # The route is no part of what the process reads.
    read = case.read if {**form, GROUP: None} == {**case.row.form, GROUP: None} else case.process.reading(form)
    after = case.facts.after(move.dest, form, read, number)
    changed = [group for group in form if form[group] != before.get(group) and group not in kept]
    route = routing.laid(case, move, after, changed, post)
    if route is not None:
        after.form = {**form, GROUP: route}
        changed += [GROUP] if route != before.get(GROUP) and GROUP not in changed else []
    return after, changed


def _pairs(told: Callable[[Facts], Sequence[tuple[str, str]]] | None, facts: Facts) -> list[tuple[str, str]]:
    """What a row says of parts and organisations, each pair once."""
    return list(dict.fromkeys((part, org) for part, org in told(facts))) if told else []


def desk_of(
    ask: Ask, case: Loaded, parties: Sequence[Sequence[str]], due_at: Mapping[str, datetime], lead: str
) -> routing.Desk:
    """The desk of a holder: the one named, that of whose part makes the holder of it, headquarters', or the leading office's."""
    org = _heirs(case).get(ask.org, ask.org) or lead
    own = {part for part, role in PARTS.get(ask.holder, {}).items() if role == ask.holder} - {"lead"}
    if not ask.org and own:
        org = next((org for part, org in parties if part in own), lead)
    elif ask.holder == "headquarters":
        org = case.row.headquarters
    due = min((due_at[kind] for kind in ask.deadlines if kind in due_at), default=deadlines.FAR)
    return org, DESKS.get(ask.holder, ask.holder), ask.person, ask.label, microseconds(due)


def _heirs(case: Loaded) -> Mapping[str, str]:
    """Who stands in the place of an organisation that has ended, by its code."""
    found: Mapping[str, str] = case.facts.registers.get("heirs", {})
    return found


def as_written(case: Loaded, org: str) -> str:
    """The code by which the form knows an organisation: that of its predecessor, where it took another's place."""
    return next((old for old, new in _heirs(case).items() if new == org), org)


def _name(case: Loaded, org: str) -> str:
    """What an organisation is called today."""
    directory, today = case.facts.directory, case.facts.today
    office = directory.office(org)
    if office:
        return office.name
    municipality = directory.municipality(org, today)
    unit = (case.row.units or {}).get(org)
    return municipality.name if municipality else unit or case.row.headquarters_name or org
