"""An office with a line of posts, deputies and a table of decisions, for tests of routes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from tests import factory
from workflow import cases
from workflow.db import type_connection

LINE = (  # key, section, title
    ("chief", "地域政策課", "係長"),
    ("head", "地域政策課", "課長"),
    ("general", "総務課", "課長"),
    ("health", "保健行政室", "室長"),
    ("department", "", "部長"),
    ("vice", "", "副局長"),
)
ROUTE = (
    {"kind": "review", "asked": [{"title": "係長", "section": "="}]},
    {"kind": "review", "asked": [{"title": "課長", "section": "="}]},
    {"kind": "consent", "asked": [{"title": "課長", "section": "総務課"}, {"title": "室長"}]},
    {"kind": "decide", "asked": [{"title": "局長"}]},
)


@dataclass(frozen=True)
class Line:
    """The people of an office by key, the posts by key, and everybody else of the road."""

    who: factory.Cast
    people: Mapping[str, int]
    posts: Mapping[str, int]
    administrators: tuple[int, int]

    def __getattr__(self, key: str) -> int:
        return self.people[key]


def line(conn: type_connection, who: factory.Cast) -> Line:
    """The office's line of posts, each with one person; the director's deputies are vice and department, the superior is headquarters'."""
    people, posts = {"director": who.director, "officer": who.bureau}, {}
    for key, section, title in LINE:
        people[key] = factory.person(conn, "bureau", who.office, section=section, title=title)
        posts[key] = held(conn, people[key])
    posts |= {"director": held(conn, who.director), "officer": held(conn, who.bureau)}
    conn.execute("UPDATE post SET section = '地域政策課' WHERE id = %s", (posts["officer"],))
    people["above"] = factory.person(conn, "headquarters", factory.HEADQUARTERS, title="局長")
    posts["above"] = held(conn, people["above"])
    conn.execute("UPDATE post SET superior_id = %s WHERE id = %s", (posts["above"], posts["director"]))
    for sort, key in enumerate(("vice", "department"), start=1):
        deputy(conn, posts["director"], posts[key], sort)
    administrators = tuple(factory.person(conn, "administrator", factory.HEADQUARTERS) for _ in range(2))
    return Line(who, people, posts, (administrators[0], administrators[1]))


def held(conn: type_connection, person: int) -> int:
    """The post that a person holds."""
    row = conn.execute("SELECT post_id FROM tenure WHERE person_id = %s ORDER BY id LIMIT 1", (person,)).fetchone()
    assert row is not None
    return int(row[0])


def deputy(conn: type_connection, post: int, stands_in: int, sort: int) -> None:
    conn.execute(
        "INSERT INTO deputy (post_id, deputy_id, sort, valid_from) VALUES (%s, %s, %s, %s)",
        (post, stands_in, sort, factory.LONG_AGO),
    )


def rule(
    conn: type_connection, office: Line, stages: Sequence[Mapping[str, Any]] = ROUTE, *, process: str = "dispatch", matter: str = "dispatch", tests: Sequence[Mapping[str, Any]] = (),
    article: str = "専決規程 別表2の4", since: date = factory.LONG_AGO, **flags: Any,
) -> int:  # fmt: skip
    """A row of the table of decisions, consented to by the second administrator; its id."""
    first, second = office.administrators
    told = {"standing": False, "no_deputy": False, "bulk": False, "sort": 0, "office": office.who.office} | flags
    row = conn.execute(
        """INSERT INTO authority_rule (process, matter, office, article, tests, stages, standing, no_deputy, bulk, sort, valid_from, reason,
             set_by, set_at, consented_by, consented_at)
           VALUES (%s, %s, %s, %s, %s::jsonb, %s::jsonb, %s, %s, %s, %s, %s, '試験', %s, now(), %s, now()) RETURNING id""",
        (process, matter, told["office"], article, json.dumps(list(tests)), json.dumps([dict(stage) for stage in stages]), told["standing"], told["no_deputy"],
         told["bulk"], told["sort"], since, first, second),
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def away(conn: type_connection, person: int, *, kind: str = "trip", days: int = 3) -> None:
    """The person is absent from today for some days."""
    today = cases.today(conn)
    conn.execute(
        "INSERT INTO absence (person_id, valid_from, valid_to, entered_by, kind) VALUES (%s, %s, %s, %s, %s)",
        (person, today, today + timedelta(days=days), person, kind),
    )


def back(conn: type_connection, person: int) -> None:
    conn.execute("DELETE FROM absence WHERE person_id = %s", (person,))


def put_up(
    conn: type_connection,
    office: Line,
    *,
    by: int | None = None,
    inputs: Mapping[str, Any] | None = None,
    **request: Any,
) -> int:
    """A request that has been put up for decision by the officer (or by `by`); the case."""
    made = factory.opened(conn, office.who, **request)
    factory.drive(conn, office.who, made, "submit", "receive", "propose_team")
    typed = {"note": "助言の要請であり、職員2名で対応できる。"} | dict(inputs or {})
    factory.drive(conn, office.who, made, ("put_to_director", {"by": by or office.officer, "inputs": typed}))
    return made


def act(conn: type_connection, person: int, case: int, name: str, **inputs: Any) -> cases.Done:
    """One verb by one person on the case as it stands."""
    return cases.act(conn, person, case, name, version=factory.version(conn, case), key=uuid4(), inputs=inputs)
