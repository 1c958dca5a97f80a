"""Beginning a case from another: a draft that comes filled in and knows where it came from (編成する、議題にする).

What may be begun is declared by the process of the case that one looks at (`Process.derives`); whether the person may open
a case of the other process is asked of that one.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from states import catalogue, thread
from states.kernel import Refused
from states.places import Directory
from states.terms import Derive, block
from states.text import problems
from workflow import cases
from workflow.access import Actor, PostHeld
from workflow.cases import View
from workflow.loading import Connection, NotFound
from workflow.once import once

LONGEST = 500


def ways(reader: Actor, view: View) -> Sequence[Derive]:
    """What the reader may begin from this case now."""
    if not view.version or view.ended:
        return []
    return [way for way in view.process.derives if way.open_to(view.facts) and _post(reader, view, way)]


def derive(conn: Connection, reader: Actor, case_id: int, name: str, why: str, key: UUID) -> int:
    """The draft that was begun, once however often it is asked for. Raises `NotFound`, `Refused`, `KeyReused`."""
    view = cases.look(conn, reader.person_id, case_id)
    way = next((way for way in ways(reader, view) if way.key == name), None)
    post = _post(reader, view, way) if way else None
    if name not in {way.key for way in view.process.derives}:
        raise NotFound
    if way is None or post is None:
        raise Refused("role", "この案件からは、いまは起こせません。何もつくっていません。最新の画面を開いてください。")
    said = why.strip() or way.label
    if wrong := _unfit(said):
        raise Refused("guard", wrong, [block(wrong, "why")])
    office = Directory.from_csv().office_of(post.org_code, view.facts.today)
    registers = {**view.facts.registers, "lead": office.code if office else post.org_code}
    form = way.form(replace(view.facts, registers=registers, memo={}))
    begun = thread.begun(case_id, said)
    make = partial(
        cases.open_case, conn, reader.person_id, way.process, way.origin, form, org=post.org_code, begun=begun
    )
    return once(conn, reader.person_id, key, ["derive", case_id, name, said], make)


def _post(reader: Actor, view: View, way: Derive) -> PostHeld | None:
    """The post with which the reader opens such a case: one of the office that leads this one first."""
    process = catalogue.newest().get(way.process)
    by = process.opens.get(way.origin, frozenset()) if process else frozenset()
    posts = sorted((post for post in reader.posts if post.role in by), key=lambda post: post.org_code != view.lead)
    return next(iter(posts), None)


def _unfit(why: str) -> str:
    if found := problems(why):
        return f"理由に使えない文字({'、'.join(found)})があります。何もつくっていません。取り除いてください。"
    return f"理由は{LONGEST}字までです。いまは{len(why)}字あります。" if len(why) > LONGEST else ""
