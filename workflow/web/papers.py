"""The panels of files and remarks beside a case: what they show to one reader, and the forms they offer him."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from workflow import arriving, attachments, comments, deliveries
from workflow.arriving import size_text
from workflow.cases import View
from workflow.file_types import BYTES, TAKEN
from workflow.loading import Connection
from workflow.reach import INTERNAL, SHARED, Reach, reach
from workflow.settings import settings
from workflow.web import offers
from workflow.web.render import Signed, clock

ATTACHED = "attached"  # what a page says was just done
MUNICIPALITIES = ("requester", "partner")  # parts of those who stand outside, besides the place that the case is about
LATEST = 10  # remarks that are shown without being asked for
PDF = "application/pdf"
LOOKED_AT = frozenset({PDF, "image/png", "image/jpeg", "image/gif"})  # browsers show these, nothing in them runs
SHORT = 8 * 1024  # bytes of a text that stands on the page of its case
CASE = "case"  # the page of the case, as `back` names it


@dataclass(frozen=True)
class FileLine:
    """One file of the list; `told` in place of a link where it was erased."""

    href: str
    name: str
    told: str
    label: str
    size: str
    by: str
    at: datetime
    seq: int | None
    inside: bool
    remove: str = ""
    added: str = ""  # after which decision it was added; it is never part of what was decided
    view: str = ""  # where it can be looked at
    picture: bool = False
    text: str = ""


@dataclass(frozen=True)
class Files:
    """The files that a reader may have, and the form to add one."""

    case_id: int
    lines: Sequence[FileLine]
    draft: bool
    inside: bool
    others: str  # whom a shared file is shared with
    scopes: Sequence[str]
    taken: str
    limit: int
    limits: str
    large: str
    key: str
    back: str
    label: str = ""
    scope: str = ""
    problem: str = ""
    done: bool = False


@dataclass(frozen=True)
class RemarkLine:
    """One remark; `text` is None where it was erased."""

    text: str | None
    erased_seq: int | None
    by: str
    at: datetime
    inside: bool
    delivered: str = ""  # what became of the mails that tell of it


@dataclass(frozen=True)
class RemarkForm:
    """One of the two forms, each with words and a button of its own."""

    scope: str
    label: str
    button: str
    key: str
    text: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Remarks:
    """The remarks that a reader may see, the newest first, and the forms to write one."""

    case_id: int
    latest: Sequence[RemarkLine]
    earlier: Sequence[RemarkLine]
    forms: Sequence[RemarkForm]
    inside: bool
    others: str
    back: str
    done: str = ""


def beside(view: View) -> Reach:
    """How far this reader looks beside the case."""
    return reach(view.roles, view.may_read, view.version if view.ended else None)


def files(
    conn: Connection, signed: Signed, view: View, *, back: str, done: str = "", label: str = "", scope: str = "", problem: str = "",
) -> Files:  # fmt: skip
    """The panel of files; `back` is the page that its form leads back to, the rest what came back with a refusal."""
    far = beside(view)
    draft, writes = not view.version, bool(view.editable)
    found = attachments.listed(conn, view.id, far)
    decisions = _decisions(conn, view) if any(file.seq for file in found) else []
    lines = [
        replace(
            _line(file, f"/cases/{view.id}/files/{file.id}", draft and writes), added=_added(file, decisions),
            text=_text(conn, file) if back == CASE else "",
        )
        for file in found
    ]  # fmt: skip
    limit, quota = settings().file_limit, settings().case_quota
    return Files(
        view.id, lines, draft, offers.inside(view), shared_with(view), arriving.scopes(far, draft=draft, writes=writes), TAKEN, limit,
        f"1つ{size_text(limit)}まで、案件ごとに合わせて{size_text(quota)}、{settings().case_files}個まで", arriving.TooLarge().sentence,
        str(uuid4()), back, label, scope, problem, done == ATTACHED,
    )  # fmt: skip


def stood(conn: Connection, view: View, version: int) -> list[FileLine]:
    """The files that lay beside the case at a version of it, as far as this reader may have them; what was erased since says so."""
    found = attachments.listed(conn, view.id, replace(beside(view), until=version))
    return [replace(_line(file, f"/cases/{view.id}/files/{file.id}", False), text=_text(conn, file)) for file in found]


def _line(file: attachments.Attachment, href: str, removable: bool) -> FileLine:
    erased = f"消去済み(記録{file.erased_seq}号)" if file.erased_seq is not None else ""
    looked = not erased and file.media_type in LOOKED_AT
    return FileLine(
        "" if erased else href, file.name, erased, file.label, "" if erased else size_text(file.size), file.org_name, file.added_at,
        file.seq, file.scope == INTERNAL, f"{href}/delete" if removable else "", view=f"{href}/view" if looked else "",
        picture=looked and file.media_type != PDF,
    )  # fmt: skip


DECISIONS = "SELECT e.seq, e.at, e.action, e.body FROM event e WHERE e.case_id = %s AND e.action = ANY (%s) AND e.seq <= %s ORDER BY e.seq"


def _decisions(conn: Connection, view: View) -> list[tuple[int, str]]:
    """The decisions of the case that this reader knows of: the event, and what is said of a file that came after it."""
    ends = frozenset[str]().union(*(matter.decides for matter in view.process.matters))
    rows = [row for row in view.process.table if row.weighs == "decider" or row.name in ends]
    known = {row.name for row in rows if offers.inside(view) or (row.by | row.tells) & view.roles}
    found = conn.execute(DECISIONS, (view.id, sorted(known), view.version), prepare=True).fetchall()
    return [
        (seq, f"「{view.process.label_of(action, json.loads(body)['from'])}」({clock(at)})のあとに添えたもの")
        for seq, at, action, body in found
    ]


def _added(file: attachments.Attachment, decisions: Sequence[tuple[int, str]]) -> str:
    """What a file is an addition to: the last decision before it came."""
    return next((said for seq, said in reversed(decisions) if file.seq is not None and seq < file.seq), "")


def _text(conn: Connection, file: attachments.Attachment) -> str:
    """The words of a short text, in the characters it was written in; of anything else nothing."""
    if file.erased_seq is not None or file.media_type != BYTES or not 0 < file.size <= SHORT:
        return ""
    data = attachments.beginning(conn, file)
    for coding in ("utf-8-sig", "cp932"):
        try:
            return data.decode(coding)
        except UnicodeDecodeError:
            continue
    return ""


def remarks(
    conn: Connection, signed: Signed, view: View, *, back: str, done: str = "", scope: str = "", text: str = "", problem: str = "",
) -> Remarks | None:  # fmt: skip
    """The panel of remarks; None while the case is its writer's office alone, and for who hears none."""
    if not view.version or view.state.private:
        return None
    far, inner = beside(view), offers.inside(view)
    if not far.hears:
        return None
    listed = comments.listed(conn, view.id, far)
    orgs = None if inner else sorted(signed.actor.orgs)
    told = {} if view.ended else deliveries.of_remarks(conn, view.id, [found.id for found in listed], orgs=orgs)
    lines = [_remark(found, inner, told.get(found.id, "")) for found in listed]
    others = (
        shared_with(view) if inner else "、".join([offers.names_of(view)["bureau"], *_towns(view, signed.actor.orgs)])
    )
    allowed = comments.scopes(far, version=view.version, private=view.state.private)
    if inner and view.process.form and not _towns(view):  # nobody outside takes part
        allowed = tuple(kind for kind in allowed if kind != SHARED)
    forms = [
        _form(kind, others, text if kind == scope else "", problem if kind == scope else "") for kind in allowed[::-1]
    ]
    return Remarks(
        view.id, lines[:LATEST], lines[LATEST:], forms, inner, others, back, done if done in (SHARED, INTERNAL) else ""
    )


def _remark(found: comments.Remark, inner: bool, delivered: str) -> RemarkLine:
    """Who wrote, as far as the reader is told: outside, the office and the post."""
    names = [found.names["office"], found.names["post"], found.names["actor"] if inner else ""]
    by = " ".join(filter(None, names))
    return RemarkLine(found.body, found.erased_seq, by, found.at, found.scope == INTERNAL, delivered)


def _form(scope: str, others: str, text: str, problem: str) -> RemarkForm:
    if scope == SHARED:
        return RemarkForm(
            scope, f"{others}と共有して書く({others}に通知します)", f"{others}と共有して書き込む", str(uuid4()), text, problem
        )  # fmt: skip
    return RemarkForm(scope, "局内だけに書く(市町村には見えません)", "局内に書き込む", str(uuid4()), text, problem)


def shared_with(view: View) -> str:
    """The municipalities of the case, by name."""
    return "、".join(_towns(view)) or offers.names_of(view)["municipality"]


def _towns(view: View, own: frozenset[str] = frozenset()) -> list[str]:
    """The municipalities of the case but one's own, the one that leads them first."""
    found = [p for part in MUNICIPALITIES for p in view.parties if p["part"] == part and p["org_code"] not in own]
    return list(dict.fromkeys(str(party["org_name"]) for party in found))
