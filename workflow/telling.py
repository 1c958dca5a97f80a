"""Who will be told of an act, before it is done: found by what tells them afterwards, said in posts and organisations.

What is not known yet – an organisation that is chosen with the act – is said to be so. Nobody's name is used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from states.kernel import Move, Offer
from states.routes import GROUP, to_json
from states.terms import PICKED, Action, Facts, Input
from states.text import visible
from workflow import acts, foreseen, numbers, routing
from workflow.access import OUTSIDE, PARTS, TODAY
from workflow.audience import Addressee, Connection, Desk, audience, desks_told
from workflow.families import ALONE
from workflow.loading import Loaded, NotFound, load

NOBODY = "ありません"
CHOSEN = "ここで選ぶ相手の担当"
# The kinds of input by which an organisation or a post is chosen that is told then.
_CHOICES = frozenset({"office", "partner"}) | PICKED
_POSTS = frozenset({"post", "to"})  # names of those by which a post of the route is
_ORGS = frozenset({"department", "municipality", "municipalities"})  # kinds of fields by which one is named
_MUNICIPAL = frozenset({"requester", "destination", "partner"})

NAMES = f"""SELECT code, name FROM organisation WHERE code = ANY (%s)
  AND (valid_from IS NULL OR valid_from <= {TODAY}) AND (valid_to IS NULL OR valid_to >= {TODAY})"""


def before(conn: Connection, person_id: int, case_id: int, offers: Sequence[Offer]) -> dict[str, str]:
    """For each of these acts, by name, who would be told if this person did it now."""
    if not offers:
        return {}
    try:
        case = load(conn, case_id, person_id)
    except NotFound:
        return {}
    routing.prepare(conn, case)  # who is asked again is asked as the posts are held now
    # Who takes part is told by the desk of a municipality: which of them, each act says by itself.
    informed = {tells: desks_told(conn, case_id, sorted(tells)) for tells in {offer.action.tells for offer in offers}}
    after = {offer.action.name: _after(conn, case, offer) for offer in offers}
    desks = {
        offer.action.name: _desks(case, offer, informed[offer.action.tells], after[offer.action.name])
        for offer in offers
    }
    every = [desk for found in desks.values() for desk in found]
    people, _ = audience(conn, every, str(person_id))
    for name, facts in after.items():
        if route := routing.live(case.process, facts.state, facts.form):
            found, _ = audience(conn, desks[name], str(person_id), route)
            people += [replace(one, desks=[d for d in one.desks if d.absent]) for one in found]
    seated = {desk for person in people for desk in person.desks}
    alone = _desks_of(conn, every, seated)
    codes = {person.org for person in people} | {desk.org for desk in every}
    names = dict(conn.execute(NAMES, (sorted(codes),), prepare=True).fetchall())
    outside = not case.reads or case.reads <= OUTSIDE
    told = {}
    for offer in offers:
        here = desks[offer.action.name]
        parts = _posts(names, people, here, outside) + _empty(names, [d for d in here if d not in seated | alone])
        parts += [CHOSEN] if _chooses(offer.action) or _written_in(case, offer.action, after[offer.action.name]) else []
        told[offer.action.name] = "、".join(dict.fromkeys(parts)) or NOBODY
    return told


def _desks(case: Loaded, offer: Offer, informed: Sequence[Desk], after: Facts) -> list[Desk]:
    """The desks that are asked anew after the act, then those that it informs."""
    action, process, row, known = offer.action, case.process, case.row, not _chooses(offer.action)
    parties = [(p["part"], p["org"]) for p in case.parties if p["to"] is None]
    joining = list(action.parties(after)) if action.parties and known else []
    lead = action.leads(after) if action.leads and known else row.lead
    asked = [acts.desk_of(ask, case, [*parties, *joining], {}, lead)[:4] for ask in process.inbox(after)]
    standing = {(org, role, person, ask) for _, org, role, person, ask, _ in row.steps or ()}
    # Where the act chooses who leads, or whose desk is next, it is not this office's.
    elsewhere = action.leads or any(ask.kind == "post" for ask in action.asks)
    new = [] if elsewhere and not known else [step for step in asked if step not in standing]
    found = [Desk(*step) for step in new]
    move = Move(action, row.state, offer.dest.name, ())
    found += [Desk(org, role) for org, role in routing.dropped(process, move, row.form, after.form)]
    found += informed
    found += [
        Desk(org, "municipality")
        for part, org in joining
        if (part in _MUNICIPAL and "municipality" in action.tells) or part in {"partner"} & action.tells
    ]
    found += [Desk(org, part) for part, org in joining if part in ALONE and part in action.tells]
    leading = [role for role, parts in PARTS.items() if "lead" in parts and role in action.tells]
    found += [Desk(lead, role) for role in leading if lead != row.lead]
    return list(dict.fromkeys(found))


def _after(conn: Connection, case: Loaded, offer: Offer) -> Facts:
    """The case as it would be if the act were done now, with the route that it would have."""
    after = _typed_in(case, offer)
    known = case.process.matters and not _chooses(offer.action)
    route = foreseen.route_after(conn, case, offer) if known else None
    if route is not None:
        after.form = {**after.form, GROUP: to_json(route)}
    return after


def _typed_in(case: Loaded, offer: Offer) -> Facts:
    """The case after the act, what is to be typed with it left open."""
    row, action = case.row, offer.action
    acting = next((case.held[role] for role in case.held if role in action.by), None)
    parent = case.facts.registers.get("parent")
    drawn = numbers.draw(action.numbers, row, case.facts.directory, mark=case.process.mark, parent=parent)
    facts = case.facts.after(offer.dest.name, row.form, case.read, row.number)
    facts.registers = {
        **facts.registers, "numbers": {kind: one.text for kind, one in drawn.items()}, "edited": frozenset(), "lead": row.lead,
        "acting_org": acts.as_written(case, acting.org_code) if acting else "",
    }  # fmt: skip
    if _chooses(action):
        return facts
    facts.inputs = {ask.name: _typed(ask, facts) for ask in action.asks}
    try:
        form = acts.form_after(facts, action)
        number = next((drawn[kind].text for kind in ("case", "branch") if kind in drawn), row.number)
        return facts.after(offer.dest.name, form, case.process.reading(form), number)
    except (KeyError, ValueError, TypeError, AttributeError):  # what it records depends on what is typed
        return facts


def _typed(ask: Input, facts: Facts) -> str:
    """Something that could be typed: it decides nothing about who is told."""
    return facts.today.isoformat() if ask.kind == "date" else ask.choices[0][0] if ask.choices else "…"


def _chooses(action: Action) -> bool:
    """Whether whom the act tells is chosen with it: an organisation, or a post of the route."""
    return any(ask.kind in _CHOICES or (ask.name in _POSTS and ask.kind == "choice") for ask in action.asks)


def _written_in(case: Loaded, action: Action, after: Facts) -> bool:
    """Whether those who join by the act are still to be written on its own page, from a list or a table of organisations."""
    form = case.process.form
    if form is None or action.parties is None or action.parties(after):
        return False
    picked = {
        path.partition(".")[0].partition(":")[0] for path, one in form.fields_by_path.items() if one.kind in _ORGS
    }
    return bool(picked & action.edits)


def _desks_of(conn: Connection, desks: Sequence[Desk], seated: set[Desk]) -> set[Desk]:
    """Desks at which only the person sits who would act: they are not empty, and nobody there has to be told."""
    rest = [desk for desk in desks if desk not in seated]
    people, _ = audience(conn, rest, "") if rest else ([], [])
    return {desk for person in people for desk in person.desks}


def _posts(names: Mapping[str, str], people: Sequence[Addressee], desks: Sequence[Desk], outside: bool) -> list[str]:
    """Organisation and section of those at these desks, with what is asked of them; to others outside, the organisation alone."""
    groups: dict[tuple[str, str], list[Addressee]] = {}
    asks: dict[tuple[str, str], dict[str, None]] = {}
    for person in people:
        here = [desk for desk in person.desks if (desk.absent or desk) in desks]
        if here:
            where = names.get(person.org, person.org), "" if outside else person.section
            groups.setdefault(where, []).append(person)
            asks.setdefault(where, {}).update(
                {f"{d.ask}、代決できます" if d.absent else d.ask: None for d in here if d.ask and not outside}
            )
    told: dict[str, list[str]] = {}
    for org in dict.fromkeys(org for org, _ in groups):
        sections = [(section, people) for (name, section), people in groups.items() if name == org]
        for section, people in sections:
            # Beside sections that are named, a post of none is named by its title, not by the office again.
            place = section or ("・".join(dict.fromkeys(p.title for p in people)) if len(sections) > 1 else "")
            told.setdefault(org, []).append(_said(place, people, list(asks[org, section])))
    return [_of(visible(org), parts) for org, parts in told.items()]


def _of(org: str, parts: Sequence[str]) -> str:
    """The organisation once, with those of it who are told."""
    return org + ("" if parts[0].startswith("(") else " " if parts[0] else "") + "・".join(parts)


def _said(place: str, people: Sequence[Addressee], asks: Sequence[str]) -> str:
    without = sum(not person.mail.strip() for person in people)
    notes = ["・".join(visible(ask) for ask in asks)] if asks else []
    if without:
        some = "" if without == len(people) else f"{without}人は"
        notes.append(f"{some}メールアドレスの登録なし、受信箱にだけ出ます")
    return visible(place) + (f"({'。'.join(notes)})" if notes else "")


def _empty(names: Mapping[str, str], desks: Sequence[Desk]) -> list[str]:
    found: list[Any] = []
    for desk in desks:
        name = visible(names.get(desk.org, desk.org))
        found.append(f"{name}{f'「{visible(desk.ask)}」' if desk.ask else ''}(いま就いている方がいません)")
    return found
