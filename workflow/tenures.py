"""What an administrator changes of posts: begun and ended, held and left, deputies in another order, another superior.

Nothing is written over: a row is ended, another begins, and a sentence of who did it is added to the record. Nobody seats
himself.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from states.dates import read_date, wareki
from states.seats import ACTING, CHARGE, CONCURRENT, JOINT, MAIN, STAND_INS, TENURES
from states.text import narrow, problems
from workflow.access import SCOPE_OF, Actor, seated_in
from workflow.cases import today
from workflow.colleagues import NotTaken
from workflow.loading import Connection, NotFound
from workflow.posts import ROLES, administrator
from workflow.seating import superior_on

LONGEST = 60  # characters of a section, a title, an order number
BACK, AHEAD = 31, 3660  # days from today: an order may come late, never rewrite last year
FOREVER = date(9999, 12, 31)
DAY = timedelta(days=1)
# What each kind of tenure does not share a post with.
BESIDE = {
    MAIN: frozenset({MAIN, CONCURRENT, CHARGE, ACTING}), CONCURRENT: frozenset({MAIN, CONCURRENT, CHARGE, ACTING}), JOINT: frozenset(STAND_INS),
    CHARGE: frozenset(TENURES), ACTING: frozenset(TENURES),
}  # fmt: skip


def record(conn: Connection, actor: Actor, post: int | None, said: str) -> None:
    """Add to the record what was done."""
    conn.execute(
        "INSERT INTO post_record (at, set_by, post_id, said) VALUES (clock_now(), %s, %s, %s)",
        (actor.person_id, post, said),
    )


# ── posts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def add_post(conn: Connection, actor: Actor, typed: Mapping[str, str]) -> int:
    """A new post; `typed` holds office, section, title, role, since. Raises `NotFound`, `NotTaken`."""
    administrator(actor)
    wrong: dict[str, str] = {}
    office, role = typed.get("office", ""), typed.get("role", "")
    section, title = _words(typed, "section", "係・課", wrong), _words(typed, "title", "職名", wrong, need=True)
    since = _day(conn, typed, "since", "始まる日", wrong)
    if role not in ROLES:
        wrong["role"] = "この職でできること(役割)を選んでください。"
    there = conn.execute(ORGANISATION, (office, since, since)).fetchone() if since else None
    if since and there is None:
        wrong["office"] = f"その組織は、{wareki(since)}にはありません。組織を選び直してください。"
    elif there and role in ROLES and not seated_in(role, there[0]):
        wrong["role"] = f"「{ROLES['body']}」は認めた団体だけに置け、認めた団体にはほかの役割を置けません。"
    if wrong or since is None:
        raise NotTaken(wrong)
    row = conn.execute(
        "INSERT INTO post (org_code, section, title, role, scope, valid_from) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
        (office, section, title, role, SCOPE_OF[role], since),
    ).fetchone()
    assert row is not None
    record(conn, actor, row[0], f"職「{called(section, title)}」({ROLES[role]})を{wareki(since)}から置きました。")
    return int(row[0])


ORGANISATION = """SELECT kind FROM organisation WHERE code = %s AND (valid_from IS NULL OR valid_from <= %s)
  AND (valid_to IS NULL OR valid_to >= %s)"""


def end_post(conn: Connection, actor: Actor, number: int, typed: Mapping[str, str]) -> None:
    """End a post with its day `last`; whoever holds it beyond is left first. Raises `NotFound`, `NotTaken`."""
    row = _post(conn, actor, number)
    wrong: dict[str, str] = {}
    last = _day(conn, typed, "last", "終わる日", wrong)
    if last and last < row["valid_from"]:
        wrong["last"] = f"終わる日が、始まった日({wareki(row['valid_from'])})より前です。日を直してください。"
    elif last and row["valid_to"] is not None:
        wrong["last"] = f"この職は、もう{wareki(row['valid_to'])}で終わることになっています。"
    elif last and (beyond := _overlapping(conn, number, last + DAY, None)):
        people = "、".join(dict.fromkeys(one["name"] for one in beyond))
        wrong["last"] = f"その日より後も就いている人({people})がいます。先に、任期の終わりを入れてください。"
    if wrong or last is None:
        raise NotTaken(wrong)
    with conn.transaction():
        conn.execute("UPDATE post SET valid_to = %s WHERE id = %s", (last, number))
        conn.execute(
            """UPDATE deputy SET valid_to = greatest(%(last)s, valid_from - 1)
               WHERE (post_id = %(post)s OR deputy_id = %(post)s) AND (valid_to IS NULL OR valid_to > %(last)s)""",
            {"last": last, "post": number},
        )
        record(conn, actor, number, f"職「{_called(row)}」を{wareki(last)}で終わりにしました。代決の順からも外れます。")


# ── tenures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def begin(conn: Connection, actor: Actor, number: int, typed: Mapping[str, str]) -> int:
    """Seat a person; `typed` holds person (staff number), kind, from, to (may be blank), order. Raises `NotFound`, `NotTaken`."""
    row = _post(conn, actor, number)
    with conn.transaction():
        conn.execute(
            "SELECT 1 FROM post WHERE id = %s FOR UPDATE", (number,)
        )  # two who seat somebody at once do it in turn
        return _begun(conn, actor, row, typed)


def _begun(conn: Connection, actor: Actor, row: Mapping[str, Any], typed: Mapping[str, str]) -> int:
    number, wrong = row["id"], dict[str, str]()
    person = person_of(conn, typed.get("person", ""))
    kind, order = typed.get("kind", ""), _words(typed, "order", "発令番号", wrong)
    first = _day(conn, typed, "from", "始まりの日", wrong)
    last = _day(conn, typed, "to", "終わりの日", wrong) if typed.get("to", "").strip() else None
    if person is None:
        wrong["person"] = "その職員番号の人は登録されていません。番号を確かめるか、先に利用者を登録してください。"
    if kind not in TENURES:
        wrong["kind"] = "発令の種類を選んでください。"
    if first and last and last < first:
        wrong["to"] = "終わりの日が始まりの日より前です。どちらかを直してください。"
    if person and first and not wrong:
        wrong |= conflict(conn, actor, row, person, kind, first, last)
    if wrong or person is None or first is None:
        raise NotTaken(wrong)
    until = f"{wareki(last)}まで" if last else ""
    said = f"「{_called(row)}」に{person[1]}({TENURES[kind]})を{wareki(first)}から{until}就けました。"
    record(conn, actor, number, said)
    return seat(conn, number, person[0], kind, first, last, order)


def seat(conn: Connection, post: int, person: int, kind: str, first: date, last: date | None, order: str) -> int:
    """A tenure as a row; asked before by `conflict`."""
    row = conn.execute(
        "INSERT INTO tenure (person_id, post_id, valid_from, valid_to, kind, order_no) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
        (person, post, first, last, kind, order),
    ).fetchone()
    assert row is not None
    return int(row[0])


def conflict(
    conn: Connection,
    actor: Actor,
    post: Mapping[str, Any],
    person: tuple[int, str],
    kind: str,
    first: date,
    last: date | None,
) -> dict[str, str]:
    """Why this person cannot be seated so, by field; empty where it can be done."""
    if person[0] == actor.person_id:
        return {"person": "自分を職に就けることはできません。ほかの管理者に頼んでください。"}
    if first < post["valid_from"] or (post["valid_to"] and (last or FOREVER) > post["valid_to"]):
        there = f"{wareki(post['valid_from'])}から" + (f"{wareki(post['valid_to'])}まで" if post["valid_to"] else "")
        return {"from": f"この職は{there}です。任期をその中に収めてください。"}
    for one in _overlapping(conn, post["id"], first, last):
        span = f"{wareki(one['valid_from'])}から" + (f"{wareki(one['valid_to'])}まで" if one["valid_to"] else "")
        if one["person_id"] == person[0]:
            return {"from": f"{one['name']}は、{span}この職に就いています。期間が重なっています。"}
        if one["kind"] in BESIDE[kind] or kind in BESIDE[one["kind"]]:
            said = f"{span}は{one['name']}({TENURES[one['kind']]})が就いています。"
            if kind in STAND_INS:
                return {"kind": f"{said}{TENURES[kind]}は、空いた職だけに置けます。不在の間は代決になります。"}
            return {"from": f"{said}先に、その任期の終わりを入れてください。"}
    return {}


OVERLAPPING = """SELECT t.id, t.person_id, t.kind, t.valid_from, t.valid_to, n.name FROM tenure t JOIN person n ON n.id = t.person_id
WHERE t.post_id = %(post)s AND t.valid_from <= coalesce(%(last)s, date '9999-12-31')
  AND coalesce(t.valid_to, date '9999-12-31') >= greatest(%(first)s, t.valid_from) ORDER BY t.valid_from, t.id"""


def _overlapping(conn: Connection, post: int, first: date, last: date | None) -> list[dict[str, Any]]:
    found = conn.execute(OVERLAPPING, {"post": post, "first": first, "last": last}).fetchall()
    return [dict(zip(("id", "person_id", "kind", "valid_from", "valid_to", "name"), row, strict=True)) for row in found]


def end(conn: Connection, actor: Actor, tenure: int, typed: Mapping[str, str]) -> int:
    """End a tenure with its day `last`; returns the post. Raises `NotFound`, `NotTaken`."""
    administrator(actor)
    row = conn.execute(
        """SELECT t.post_id, t.valid_from, t.valid_to, n.name, p.section, p.title, t.kind FROM tenure t JOIN person n ON n.id = t.person_id
           JOIN post p ON p.id = t.post_id WHERE t.id = %s AND (t.valid_to IS NULL OR t.valid_to >= t.valid_from)""",
        (tenure,),
    ).fetchone()
    if row is None:
        raise NotFound
    post, first, until, name, section, title, kind = row
    wrong: dict[str, str] = {}
    field = f"last-{tenure}"
    last = _day(conn, {field: typed.get(field, "")}, field, "終わりの日", wrong)
    if last and last < first:
        wrong[field] = f"終わりの日が、始まりの日({wareki(first)})より前です。日を直してください。"
    elif last and until is not None and until < today(conn):
        wrong[field] = f"この任期は{wareki(until)}に終わっています。済んだことは書き換えられません。"
    if wrong or last is None:
        raise NotTaken(wrong)
    with conn.transaction():
        conn.execute("UPDATE tenure SET valid_to = %s WHERE id = %s", (last, tenure))
        said = f"「{called(section, title)}」の{name}({TENURES[kind]})の任期の終わりを{wareki(last)}にしました。"
        record(conn, actor, post, said)
    return int(post)


def person_of(conn: Connection, typed: str) -> tuple[int, str] | None:
    """Id and name of the person with this staff number; zeros in front that a table has lost do not matter."""
    number = narrow(typed)
    if not number or "\0" in number:
        return None
    found = conn.execute(
        "SELECT id, name, staff_no = %(no)s FROM person WHERE staff_no = %(no)s OR ltrim(staff_no, '0') = ltrim(%(no)s, '0') ORDER BY 3 DESC, id",
        {"no": number},
    ).fetchall()
    if found and (found[0][2] or len(found) == 1):
        return int(found[0][0]), str(found[0][1])
    return None


# ── deputies and superior ───────────────────────────────────────────────────────────────────────────────────────────


def set_deputies(conn: Connection, actor: Actor, number: int, posts: Sequence[str], since: str) -> None:
    """Let these posts stand in, in this order, from a day on. Raises `NotFound`, `NotTaken`."""
    row = _post(conn, actor, number)
    wrong: dict[str, str] = {}
    first = _day(conn, {"deputies-since": since}, "deputies-since", "始める日", wrong)
    ids = [int(post) for post in posts if post.isascii() and post.isdecimal() and len(post) < 19]
    known = dict(conn.execute(
        "SELECT id, concat_ws(' ', nullif(section, ''), title) FROM post WHERE id = ANY (%s) AND org_code = %s AND (valid_to IS NULL OR valid_to >= %s)",
        (ids, row["org_code"], first or today(conn)),
    ).fetchall())  # fmt: skip
    if number in ids:
        wrong["deputy-1"] = "自分の職を、自分の代わりにはできません。ほかの職を選んでください。"
    elif len(set(ids)) < len(ids):
        wrong["deputy-1"] = "同じ職が2回選ばれています。順序に1回だけ入れてください。"
    elif len(ids) < len([post for post in posts if post]) or set(ids) != set(known):
        wrong["deputy-1"] = "その日には無い職か、ほかの組織の職が選ばれています。選び直してください。"
    if wrong or first is None:
        raise NotTaken(wrong)
    with conn.transaction():
        conn.execute(
            """UPDATE deputy SET valid_to = greatest(%(last)s, valid_from - 1) WHERE post_id = %(post)s
               AND (valid_to IS NULL OR valid_to > %(last)s)""",
            {"post": number, "last": first - DAY},
        )
        for sort, deputy in enumerate(ids, start=1):
            conn.execute(
                "INSERT INTO deputy (post_id, deputy_id, sort, valid_from) VALUES (%s, %s, %s, %s)",
                (number, deputy, sort, first),
            )
        order = "、".join(f"{place} {known[deputy]}" for place, deputy in enumerate(ids, start=1)) or "なし"
        record(conn, actor, number, f"「{_called(row)}」の代決の順を、{wareki(first)}から「{order}」にしました。")


ABOVE = f"""WITH RECURSIVE up AS (SELECT %(superior)s::bigint AS id, 1 AS steps UNION ALL
  SELECT {superior_on("%(day)s::date")}, up.steps + 1 FROM up JOIN post p ON p.id = up.id WHERE up.id <> %(post)s AND up.steps < 50)
SELECT 1 FROM up WHERE id = %(post)s"""


def set_superior(conn: Connection, actor: Actor, number: int, superior: str, since: str) -> None:
    """Set the post above, "" for none, from a day on. Raises `NotFound`, `NotTaken`."""
    row = _post(conn, actor, number)
    wrong: dict[str, str] = {}
    first = _day(conn, {"superior-since": since}, "superior-since", "始める日", wrong)
    above = int(superior) if superior.isascii() and superior.isdecimal() and len(superior) < 19 else None
    name = None
    if superior:
        found = conn.execute(
            "SELECT concat_ws(' ', nullif(section, ''), title) FROM post WHERE id = %s AND (valid_to IS NULL OR valid_to >= %s)",
            (above, first or today(conn)),
        ).fetchone()
        name = found[0] if found else None
        if name is None:
            wrong["superior"] = "その日には無い職です。選び直してください。"
        elif above == number:
            wrong["superior"] = "自分の職を、自分の上位の職にはできません。"
        elif first and conn.execute(ABOVE, {"superior": above, "post": number, "day": first}).fetchone():
            wrong["superior"] = (
                f"「{name}」の上位をたどると、この職に戻ります。先に「{name}」の上位の職を直してください。"
            )
    if wrong or first is None:
        raise NotTaken(wrong)
    with conn.transaction():
        conn.execute(
            "INSERT INTO superior (post_id, superior_id, valid_from) VALUES (%s, %s, %s)", (number, above, first)
        )
        said = f"「{_called(row)}」の上位の職を、{wareki(first)}から「{name or 'なし'}」にしました。"
        record(conn, actor, number, said)


# ── who has left ────────────────────────────────────────────────────────────────────────────────────────────────────

GONE = """SELECT n.name, n.staff_no FROM person n WHERE n.id = %(person)s
  AND NOT EXISTS (SELECT 1 FROM tenure t WHERE t.person_id = n.id AND (t.valid_to IS NULL OR t.valid_to >= %(today)s))"""


def clear_contact(conn: Connection, actor: Actor, person: int) -> None:
    """Remove the mail address of somebody who has left, and close the account; the records keep the name. Raises `NotFound`."""
    administrator(actor)
    row = conn.execute(GONE, {"person": person, "today": today(conn)}).fetchone()
    if row is None:
        raise NotFound
    with conn.transaction():
        conn.execute("UPDATE person SET mail = '' WHERE id = %s", (person,))
        conn.execute("UPDATE account SET disabled = true WHERE person_id = %s", (person,))
        conn.execute("DELETE FROM session WHERE person_id = %s", (person,))
        conn.execute("DELETE FROM feed WHERE person_id = %s", (person,))
        said = f"離任した{row[0]}(職員番号 {row[1]})のメールアドレスを消し、アカウントを使えなくしました。記録の氏名は残ります。"
        record(conn, actor, None, said)


# ── reading what was typed ──────────────────────────────────────────────────────────────────────────────────────────


def called(section: str, title: str) -> str:
    """Section and title as one name."""
    return " ".join(filter(None, (section, title)))


def _called(row: Mapping[str, Any]) -> str:
    return called(row["section"], row["title"])


def _post(conn: Connection, actor: Actor, number: int) -> dict[str, Any]:
    """The post. Raises `NotFound`, also for who keeps no posts."""
    administrator(actor)
    names = ("id", "org_code", "section", "title", "role", "valid_from", "valid_to")
    row = conn.execute(f"SELECT {', '.join(names)} FROM post WHERE id = %s", (number,)).fetchone()
    if row is None:
        raise NotFound
    return dict(zip(names, row, strict=True))


def _words(typed: Mapping[str, str], field: str, label: str, wrong: dict[str, str], *, need: bool = False) -> str:
    text = typed.get(field, "").strip()
    if need and not text:
        wrong[field] = f"{label}を書いてください。"
    elif found := problems(text):
        wrong[field] = f"{label}に使えない文字({'、'.join(found)})があります。取り除いてください。"
    elif len(text) > LONGEST:
        wrong[field] = f"{label}は{LONGEST}字までです。いまは{len(text)}字あります。"
    return text


def _day(conn: Connection, typed: Mapping[str, str], field: str, label: str, wrong: dict[str, str]) -> date | None:
    """A day that may still be settled."""
    reading, now = read_date(typed.get(field, "")), today(conn)
    if reading.date is None:
        wrong[field] = reading.problem or f"{label}を書いてください。"
    elif not -BACK <= (reading.date - now).days <= AHEAD:
        wrong[field] = (
            f"{label}は、{BACK}日前から10年先までにしてください。それより前の任期は、済んだこととして動かせません。"
        )
        return None
    return reading.date
