"""After personnel changes every live route is seated anew, by the clock: one event a case, and only where its route changes.

Who may do what is read at every request and needs no clock. What a route remembers – that two posts are asked once since
one person held both, that a decision went to the superior since it would have been the drafter's own – is looked at again
when a tenure begins or ends. A quiet tick costs one look-up.
"""

import logging
from datetime import date
from typing import Any

from states import routes
from states.route_making import seated
from states.routes import KINDS, MERGED, RUNNING, STOPPED, Route, settled
from states.seats import Seats
from states.terms import CLOCK
from workflow import acts, case_sql, seating
from workflow.access import CLOCK_NOW, TODAY
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
        moved_to_other_offices(conn)
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


def reseated(route: Route, seats: Seats, at: int) -> Route:
    """The route as the posts are held now. What a person answered, or had covered by drafting, stays so after he has left."""
    settled_ = {step.no for step in route.steps if step.settled and step.state != MERGED} | {0}
    kept = [step for step in route.steps if step.state == MERGED and step.into in settled_]
    route = seated(route, seats)
    for step in kept:
        route = route.with_step(step)
    return settled(route, at)


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
        if new.post != old.post:
            said.append(f"{kind}を「{old.title}」から「{new.title}」に移しました({new.instead})。")
        elif new.state == MERGED and old.state != MERGED:
            other = after.step(new.into)
            said.append(f"「{new.title}」の{kind}は、同じ人の「{other.title if other else '起案'}」とまとめました。")
        elif old.state == MERGED and new.state != MERGED:
            said.append(f"「{new.title}」の{kind}は、別の人が就いたので、あらためて尋ねます。")
    return "".join(said) or "いま尋ねる職が変わりました。"


# ── municipalities that went to another office ──────────────────────────────────────────────────────────────────────

OFFICE_CHANGED = "office_changed"  # kind of attention
# The office that leads a case was the municipality's when it was opened, and is so no more. What somebody does after he
# was told settles it; what the clock does is no choice.
CHANGED = f"""INSERT INTO attention (case_id, kind, sentence, opened_at)
SELECT DISTINCT ON (c.id) c.id, '{OFFICE_CHANGED}', n.name || 'の所管は、' || b.name
  || 'に変わりました。この件を引き継ぐときは「転送する」を、いまの局で続けるときは、そのまま次の操作をしてください。', {CLOCK_NOW}
FROM party p JOIN cases c ON c.id = p.case_id AND c.version > 0 AND c.open
  JOIN organisation n ON n.code = p.org_code AND n.office <> c.lead
    AND (n.valid_from IS NULL OR n.valid_from <= {TODAY}) AND (n.valid_to IS NULL OR n.valid_to >= {TODAY})
  JOIN LATERAL (SELECT o.name FROM organisation o WHERE o.code = n.office ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) b ON true
WHERE p.part = 'requester' AND p.valid_to IS NULL
  AND EXISTS (SELECT 1 FROM deadline d WHERE d.case_id = c.id AND d.closed_at IS NULL UNION ALL
              SELECT 1 FROM step s WHERE s.case_id = c.id AND s.closed_at IS NULL)
  AND EXISTS (SELECT 1 FROM party q JOIN organisation o ON o.code = q.org_code WHERE q.case_id = c.id AND q.part = 'requester'
    AND o.office = c.lead AND o.valid_to < {TODAY}
    AND (o.valid_from IS NULL OR o.valid_from <= (c.opened_at AT TIME ZONE 'Asia/Tokyo')::date)
    AND o.valid_to >= (c.opened_at AT TIME ZONE 'Asia/Tokyo')::date)
  AND NOT EXISTS (SELECT 1 FROM attention t WHERE t.case_id = c.id AND t.kind = '{OFFICE_CHANGED}'
    AND starts_with(t.sentence, n.name || 'の所管は、' || b.name || 'に') AND (t.closed_at IS NULL
      OR EXISTS (SELECT 1 FROM event e WHERE e.case_id = c.id AND e.at >= t.opened_at AND e.actor <> '{CLOCK}')))
ORDER BY c.id"""


def moved_to_other_offices(conn: Connection) -> int:
    """Put the choice, stay or pass on, before the office of each open case whose municipality went to another; once a case."""
    return conn.execute(CHANGED).rowcount
