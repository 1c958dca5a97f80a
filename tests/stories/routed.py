"""An office that decides by routes, for the stories: its line of posts, each with a person who can sign in."""

from datetime import date

from tests import factory, offices
from tests.offices import Line, act
from tests.stories.system import ACCOUNT, System, hashed
from workflow.db import type_connection

TEAM = (
    {"kind": "consent", "asked": [{"title": "課長", "section": "総務課"}], "covers": ["team"]},
    {"kind": "decide", "asked": [{"title": "局長"}]},
)


def office(system: System, stages: object = offices.ROUTE) -> Line:
    """The line of the story's office with a rule for dispatches; everybody signs in by the key of the post."""
    with system.db.connection() as conn:
        made = offices.line(conn, system.who)
        for key, person in made.people.items():
            if key not in ("director", "officer"):
                account(conn, person, key)
        offices.rule(conn, made, stages)  # type: ignore[arg-type]
    return made


def account(conn: type_connection, person: int, login: str) -> None:
    """Somebody who can sign in."""
    conn.execute(ACCOUNT, (person, login, hashed()))


def put_up(system: System, line: Line, title: str, *answers: tuple[str, str]) -> int:
    """A case that the officer has put up and these posts have answered (key, act)."""
    with system.db.connection() as conn:
        case = offices.put_up(conn, line, title=title)
        for key, name in answers:
            act(conn, line.people[key], case, name)
    return case


def succeeded(conn: type_connection, line: Line, key: str, day: date, name: str) -> int:
    """Another person holds the post from that day on; who held it has another post then."""
    before = line.people[key]
    conn.execute("UPDATE tenure SET valid_to = %s::date - 1 WHERE person_id = %s AND valid_to IS NULL", (day, before))
    factory.post(conn, before, "bureau", line.who.office, section="地域創生部", title="主査", since=day)
    new = factory.person(conn, "bureau", line.who.office, section="地域創生部", title="主任", name=name, until=day)
    conn.execute("INSERT INTO tenure (person_id, post_id, valid_from) VALUES (%s, %s, %s)", (new, line.posts[key], day))
    account(conn, new, f"new_{key}")
    return new


ALL_BUT_DECIDED = (
    ("chief", "approve_step"),
    ("head", "approve_step"),
    ("general", "agree_step"),
    ("health", "agree_step"),
)
