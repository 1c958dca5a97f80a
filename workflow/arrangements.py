"""How an organisation wants things done, with dates: today, whether a municipality approves its requests before they leave it.

The newest row that has begun counts. Its own decider settles it for a municipality, the administrator for any.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg.rows import dict_row

from states.dates import read_date
from workflow.access import HELD, TODAY, Actor
from workflow.loading import Connection, NotFound

OWN_APPROVAL = "own_approval"
DECIDES, SETTLES_ALL = "municipality_head", "administrator"
SETTLES = frozenset({DECIDES, SETTLES_ALL})


@dataclass
class NotSettled(Exception):
    """Why nothing was changed, in Japanese."""

    sentence: str


LISTED = f"""SELECT o.code, o.name, o.office, b.short AS bureau, coalesce(
    (SELECT s.value FROM organisation_setting s WHERE s.org_code = o.code AND s.name = '{OWN_APPROVAL}' AND s.valid_from <= {TODAY}
     ORDER BY s.valid_from DESC LIMIT 1), 'no') = 'yes' AS asked,
  (SELECT s.valid_from FROM organisation_setting s WHERE s.org_code = o.code AND s.name = '{OWN_APPROVAL}' ORDER BY s.valid_from DESC LIMIT 1)
    AS since,
  (SELECT count(*) FROM tenure t JOIN post p ON p.id = t.post_id WHERE p.org_code = o.code AND p.role = '{DECIDES}'
     AND {HELD.replace("t.person_id = %(person)s AND ", "")}) AS deciders
FROM organisation o LEFT JOIN organisation b ON b.code = o.office AND b.valid_to IS NULL
WHERE o.kind = 'municipality' AND o.valid_to IS NULL AND (%(all)s OR o.code = ANY (%(orgs)s))
  AND (%(office)s = '' OR o.office = %(office)s) ORDER BY o.sort, o.code"""


def listed(conn: Connection, actor: Actor, office: str = "") -> Sequence[Mapping[str, Any]]:
    """The municipalities whose arrangement this person may settle: code, name, asked, since, deciders. Raises `NotFound`."""
    if not actor.roles & SETTLES:
        raise NotFound
    own = [post.org_code for post in actor.posts if post.role == DECIDES]
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            LISTED, {"all": SETTLES_ALL in actor.roles, "orgs": own, "office": office}, prepare=True
        ).fetchall()


def settle(conn: Connection, actor: Actor, code: str, *, asked: bool, since: str) -> None:
    """Ask for the municipality's own approval, or no longer, from a day on. Raises `NotFound`, `NotSettled`."""
    row = next((row for row in listed(conn, actor) if row["code"] == code), None)
    if row is None:
        raise NotFound
    reading = read_date(since)
    today = _today(conn)
    if reading.date is None:
        raise NotSettled(f"{reading.problem or '始める日を書いてください。'}何も変えていません。")
    if reading.date < today:
        raise NotSettled(
            "始める日は、今日より前にはできません。何も変えていません。今日か、これからの日にしてください。"
        )
    if asked and not row["deciders"]:
        said = "には、決裁する人(市町村の決裁者の職)がまだ登録されていません。何も変えていません。先に利用者を登録してください。"
        raise NotSettled(f"{row['name']}{said}")
    conn.execute(
        """INSERT INTO organisation_setting (org_code, name, valid_from, value) VALUES (%s, %s, %s, %s)
           ON CONFLICT (org_code, name, valid_from) DO UPDATE SET value = EXCLUDED.value""",
        (code, OWN_APPROVAL, reading.date, "yes" if asked else "no"),
    )


def _today(conn: Connection) -> date:
    row = conn.execute(f"SELECT {TODAY}", prepare=True).fetchone()
    assert row is not None
    day: date = row[0]
    return day
