"""Steps of routes that nobody can answer any more, for an administrator to give to another post: never to decide.

An administrator sees no case: number, office, matter, post and since when, nothing of the content. A reason is asked for
and stands in the history.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from states import catalogue, routes
from states import route_verbs as verbs
from states.authority import DECIDE
from states.kernel import Process
from states.route_making import may_decide, reseated
from states.routes import BLOCKING, KINDS, Route, Step
from states.seats import Seat, Seats
from states.text import problems
from workflow import acts, case_sql
from workflow.access import Actor, PostHeld
from workflow.cases import today
from workflow.colleagues import NotTaken
from workflow.deadlines import TOKYO
from workflow.following import LIVE, SeatsOf, live
from workflow.loading import Connection, Loaded, NotFound, load
from workflow.posts import KEEPS, administrator

REASSIGN = "reassign_step"
SAID = "internal:reassign"
LONGEST = 400  # characters of a reason


@dataclass(frozen=True)
class Orphan:
    """An open step whose post nobody holds any more, with the posts that may be asked instead."""

    case: int
    version: int
    number: str
    office: str
    matter: str
    step: int
    kind: str
    post: str
    why: str
    since: datetime
    targets: tuple[tuple[str, str], ...]


ABOUT = """SELECT c.id, c.version, c.number, c.process, c.process_version, (SELECT o.name FROM organisation o WHERE o.code = c.lead
    ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1)
FROM cases c WHERE c.id = ANY (%s)"""


def orphans(conn: Connection, actor: Actor) -> list[Orphan]:
    """The open steps of posts that have ended, or stand vacant without anybody in their place. Raises `NotFound`."""
    administrator(actor)
    day = today(conn)
    seats, found = SeatsOf(conn, day), list[tuple[int, Route, Seats, Step]]()
    for case_id, lead, route, _ in live(conn):
        there = seats(lead, route)
        found += [
            (case_id, route, there, step) for step in route.open if step.kind in BLOCKING and orphaned(there, step)
        ]
    about = {row[0]: row[1:] for row in conn.execute(ABOUT, ([case_id for case_id, *_ in found],)).fetchall()}
    listed = [_told(case_id, about[case_id], route, there, step, actor) for case_id, route, there, step in found]
    return sorted(listed, key=lambda orphan: orphan.since)


def orphaned(seats: Seats, step: Step) -> str:
    """Why nobody can answer a step; empty where somebody can, be it as a deputy."""
    seat = seats.get(step.post)
    if seat is None:
        return "職が廃止されました"
    return "" if seat.holders else "空席です(職務代理・事務取扱もいません)"


def _told(case_id: int, about: tuple[Any, ...], route: Route, seats: Seats, step: Step, actor: Actor) -> Orphan:
    version, number, key, process_version, office = about
    process: Process = catalogue.process(key, process_version)
    matter = next((m.label for m in process.matters if m.key == route.matter), route.label)
    since = datetime.fromtimestamp(step.opened_at / 1_000_000, tz=TOKYO)
    targets = tuple((str(seat.post), _called(seat)) for seat in _targets(route, seats, step, actor.person_id))
    return Orphan(
        case_id, version, number or "番号なし", office or "", f"{process.label} ・ {matter}", step.no, KINDS[step.kind], step.title,
        orphaned(seats, step), since, targets,
    )  # fmt: skip


def _called(seat: Seat) -> str:
    return f"{seat.org_name or seat.org} {seat.called}({'、'.join(holder.name for holder in seat.holders)})"


def _targets(route: Route, seats: Seats, step: Step, administrator_: int) -> list[Seat]:
    """The posts that may be asked instead: held by somebody who may answer, the superior first, the own organisation before others.

    Never a post of the administrator's own, nor one that is asked anyway; a decision goes to no one whose own it would be.
    """
    asked = {other.post for other in route.steps if other.kind in BLOCKING and not other.settled}
    gone = seats.get(step.post)
    superior = gone.superior if gone else None
    fit = [
        seat for seat in seats.by_post.values()
        if seat.holders and seat.post not in asked and all(h.person != administrator_ for h in seat.holders)
        and (step.kind != DECIDE or any(may_decide(route, h.person) for h in seat.holders))
    ]  # fmt: skip
    return sorted(fit, key=lambda seat: (seat.post != superior, seat.org != step.org, seat.section, seat.post))


def reassign(
    conn: Connection, actor: Actor, case_id: int, number: int, *, version: int, post: str, reason: str
) -> None:
    """Give an orphaned step to another post. Raises `NotFound`, `NotTaken`."""
    administrator(actor)
    case, field = load(conn, case_id, None), f"post-{case_id}-{number}"
    route = routes.of(case.row.form)
    step = route.step(number) if route else None
    if route is None or step is None:
        raise NotFound
    there = SeatsOf(conn, case.facts.today)(case.row.lead, route)
    moved = "ほかの操作で変わっています。何も替えていません。一覧を見直してください。"
    if case.row.version != version or route.status not in LIVE or step.state != routes.OPEN:
        raise NotTaken({field: moved})
    if step.kind not in BLOCKING or not orphaned(there, step):
        raise NotTaken({field: "この職にはいま就いている人がいるので、替えられません。何も替えていません。"})
    seat = next((seat for seat in _targets(route, there, step, actor.person_id) if str(seat.post) == post), None)
    wrong = {} if seat else {field: "替わりの職を選んでください。"}
    wrong |= {f"reason-{case_id}-{number}": said} if (said := _unsaid(reason.strip())) else {}
    if wrong or seat is None:
        raise NotTaken(wrong)
    if not case_sql.carry_out(conn, _params(actor, case, route, step, seat, there, reason.strip())):
        raise NotTaken({field: moved})


def _unsaid(reason: str) -> str:
    if not reason:
        return "理由を書いてください。記録に残り、案件の関係者に見えます。"
    if found := problems(reason):
        return f"理由に使えない文字({'、'.join(found)})があります。取り除いてください。"
    return f"理由は{LONGEST}字までです。いまは{len(reason)}字あります。" if len(reason) > LONGEST else ""


def _params(
    actor: Actor, case: Loaded, route: Route, step: Step, seat: Seat, seats: Seats, reason: str
) -> dict[str, Any]:
    why = f"{step.title}が{orphaned(seats, step)}。{reason}"
    after = reseated(verbs.reassigned(route, step.no, seat, why, case.row.now_us), seats, case.row.now_us)
    post: PostHeld = next(post for post in actor.posts if post.role == KEEPS)
    case = replace(case, row=case.row._replace(person_name=actor.name, headquarters_name=post.org_name))
    form: Mapping[str, Any] = {**case.row.form, routes.GROUP: routes.to_json(after)}
    said = f"{KINDS[step.kind]}を「{step.title}」から「{seat.org_name or seat.org} {seat.called}」に替えました。理由: {reason}"
    return acts.concern(case, REASSIGN, [(SAID, said)], form=form, by=(str(actor.person_id), post))
