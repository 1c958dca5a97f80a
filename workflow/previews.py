"""The route that a case would be given, now or on any day: rules in force, posts as they are held then, and every reason.

A preview decides nothing and writes nothing; it is worked out by the same law as the act (`states.previews`).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from states import routes
from states.authority import Matter, Rule
from states.kernel import Process
from states.previews import Preview, worked_out
from states.route_making import Drafter
from states.seats import Seat, Seats
from states.terms import STAY
from workflow.access import HELD
from workflow.line import apart
from workflow.loading import Connection, Loaded
from workflow.seating import rules, seats


def ahead(process: Process, state: str) -> list[Matter]:
    """What a case in that state is decided on next: the matter it stands in, or those that its next steps lead to."""
    seen, here = {state}, [state]
    while here:
        found = dict.fromkeys(matter for name in here if (matter := process.matter(name)))
        if found:
            return list(found)
        following = (row.dest for name in here for row in process.table if name in row.source and row.dest != STAY)
        here = [name for name in dict.fromkeys(following) if name not in seen]
        seen.update(here)
    return []


def preview(conn: Connection, case: Any, on: date, *, matter: str = "", mark: str = "") -> Preview | None:
    """The route that would be made for this case (a `Loaded` or a `View`) on that day; None where nothing is decided any more.

    `matter` is the key of one of `ahead`, by default the first. Where no rule fits, or a rule names a post that nobody
    has, the preview says so in `problem`.
    """
    process, state = case.process, case.facts.state
    open_ = [] if process.state(state).final else ahead(process, state)
    wanted = next((one for one in open_ if matter in ("", one.key)), None)
    if wanted is None:
        return None
    lead = _lead(case)
    known = rules(conn, process.key, lead, on)
    there = seats(conn, organisations(lead, known), on)
    drafter = _drafter(conn, case, wanted, there, lead)
    facts = case.facts
    return worked_out(
        known, wanted, wanted.values(facts), there, drafter, lead, excluded=[*wanted.excluded(facts)], mark=mark
    )


def organisations(lead: str, known: Sequence[Rule]) -> list[str]:
    """The organisations whose posts these rules may name."""
    return sorted({lead} | {a.org for rule in known for stage in rule.stages for a in stage.asked if a.org})


def _lead(case: Any) -> str:
    return str(case.row.lead if isinstance(case, Loaded) else case.lead)


# An officer of the desk drafts; a post of the line, apart from it, only where no officer is there.
PUT_UP = f"SELECT p.id, {apart('p')} FROM post p WHERE p.org_code = %s AND p.role = ANY (%s)"
LAST = """SELECT e.actor::bigint, n.name, e.post::bigint FROM event e JOIN person n ON n.id::text = e.actor
  JOIN unnest(%s::text[], %s::text[]) AS held (post, person) ON held.post = e.post AND held.person = e.actor
WHERE e.case_id = %s ORDER BY e.seq DESC LIMIT 1"""


UNDER_WAY = (routes.RUNNING, routes.STOPPED, routes.SUSPENDED)  # whoever drafted it then, drafted it
HELD_FIRST = f"""SELECT p.id FROM tenure t JOIN post p ON p.id = t.post_id
WHERE {HELD.replace("%(person)s", "%s")} ORDER BY t.id"""


def _drafter(conn: Connection, case: Any, matter: Matter, there: Seats, lead: str) -> Drafter:
    """Who puts it up: who did, the reader, who drafted the last round, who worked on it last, or the first post of the office that could.

    Who worked on it and the first post are officers of the desk; so is the reader once another matter was decided.
    """
    route = routes.of(case.facts.form)
    if route is not None and route.matter == matter.key and route.status in UNDER_WAY:
        seat = there.get(route.drafter_post)
        return Drafter(
            route.drafter, route.drafter_name, route.drafter_post, route.drafter_title, lead, seat.section if seat else ""
        )  # fmt: skip
    rows = [row for row in case.process.table if row.dest in matter.states and not set(row.source) & matter.states]
    roles = sorted({role for row in rows for role in row.by})
    able = dict(conn.execute(PUT_UP, (lead, roles), prepare=True).fetchall())
    posts = {post for post, stands_apart in able.items() if not stands_apart}
    # Of a matter that nobody has decided yet, whoever reads and may put it up may be the one who does.
    mine = posts if route is not None and route.matter != matter.key else set(able)
    reader = int(case.facts.actor) if case.facts.actor.isdigit() else 0
    held = [post for (post,) in conn.execute(HELD_FIRST, (reader,), prepare=True).fetchall()]
    own = next((seat for post in held if post in mine and (seat := there.get(post))), None)
    if own is not None:
        return _at(own, reader, next(h.name for h in own.holders if h.person == reader))
    if (
        route is not None
        and (seat := there.get(route.drafter_post))
        and any(h.person == route.drafter for h in seat.holders)
    ):
        return _at(seat, route.drafter, route.drafter_name)
    case_id = case.row.id if isinstance(case, Loaded) else case.id
    sitting = [
        (str(seat.post), str(h.person)) for seat in there.by_post.values() if seat.post in posts for h in seat.holders
    ]
    last = conn.execute(LAST, ([p for p, _ in sitting], [h for _, h in sitting], case_id), prepare=True).fetchone()
    if last is not None and (seat := there.get(last[2])) is not None:
        return _at(seat, last[0], last[1])
    first = min((seat for seat in there.by_post.values() if seat.post in posts and seat.holders), key=_number, default=None)  # fmt: skip
    return _at(first, first.holders[0].person, first.holders[0].name) if first else nobody(lead)


def nobody(lead: str, section: str = "") -> Drafter:
    """A drafter of that section who is no person in particular."""
    return Drafter(0, "", 0, f"{section} の起案者".strip() if section else "起案者", lead, section)


def _number(seat: Seat) -> int:
    return seat.post


def _at(seat: Seat, person: int, name: str) -> Drafter:
    return Drafter(person, name, seat.post, seat.called, seat.org, seat.section)


def names_of(conn: Connection) -> Mapping[str, str]:
    """Every organisation's name by its code, the latest one."""
    rows = conn.execute("SELECT code, name FROM organisation ORDER BY valid_to NULLS LAST", prepare=True).fetchall()
    return dict(reversed(rows))
