"""The reminders of a case in words: of which date, when, and what became of them. The template draws them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from states.dates import short
from workflow import deliveries, rungs
from workflow.cases import View
from workflow.deadlines import due_day
from workflow.loading import Connection
from workflow.web import offers
from workflow.web.render import Signed


@dataclass(frozen=True)
class Line:
    """One reminder: when it was made, what it reminded of, what became of it."""

    at: datetime
    what: str
    delivered: str


def lines(conn: Connection, signed: Signed, view: View) -> Sequence[Line]:
    """All of them for the offices; to others those to their own people, and of dates whose name they know."""
    if view.ended or not view.version:
        return ()
    orgs = None if offers.inside(view) else sorted(signed.actor.orgs)
    return [_line(view, one) for one in deliveries.of_reminders(conn, view.id, orgs=orgs)]


def _line(view: View, one: deliveries.Reminded) -> Line:
    labels = {due.kind: due.label for due in view.process.deadlines if offers.known(view, due.kind, due.holder)}
    label = f"「{labels[one.kind]}」" if one.kind in labels else "期限"
    return Line(one.made_at, f"{label}({short(due_day(one.due_at))}まで)の{rungs.told([one.rung])}の知らせ", one.said)
