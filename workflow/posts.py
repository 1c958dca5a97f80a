"""Organisations with their posts on a day: who holds each and how, who stands above, who deputises in which order.

Any day may be asked for, past or future: rows are ended and others begin, nothing is written over. What is changed goes
through `tenures`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg.rows import dict_row

from states.seats import STAND_INS, TENURES
from workflow.access import TODAY, Actor
from workflow.loading import Connection, NotFound
from workflow.seating import in_force, superior_on

KEEPS = "administrator"
ROLES = {
    "municipality": "市町村の担当", "municipality_head": "市町村の決裁者", "bureau": "受付・起案", "director": "局の決裁者",
    "headquarters": "本庁の主管課", "department": "本庁各部の連絡員", "personnel": "人事担当", "body": "団体の担当",
    "staff": "派遣職員", "auditor": "監査", "records": "文書管理", "administrator": "システム管理",
}  # fmt: skip
_DAY = "%(day)s::date"


def administrator(actor: Actor) -> None:
    """Nobody else keeps posts. Raises `NotFound`."""
    if KEEPS not in actor.roles:
        raise NotFound


@dataclass(frozen=True)
class Office:
    """An organisation that has posts on the day, with how many of them nobody holds."""

    code: str
    name: str
    posts: int
    vacant: int

    @property
    def label(self) -> str:
        return f"{self.name}({self.posts}{f'・空席 {self.vacant}' if self.vacant else ''})"


OFFICES = f"""SELECT o.code, o.name, count(p.id), count(p.id) FILTER (WHERE NOT EXISTS (
    SELECT 1 FROM tenure t WHERE t.post_id = p.id AND {in_force("t", _DAY)}))
FROM organisation o LEFT JOIN post p ON p.org_code = o.code AND {in_force("p", _DAY)}
WHERE (o.valid_from IS NULL OR o.valid_from <= {_DAY}) AND (o.valid_to IS NULL OR o.valid_to >= {_DAY})
GROUP BY o.code, o.name, o.kind, o.sort ORDER BY array_position(ARRAY['headquarters', 'personnel', 'department', 'bureau', 'municipality', 'body'], o.kind), o.sort, o.code"""


def offices(conn: Connection, actor: Actor, day: date) -> list[Office]:
    """The organisations of a day, headquarters first. Raises `NotFound`."""
    administrator(actor)
    return [Office(*row) for row in conn.execute(OFFICES, {"day": day}).fetchall()]


# ── the posts of an organisation ────────────────────────────────────────────────────────────────────────────────────

_HELD = f"""(SELECT jsonb_agg(jsonb_build_object('id', t.id, 'person', n.id, 'name', n.name, 'staff_no', n.staff_no, 'kind', t.kind,
    'order_no', t.order_no, 'from', t.valid_from, 'to', t.valid_to,
    'away', EXISTS (SELECT 1 FROM absence a WHERE a.person_id = n.id AND {in_force("a", _DAY)})) ORDER BY t.id)
  FROM tenure t JOIN person n ON n.id = t.person_id WHERE t.post_id = p.id AND {{when}})"""
LISTED = f"""SELECT p.id, p.org_code, p.section, p.title, p.role, p.scope, p.valid_from, p.valid_to, {superior_on(_DAY)} AS superior_id,
  {_HELD.format(when=in_force("t", _DAY))} AS holders,
  {_HELD.format(when=f"t.valid_from > {_DAY} AND (t.valid_to IS NULL OR t.valid_to >= t.valid_from)")} AS coming,
  (SELECT array_agg(d.deputy_id ORDER BY d.sort, d.id) FROM deputy d WHERE d.post_id = p.id AND {in_force("d", _DAY)}) AS deputy_ids
FROM post p WHERE (p.org_code = %(office)s OR p.id = %(post)s) AND {in_force("p", _DAY)} ORDER BY p.section, p.id"""
CALLED = f"""SELECT p.id, concat_ws(' ', nullif(p.section, ''), p.title) AS called, p.org_code,
  (SELECT o.short FROM organisation o WHERE o.code = p.org_code ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) AS org,
  p.valid_from <= {_DAY} AND (p.valid_to IS NULL OR p.valid_to >= {_DAY}) AS lives
FROM post p WHERE p.id = ANY (%(posts)s)"""


def listed(conn: Connection, actor: Actor, office: str, day: date, post: int = 0) -> list[dict[str, Any]]:
    """The posts of an organisation on a day, or one `post`: holders, coming holders, superior, deputies in order.

    Raises `NotFound`.
    """
    administrator(actor)
    rows = _dicts(conn, LISTED, {"office": office, "day": day, "post": post})
    named = names(conn, [i for row in rows for i in (row["superior_id"], *(row["deputy_ids"] or ()))], day)
    return [_told(row, named) for row in rows]


def names(conn: Connection, posts: Iterable[int | None], day: date) -> dict[int, Mapping[str, Any]]:
    """What these posts are called, whose they are, and whether they still are."""
    found = _dicts(conn, CALLED, {"posts": sorted({p for p in posts if p}), "day": day})
    return {row["id"]: row for row in found}


def _told(row: Mapping[str, Any], named: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    holders = [_holder(one) for one in row["holders"] or ()]
    return dict(row) | {
        "called": " ".join(filter(None, (row["section"], row["title"]))), "role_label": ROLES.get(row["role"], row["role"]),
        "holders": holders, "coming": [_holder(one) for one in row["coming"] or ()], "vacant": not holders,
        "stands_in": any(one["kind"] in STAND_INS for one in holders),
        "superior": _beside(named.get(row["superior_id"] or 0), row["org_code"]),
        "deputies": [_beside(named.get(post), row["org_code"]) for post in row["deputy_ids"] or ()],
    }  # fmt: skip


def _holder(one: Mapping[str, Any]) -> dict[str, Any]:
    days = {name: date.fromisoformat(one[name]) if one[name] else None for name in ("from", "to")}
    return dict(one) | days | {"kind_label": TENURES[one["kind"]]}


def _beside(post: Mapping[str, Any] | None, org: str) -> str:
    """Another post as it is called from this one: with its organisation where that is another, and whether it is gone."""
    if post is None:
        return ""
    words = post["called"] if post["org_code"] == org else f"{post['org']} {post['called']}"
    return words if post["lives"] else f"{words}(廃止)"


# ── one post ────────────────────────────────────────────────────────────────────────────────────────────────────────

ONE = f"""SELECT p.*, {superior_on(TODAY)} AS superior_id, {TODAY} AS today,
  (SELECT o.name FROM organisation o WHERE o.code = p.org_code ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) AS org_name
FROM post p WHERE p.id = %(post)s"""
TENURES_OF = f"""SELECT t.id, t.kind, t.order_no, t.valid_from, t.valid_to, n.name, n.staff_no, t.valid_to < {TODAY} AS over,
  t.valid_from > {TODAY} AS coming
FROM tenure t JOIN person n ON n.id = t.person_id
WHERE t.post_id = %(post)s AND (t.valid_to IS NULL OR t.valid_to >= t.valid_from) ORDER BY t.valid_from DESC, t.id DESC"""
DEPUTIES_OF = """SELECT d.deputy_id, d.sort, d.valid_from, d.valid_to FROM deputy d
WHERE d.post_id = %(post)s AND (d.valid_to IS NULL OR d.valid_to >= d.valid_from) ORDER BY d.valid_from DESC, d.sort, d.id"""
SUPERIORS_OF = "SELECT u.superior_id, u.valid_from FROM superior u WHERE u.post_id = %(post)s ORDER BY u.valid_from DESC, u.id DESC"


@dataclass(frozen=True)
class Post:
    """A post with everything that was and will be said of it."""

    row: Mapping[str, Any]
    tenures: Sequence[Mapping[str, Any]]
    deputies: Sequence[tuple[date, date | None, Sequence[str]]]  # from, to, in their order
    superiors: Sequence[tuple[date, str]]
    superior: str

    @property
    def id(self) -> int:
        return int(self.row["id"])

    @property
    def called(self) -> str:
        return " ".join(filter(None, (self.row["section"], self.row["title"])))

    @property
    def held(self) -> bool:
        return any(not one["over"] and not one["coming"] for one in self.tenures)


def one(conn: Connection, actor: Actor, number: int) -> Post:
    """A post with its history. Raises `NotFound`."""
    administrator(actor)
    found = _dicts(conn, ONE, {"post": number})
    if not found:
        raise NotFound
    row, told = found[0], {"post": number}
    deputies, superiors = _dicts(conn, DEPUTIES_OF, told), _dicts(conn, SUPERIORS_OF, told)
    ids = [row["superior_id"], *(d["deputy_id"] for d in deputies), *(s["superior_id"] for s in superiors)]
    named = names(conn, ids, row["today"])
    orders: dict[tuple[date, date | None], list[str]] = {}
    for d in deputies:
        called = _beside(named.get(d["deputy_id"]), row["org_code"])
        orders.setdefault((d["valid_from"], d["valid_to"]), []).append(called)
    above = [(s["valid_from"], _beside(named.get(s["superior_id"] or 0), row["org_code"])) for s in superiors]
    tenures = [dict(t) | {"kind_label": TENURES[t["kind"]]} for t in _dicts(conn, TENURES_OF, told)]
    superior = _beside(named.get(row["superior_id"] or 0), row["org_code"])
    return Post(row, tenures, [(*span, called) for span, called in orders.items()], above, superior)


CHOICES = f"""SELECT p.id, concat_ws(' ', (SELECT o.short FROM organisation o WHERE o.code = p.org_code ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1),
  nullif(p.section, ''), p.title) || coalesce((SELECT '(' || string_agg(n.name, '、' ORDER BY t.id) || ')' FROM tenure t JOIN person n ON n.id = t.person_id
    WHERE t.post_id = p.id AND {in_force("t", TODAY)}), '(空席)')
FROM post p WHERE p.id <> %(post)s AND {in_force("p", TODAY)}
  AND (p.org_code = %(org)s OR (%(wide)s AND p.org_code = (SELECT headquarters FROM installation)))
ORDER BY p.org_code <> %(org)s, p.section, p.id"""


def choices(conn: Connection, post: Post, *, wide: bool) -> list[tuple[str, str]]:
    """The posts that may stand in for this one (those of its organisation), or above it (`wide`: headquarters' too)."""
    told = {"post": post.id, "org": post.row["org_code"], "wide": wide}
    return [(str(number), called) for number, called in conn.execute(CHOICES, told).fetchall()]


RECORDS = """SELECT r.at, r.said, n.name AS by, r.post_id FROM post_record r JOIN person n ON n.id = r.set_by
WHERE (%(post)s = 0 OR r.post_id = %(post)s) ORDER BY r.id DESC LIMIT %(most)s"""


def records(conn: Connection, actor: Actor, post: int = 0, most: int = 20) -> list[dict[str, Any]]:
    """What was changed last, by whom and when. Raises `NotFound`."""
    administrator(actor)
    return _dicts(conn, RECORDS, {"post": post, "most": most})


# Whose draft it was, where he holds no post of its organisation any more.
PREDECESSORS = f"""SELECT c.id, n.name FROM cases c JOIN person n ON n.id = c.opened_by WHERE c.id = ANY (%s) AND c.version = 0
  AND NOT EXISTS (SELECT 1 FROM party v JOIN post p ON p.org_code = v.org_code JOIN tenure t ON t.post_id = p.id
    WHERE v.case_id = c.id AND v.valid_to IS NULL AND t.person_id = c.opened_by AND {in_force("t", TODAY)} AND {in_force("p", TODAY)})"""


def predecessors(conn: Connection, drafts: Sequence[int]) -> dict[int, str]:
    """Of these drafts, those whose writer has left their organisation, each with the writer's name."""
    rows = conn.execute(PREDECESSORS, (list(drafts),), prepare=True).fetchall() if drafts else []
    return dict(rows)


# Who left everything, and whose address or account is still there.
LEFT = f"""SELECT n.id, n.staff_no, n.name, n.mail <> '' AS mail, coalesce(NOT a.disabled, false) AS account,
  (SELECT max(t.valid_to) FROM tenure t WHERE t.person_id = n.id) AS since
FROM person n LEFT JOIN account a ON a.person_id = n.id
WHERE (n.mail <> '' OR NOT a.disabled) AND EXISTS (SELECT 1 FROM tenure t WHERE t.person_id = n.id)
  AND NOT EXISTS (SELECT 1 FROM tenure t WHERE t.person_id = n.id AND (t.valid_to IS NULL OR t.valid_to >= {TODAY}))
ORDER BY since, n.id LIMIT 50"""


def left(conn: Connection, actor: Actor) -> list[dict[str, Any]]:
    """Persons who hold no post today or later, and can still sign in or be written to. Raises `NotFound`."""
    administrator(actor)
    return _dicts(conn, LEFT, {})


def _dicts(conn: Connection, text: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(text, params).fetchall()
