"""What an act does to the route of its case: made on the way into a state with a matter, answered, closed, opened again.

The rules of decision and the seats are read before the act (`prepare`); everything else is worked out without a database.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from states import catalogue, route_making, routes
from states import route_verbs as verbs
from states.authority import DECIDE, Matter, Rule, chosen
from states.kernel import Move, Process, Refused
from states.route_actions import (
    ANSWERED,
    BY_NAME,
    COLLEAGUE,
    DRAFTER,
    REOPENING,
    ROLES,
    SUPERIOR,
    unopened,
)  # fmt: skip
from states.route_making import Drafter
from states.routes import BLOCKING, DONE, RUNNING, STOPPED, WAITING, Answer, Route, Step
from states.seats import ABSENCES, STAND_INS, TENURES, Seats, seats_of
from states.standings import Standing, Stands, stands
from states.terms import STAY, Facts
from workflow.access import PostHeld
from workflow.seating import Connection, made_of, read_made_of, seats

Desk = tuple[str, str, int | None, str, int]  # organisation, role, person, what is asked, by when
DEPUTY = "deputy"
_LIVE = (RUNNING, STOPPED)


def granted(
    process: Process, state: str, route: Route, held: Mapping[str, PostHeld], posts: Sequence[PostHeld], person: int, open_seats: Seats,
) -> tuple[dict[str, PostHeld], Stands]:  # fmt: skip
    """The roles that a route gives and takes: only who stands at the decision decides, whoever holds which post."""
    by_id = {post.id: post for post in posts}
    found, matter, roles = stands(route, person, by_id.keys(), open_seats), process.matter(state), dict(held)
    live = matter is not None and matter.key == route.matter and route.status in _LIVE
    if live and matter:
        taken = roles.pop(matter.role, None)
        roles |= {COLLEAGUE: taken} if taken else {}
        roles |= _around(route, person, by_id, next(iter(held.values()), None))
    for one in found.steps:
        if one.step.kind not in BLOCKING:
            roles.setdefault(ROLES[one.step.kind], by_id[one.seat])
        elif live and matter:
            role = matter.role if one.step.kind == DECIDE else ROLES[one.step.kind]
            roles.setdefault(role, by_id[one.seat])
    return roles, found


def _around(route: Route, person: int, by_id: Mapping[int, PostHeld], own: PostHeld | None) -> dict[str, PostHeld]:
    """The roles beside the turn itself: who drafted, who answered, who stands later."""
    found = {}
    if own is not None and (person == route.drafter or route.drafter_post in by_id):
        found[DRAFTER] = by_id.get(route.drafter_post, own)
    if own is not None and any(s.by == person and s.state == DONE for s in route.steps):
        found[ANSWERED] = own
    later = next((s for s in route.steps if s.state == WAITING and s.kind in BLOCKING and s.post in by_id), None)
    if later:
        found[SUPERIOR] = by_id[later.post]
    return found


# ── read before an act ──────────────────────────────────────────────────────────────────────────────────────────────

OPENED = "SELECT EXISTS (SELECT 1 FROM opened WHERE case_id = %s AND version = %s AND person_id <> %s)"


def prepare(conn: Connection, case: Any, action: str = "") -> None:
    """Bring what an act (or every act that a page offers) needs to know of rules, seats and reading marks."""
    process, facts, row = case.process, case.facts, case.row
    if not process.matters:
        return
    route, found = routes.of(row.form), dict[str, Any]()
    here = process.matter(row.state)
    enters = {m.key for r in process.table if r.name == action and row.state in r.source for m in process.matters
              if r.dest in m.states and here is not m}  # fmt: skip
    if enters:
        told = row.making if row.making is not None else read_made_of(conn, row.id)
        found["rules"], found["seats"] = made_of(told)
    live = route is not None and route.status in _LIVE
    if live and route is not None and (not action or _chooses(action) or _asks_again(process, row.state, action)):
        found["seats"] = found["line"] = seats(
            conn, sorted({row.lead, *(step.org for step in route.steps)}), facts.today
        )
    if (
        live
        and (not action or _asks_opened(process, action))
        and DRAFTER in facts.roles | {DRAFTER if ANSWERED in facts.roles else ""}
    ):
        asked = conn.execute(OPENED, (row.id, row.version, int(facts.actor or 0)), prepare=True).fetchone()
        found["opened"] = bool(asked and asked[0])
    facts.registers = {**facts.registers, **found}


@cache
def may_make(action: str) -> bool:
    """Whether an act of this name leads some process to where a route is made."""
    return any(
        row.name == action and any(row.dest in matter.states for matter in process.matters)
        for process in catalogue.all_versions().values() if process.matters for row in process.table
    )  # fmt: skip


def _chooses(action: str) -> bool:
    """Whether a verb lets one choose among the posts of the office."""
    verb = BY_NAME.get(action)
    return verb is not None and any(ask.name in ("post", "step") for ask in verb.asks)


def _asks_again(process: Process, state: str, action: str) -> bool:
    """Whether an act may have somebody asked again who has answered: all posts of the route are looked at then."""
    stays = (row for row in process.table if row.name == action and state in row.source and row.dest in (STAY, state))
    return action in REOPENING or any(row.edits or row.record or any(ask.into for ask in row.asks) for row in stays)


def _asks_opened(process: Process, action: str) -> bool:
    """Whether an act is refused where somebody has opened the case."""
    verb = BY_NAME.get(action)
    guards = verb.guards if verb else [guard for row in process.table if row.name == action for guard in row.guards]
    return unopened in guards


def mark_opened(conn: Connection, case_id: int, version: int, person: int) -> None:
    """Remember that somebody who is asked has the case on the screen at this version."""
    conn.execute(
        """INSERT INTO opened (case_id, version, person_id, opened_at) SELECT c.id, c.version, %s, clock_now() FROM cases c
           WHERE c.id = %s AND c.version = %s ON CONFLICT DO NOTHING""",
        (person, case_id, version),
        prepare=True,
    )


# ── worked out with an act ──────────────────────────────────────────────────────────────────────────────────────────


def standing(case: Any, roles: Collection[str]) -> Standing | None:
    """Where the person of an act stands who does it by one of these roles."""
    found: Stands = case.facts.registers.get("stands") or Stands()
    matter = case.process.matter(case.row.state)
    for one in found.steps:
        role = matter.role if matter and one.step.kind == DECIDE else ROLES.get(one.step.kind, "")
        if role in roles:
            return one
    return None


def answer(case: Any, roles: Collection[str], post: PostHeld | None) -> Answer:
    """The answer of the person who acts, with whom it was given for."""
    row, one = case.row, standing(case, roles)
    by = int(case.facts.actor) if case.facts.actor.isdigit() else 0
    seat = (post.id, called(post)) if post else (0, "")
    found = Answer(by, row.person_name or "", *seat, at=row.now_us, version=row.version)
    if one is None or not one.acting:
        return found
    ground = one.ground if one.acting in STAND_INS else ABSENCES.get(one.ground, one.ground)
    return replace(found, acting=one.acting, for_person=one.for_person, for_name=one.for_name, ground=ground)


def called(post: PostHeld | None) -> str:
    """Section and title of a post."""
    return " ".join(filter(None, (post.section, post.title))) if post else ""


def laid(case: Any, move: Move, after: Facts, changed: Collection[str], post: PostHeld | None) -> dict[str, Any] | None:
    """The route as it stands after an act of the process, as the form keeps it; None where the act does nothing to it.

    `after` is the case as the act leaves it, `changed` the field groups that it changes. Raises `Refused`.
    """
    process = case.process
    if not process.matters:
        return None
    before = routes.of(case.row.form)
    was, there = process.matter(move.source), process.matter(move.dest)
    route = before
    if before is not None and before.status in _LIVE and was is not None:
        route = _left(case, move, before, was, changed, post)
    if there is not None and move.dest != move.source:
        route = _entered(case, after, there, route, changed, post)
    return None if route is before else routes.to_json(route) if route else {}


def _left(
    case: Any, move: Move, route: Route, matter: Matter, changed: Collection[str], post: PostHeld | None
) -> Route:
    action, at = move.action, case.row.now_us
    if action.name in matter.decides:
        return verbs.concluded(route, answer(case, action.by, post), action.name)
    if move.dest != move.source:
        then = str(case.facts.inputs.get("then") or routes.AGAIN)
        one = standing(case, action.by)
        if action.name in matter.returns:
            return verbs.paused(
                replace(route, status=routes.RETURNED, then=then, returned_by=one.step.no if one else 0)
            )
        final = case.process.state(move.dest).final
        return verbs.paused(replace(route, status=routes.ENDED if final else routes.SUSPENDED))
    concerned = [group for group in changed if group.partition(":")[0] in (matter.covers or {})]
    if not concerned:
        return route
    again = verbs.reopened(route, concerned, at)
    there: Seats | None = case.facts.registers.get("line")
    return route_making.reseated(again, there, at) if there else again


def _entered(
    case: Any, after: Facts, matter: Matter, before: Route | None, changed: Collection[str], post: PostHeld | None
) -> Route | None:
    """The route by the rule that fits the case now; what was agreed to and has not changed stays agreed."""
    known: Sequence[Rule] = case.facts.registers.get("rules") or ()
    rule = chosen(known, matter, matter.values(after)) if known else None
    if rule is None:
        return verbs.paused(replace(before, status=routes.ENDED)) if before else None
    there: Seats = case.facts.registers["seats"]
    again = (
        before
        if before and before.matter == matter.key and before.status in (routes.RETURNED, routes.SUSPENDED)
        else None
    )
    drafter = _drafter(case, post, there, again)
    try:
        route = route_making.made(
            rule, matter, there, drafter, case.row.lead, at=case.row.now_us, excluded=[*matter.excluded(after)],
            mark=str(case.facts.inputs.get("mark") or ""),
        )  # fmt: skip
    except route_making.Unresolved as unresolved:
        raise Refused("guard", f"決裁の順序を決められません。何も変えていません。{unresolved}") from unresolved
    if again:
        route = route_making.carried(route, again, _changed_since(case, changed), case.row.now_us)
    return route_making.with_readers(route, before) if before else route


def _drafter(case: Any, post: PostHeld | None, there: Seats, again: Route | None) -> Drafter:
    """Who put the case up: whoever acts, or, where it only comes back from elsewhere, who did before."""
    if again and again.status == routes.SUSPENDED:
        seat = there.get(again.drafter_post)
        return Drafter(
            again.drafter,
            again.drafter_name,
            again.drafter_post,
            again.drafter_title,
            case.row.lead,
            seat.section if seat else "",
        )
    assert post is not None
    return Drafter(
        int(case.facts.actor), case.row.person_name or "", post.id, called(post), post.org_code, post.section
    )


def _changed_since(case: Any, changed: Collection[str]) -> Any:
    """Whether something that a step approved has changed after its answer: by this act, or by an event since."""
    refs = (case.body or {}).get("content", [])
    written = {ref[2].removeprefix("form:"): ref[0] for ref in refs if ref[2].startswith("form:")}
    covers = {group for matter in case.process.matters for group in matter.covers or {}}

    def since(step: Step) -> bool:
        later = {group for group, seq in written.items() if seq > step.version} | set(changed)
        return verbs.touches(step.covers, [group for group in later if group.partition(":")[0] in covers])

    return since


def live(process: Process, state: str, form: Mapping[str, Any]) -> Route | None:
    """The route that asks somebody in this state; None where none does."""
    route, matter = routes.of(form) if process.matters else None, process.matter(state)
    return route if route and matter and matter.key == route.matter and route.status in _LIVE else None


def awaited(process: Process, state: str, form: Mapping[str, Any]) -> list[str] | None:
    """Who waits for what is asked now; None without a route under way."""
    route = live(process, state, form)
    return list(routes.awaited_by(route)) if route else None


def waits(
    case: Any, before: Iterable[Desk], after: Iterable[Desk], waited: Sequence[str] | None, awaited: Sequence[str] | None,
) -> dict[str, Any] | None:  # fmt: skip
    """Who waits for what is asked now, and when the first of it is due; None where that stays as it was."""
    was, now = _waiting(waited, before), _waiting(awaited, after)
    # Of a route that was erased nobody can say any more who waited.
    return None if was == now and "erased" not in case.row.form.get(routes.GROUP, ()) else now


def _waiting(who: Sequence[str] | None, asked: Iterable[Desk]) -> dict[str, Any]:
    dues = [due for *_, due in asked] if who else []
    return {"who": list(who or ()) if dues else [], "due": min(dues, default=0)}


def dropped(process: Process, move: Move, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[list[str]]:
    """The posts that had answered a route which this move ends without its decision, as desks: they hear of it."""
    route, now = live(process, move.source, before), routes.of(after) if process.matters else None
    if route is None or now is None or now.status not in (routes.RETURNED, routes.ENDED):
        return []
    answered = [step for step in route.steps if step.state == routes.DONE and step.kind in BLOCKING]
    posts = [(step.org, post) for step in answered for post in (step.post, step.seat) if post]
    return [[org, routes.desk(post)] for org, post in dict.fromkeys(posts)]


def read_seats(rows: Any) -> Seats:
    """The seats that the read of an act brings along."""
    return seats_of(rows or ())


def for_whom(case: Any, roles: Collection[str]) -> dict[str, str]:
    """What the names of an event add where somebody acted for another, or in a vacant post."""
    one = standing(case, roles)
    if one is None or not one.acting:
        return {}
    if one.acting == DEPUTY:
        return {"for": one.for_name, "for_post": one.step.title, "ground": ABSENCES.get(one.ground, one.ground)}
    return {"as": TENURES[one.acting]}
