"""Whose turn it would be after an act on a route, before it is done: worked out by what carries the act out, nothing written."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from states import route_actions, routes
from states.kernel import Move, Offer, Refused
from states.route_actions import BY_NAME
from states.routes import AFTER, BLOCKING, DECIDED, KINDS, RETURNED, RUNNING, STOPPED, Route
from states.terms import STAY, Input
from workflow import acts, routing, seating
from workflow.loading import Connection, Loaded, NotFound, load

_CHOICES = frozenset({"office", "partner"})  # inputs whose answer decides where the case goes


def turns(conn: Connection, person_id: int, case_id: int, offers: Sequence[Offer]) -> dict[str, str]:
    """For each of these acts that a route has to do with, by name, whose turn it would be."""
    try:
        case = load(conn, case_id, person_id)
    except NotFound:
        return {}
    if not case.process.matters:
        return {}
    routing.prepare(conn, case)
    before = routes.of(case.row.form)
    found: dict[str, list[Route]] = {}
    for offer in offers:
        ways = [route_after(conn, case, one) for one in _ways(offer)]
        if all(route is not None for route in ways) and any(route != before for route in ways):
            found[offer.action.name] = [route for route in ways if route is not None]
    posts = sorted({step.post for ways in found.values() for route in ways for step in route.open})
    names = {
        post: "・".join(f"{h.name}さん{'(不在)' if h.absent else ''}" for h in seat.holders) or "空席"
        for post, seat in seating.posts_on(conn, posts, case.facts.today).by_post.items()
    }
    told = {name: _either([_said(route, before, names) for route in ways]) for name, ways in found.items()}
    return {name: said for name, said in told.items() if said}


def _ways(offer: Offer) -> list[Offer]:
    """The act once for each step that can be chosen with it; as it is where none can."""
    asks = offer.action.asks
    choices = next((ask.choices for ask in asks if ask.name == "to" and ask.kind == "choice"), ())
    narrowed = (tuple(replace(ask, choices=(one,)) if ask.name == "to" else ask for ask in asks) for one in choices)
    return [replace(offer, action=replace(offer.action, asks=ways)) for ways in narrowed] or [offer]


def _either(said: Sequence[str]) -> str:
    return "、または".join(dict.fromkeys(filter(None, said)))


def route_after(conn: Connection, case: Loaded, offer: Offer) -> Route | None:
    """The route as this act would leave it; None where that depends on what is chosen with it."""
    action, facts = offer.action, case.facts
    if any(ask.kind in _CHOICES for ask in action.asks):
        return None
    facts.inputs = {ask.name: _typed(ask, case) for ask in action.asks if ask.required or ask.name == "then"}
    post = next((case.held[role] for role in case.held if role in action.by), None)
    try:
        if action.name in BY_NAME:
            return route_actions.turned(facts, action.name, routing.answer(case, action.by, post))
        if offer.dest.name != case.row.state and case.process.matter(offer.dest.name):
            routing.prepare(conn, case, action.name)  # the rules that a new route is made by
        move = Move(action, case.row.state, case.row.state if action.dest == STAY else offer.dest.name, ())
        after, _ = acts.led(case, move, dict(case.row.form), case.row.number, post)
        return routes.of(after.form)
    except (Refused, KeyError, ValueError, TypeError, AttributeError, AssertionError):
        return None  # what it leads to depends on what is typed
    finally:
        facts.inputs = {}


def _typed(ask: Input, case: Loaded) -> str:
    """Something that could be typed: it decides nothing about whose turn it is, or stands for the first choice."""
    return case.facts.today.isoformat() if ask.kind == "date" else ask.choices[0][0] if ask.choices else "…"


def _said(route: Route, before: Route | None, names: Mapping[int, str]) -> str:
    if route.status == STOPPED:
        return f"起案した人({route.drafter_title} {route.drafter_name})。不同意のまま上げるか、取り下げるかを決めます"
    if route.status == RETURNED:
        return f"起案した人({route.drafter_title} {route.drafter_name})。直して、もう一度上げます"
    asked = [step for step in route.open if step.kind in BLOCKING] if route.status == RUNNING else []
    told = [f"{step.title}({names.get(step.post, '')})の{KINDS[step.kind]}" for step in asked]
    reads = [step for step in route.open if step.kind == AFTER and (before is None or before.step(step.no) is None)]
    told += [f"あとで読む人: {step.title}" for step in reads]
    if route.status == DECIDED and not reads:
        return ""
    return "、".join(told)
