"""Who waits for others: the rows that the view reads say what the open steps of the routes say, and its pages are all of it in order."""

import pytest

from tests import factory, offices
from tests.offices import act
from workflow import views
from workflow.access import SCOPE, VISIBLE

STEPS = """SELECT s.case_id, u.who, min(s.due_at) FROM step s, unnest(s.awaited_by) AS u (who) WHERE s.closed_at IS NULL
GROUP BY s.case_id, u.who ORDER BY 1, 2"""
ROWS = "SELECT case_id, who, due_at FROM waiting ORDER BY 1, 2"
# What the view means, said in one piece: gathered over every open step, without an order of reading.
MEANT = f"""WITH {SCOPE}, desk AS (SELECT post ->> 1 AS org, '#' || (post ->> 0) AS role FROM me, jsonb_array_elements(me.posts) AS post
  UNION SELECT post ->> 1, post ->> 4 FROM me, jsonb_array_elements(me.posts) AS post)
SELECT s.case_id, min(s.due_at), min(s.opened_at) FROM step s JOIN cases c ON c.id = s.case_id CROSS JOIN me
WHERE s.closed_at IS NULL AND s.awaited_by && ((SELECT array_agg(d.role::varchar) FROM desk d) || ('@' || %(person)s::bigint)::varchar) AND {VISIBLE}
  AND NOT EXISTS (SELECT 1 FROM step o JOIN desk d ON d.org = o.org_code AND d.role = o.role WHERE o.case_id = s.case_id
    AND o.closed_at IS NULL AND o.kind NOT IN ('read', 'advice') AND (o.person_id IS NULL OR o.person_id = %(person)s))
GROUP BY s.case_id ORDER BY 2, 1"""


@pytest.fixture
def office(clock, conn, who):
    made = offices.line(conn, who)
    offices.rule(conn, made)
    return made


def same(conn):
    """The rows, where they are what the steps say."""
    rows = conn.execute(ROWS).fetchall()
    assert rows == conn.execute(STEPS).fetchall()
    return rows


def paged(conn, person, limit):
    found, after = [], ""
    while True:
        page = views.others(conn, person, after=after, limit=limit)
        assert len(page.rows) <= limit
        found += [(row["case_id"], row["due_at"], row["asked_at"]) for row in page.rows]
        if not (after := page.next):
            return found


def test_the_rows_follow_the_route_from_its_beginning_to_its_end(conn, office):
    case = offices.put_up(conn, office)
    seen = [same(conn)]
    for who, name in (
        ("chief", "approve_step"), ("head", "approve_step"), ("general", "agree_step"), ("health", "agree_step"),
    ):  # fmt: skip
        act(conn, office.people[who], case, name)
        seen.append(same(conn))
    assert all(seen)
    assert len({tuple(who for _, who, _ in rows) for rows in seen}) == len(seen), "with every answer others wait"
    act(conn, office.director, case, "send_back", reason="見直すこと。", then="again")
    assert same(conn) == []
    act(conn, office.officer, case, "put_to_director", **factory.TYPED.get("put_to_director", {}))
    assert same(conn) == seen[0]


def test_every_page_together_is_what_is_meant_in_its_order(conn, office):
    made = [offices.put_up(conn, office) for _ in range(7)]
    for number, case in enumerate(made):  # some due on the same moment, others not
        for table in ("step", "waiting"):
            conn.execute(
                f"UPDATE {table} SET due_at = '2026-12-01'::timestamptz - %s * interval '1 hour' WHERE case_id = %s",
                (number // 3, case),
            )
    for case in made[1::2]:
        act(conn, office.chief, case, "approve_step")
    act(conn, office.head, made[1], "approve_step")
    act(conn, office.general, made[1], "disagree_step", remark="予算がない。")
    same(conn)
    shown = 0
    for person in office.people.values():
        meant = conn.execute(MEANT, {"person": person}).fetchall()
        assert [paged(conn, person, limit) for limit in (1, 2, 3, 30)] == [meant] * 4
        assert views.counts(conn, person, dict.fromkeys(views.VIEWS[""], 0))[views.OTHERS] == len(meant)
        shown += len(meant)
    assert shown > len(made)


def test_who_holds_a_post_and_drafted_too_sees_a_case_once(conn, office):
    case = offices.put_up(conn, office)
    act(conn, office.chief, case, "approve_step")
    conn.execute(
        "INSERT INTO tenure (person_id, post_id, valid_from, kind) VALUES (%s, %s, %s, 'concurrent')",
        (office.chief, office.posts["director"], factory.LONG_AGO),
    )
    keys = {who for _, who, _ in same(conn)}
    assert {f"@{office.chief}", f"#{office.posts['director']}"} <= keys
    assert [row["case_id"] for row in views.others(conn, office.chief).rows] == [case]


def test_a_case_that_one_may_not_see_is_not_waited_for(conn, office):
    case = offices.put_up(conn, office)
    assert [row["case_id"] for row in views.others(conn, office.officer).rows] == [case]
    conn.execute("UPDATE party SET valid_to = '2020-01-01', until_seq = 1 WHERE case_id = %s", (case,))
    assert views.others(conn, office.officer).rows == []
