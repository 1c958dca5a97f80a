"""After personnel changes every live route is seated anew, by the clock: one event a case, and only where its route changes.

Who may do what is read at every request and needs no clock. What a route remembers – that two posts are asked once since
one person held both, that a decision went to the superior since it would have been the drafter's own – is looked at again
when a tenure begins or ends. A quiet tick costs one look-up.
"""

import logging
from datetime import date
from typing import Any

from states import routes
from states.route_making import reseated
from states.routes import KINDS, MERGED, RUNNING, STOPPED, Route
from states.seats import Seats
from workflow import acts, case_sql, seating, staying
from workflow.access import TODAY
from workflow.db import Database
from workflow.loading import Connection, NotFound, load
from workflow.notices import call_attention

log = logging.getLogger(__name__)

FOLLOW = "follow_route"
SAID = "internal:follow"  # content of the event: what has changed, in a sentence
HELD_UP = "follow_route"  # kind of attention
LIVE = frozenset({RUNNING, STOPPED})

# Who holds what, which posts there are, who stands above whom, where municipalities belong; the day makes the rest.
FOLLOWED = f"""SELECT k.day, k.terms, EXISTS (SELECT 1 FROM routes_followed f WHERE f.day = k.day AND f.terms = k.terms)
FROM (SELECT {TODAY} AS day, concat_ws('/',
  (SELECT concat_ws('.', count(*), max(id), sum(valid_to - date '2000-01-01'), sum(person_id)) FROM tenure),
  (SELECT concat_ws('.', count(*), max(id), sum(valid_to - date '2000-01-01'), sum(superior_id)) FROM post),
  (SELECT max(id) FROM superior),
  (SELECT concat_ws('.', count(*), max(id), sum(valid_to - date '2000-01-01')) FROM organisation)) AS terms) k"""
DONE = """INSERT INTO routes_followed (day, terms, followed_at) VALUES (%s, %s, now())
ON CONFLICT (day) DO UPDATE SET terms = EXCLUDED.terms, followed_at = EXCLUDED.followed_at"""

# A live route always asks a post of its own, and stands in the form.
ROUTED = f"""SELECT c.id, c.lead, c.form -> 'route', {case_sql.NOW} FROM cases c
WHERE c.id IN (SELECT s.case_id FROM step s WHERE s.closed_at IS NULL AND left(s.role, 1) = '#')
  AND c.form #>> '{{route,status}}' = ANY (%(live)s) ORDER BY c.id"""


def follow(db: Database) -> int:
    """Seat every live route anew, if something has changed since; returns how many have changed."""
    with db.connection() as conn:
        found = conn.execute(FOLLOWED, prepare=True).fetchone()
        assert found is not None
        day, terms, done = found
        if done:
            return 0
        changed = sum(_followed(conn, *row) for row in _to_follow(conn, day))
        staying.moved_to_other_offices(conn)
        conn.execute(DONE, (day, terms), prepare=True)
        return changed


def live(conn: Connection) -> list[tuple[int, str, Route, int]]:
    """Case, office and route of every case whose route is under way, with the moment in microseconds."""
    found = []
    for case_id, lead, told, now in conn.execute(ROUTED, {"live": sorted(LIVE)}).fetchall():
        route = routes.of({routes.GROUP: told})
        if route is not None:
            found.append((case_id, lead, route, now))
    return found


class SeatsOf:
    """Seats by the organisations that a route names, each read once."""

    def __init__(self, conn: Connection, day: date) -> None:
        self._conn, self._day, self._known = conn, day, dict[tuple[str, ...], Seats]()

    def __call__(self, lead: str, route: Route) -> Seats:
        orgs = tuple(sorted({lead, *(step.org for step in route.steps)}))
        if orgs not in self._known:
            self._known[orgs] = seating.seats(self._conn, orgs, self._day)
        return self._known[orgs]


def _to_follow(conn: Connection, day: date) -> list[tuple[int, date]]:
    seats = SeatsOf(conn, day)
    return [
        (case_id, day) for case_id, lead, route, now in live(conn) if reseated(route, seats(lead, route), now) != route
    ]


def _followed(conn: Connection, case_id: int, day: date) -> bool:
    try:
        for _ in range(3):  # somebody may act meanwhile
            params = _params(conn, case_id, day)
            if params is None:
                return False
            if case_sql.carry_out(conn, params):
                return True
    except NotFound:
        return False
    except Exception:  # one bad case never stops the others
        if conn.closed:
            raise
        log.exception("the route of case %s could not follow the posts", case_id)
    sentence = "人事の発令に合わせて回す順を直すことが、自動ではできませんでした。案件はそのままです。管理者に連絡してください。"
    call_attention(conn, case_id, HELD_UP, sentence)
    return False


def _params(conn: Connection, case_id: int, day: date) -> dict[str, Any] | None:
    """The write for one case; None where its route stays as it is."""
    case = load(conn, case_id, None)
    route = routes.of(case.row.form)
    if route is None or route.status not in LIVE:
        return None
    after = reseated(route, SeatsOf(conn, day)(case.row.lead, route), case.row.now_us)
    if after == route:
        return None
    form = {**case.row.form, routes.GROUP: routes.to_json(after)}
    return acts.concern(case, FOLLOW, [(SAID, told(route, after))], form=form)


def told(before: Route, after: Route) -> str:
    """What has changed of a route, in sentences."""
    said = []
    for old, new in zip(before.steps, after.steps, strict=True):
        kind = KINDS[old.kind]
        if new.post != old.post and old.passed_from and not new.passed_from:
            said.append(f"{kind}を、規程のとおり「{new.title}」に戻しました(決められる人が就きました)。")
        elif new.post != old.post:
            said.append(f"{kind}を「{old.title}」から「{new.title}」に移しました({new.instead})。")
        elif new.instead != old.instead:
            said.append(f"{kind}は「{new.title}」に尋ねたままです({new.instead})。")
        elif new.state == MERGED and old.state != MERGED:
            other = after.step(new.into)
            said.append(f"「{new.title}」の{kind}は、同じ人の「{other.title if other else '起案'}」とまとめました。")
        elif old.state == MERGED and new.state != MERGED:
            said.append(f"「{new.title}」の{kind}は、別の人が就いたので、あらためて尋ねます。")
    return "".join(said) or "いま尋ねる職が変わりました。"
