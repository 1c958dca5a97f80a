"""Every route × role in one table. A route that is not listed fails; a foreign case does not exist; reading changes nothing.

What a person may do is asked with something missing wherever doing it would use the case up. So 422 reads "allowed, but
incomplete", 403 "not your role", 404 "there is no such thing for you", 303 "done", or for a reader without a session the
way to the sign-in; 401 answers a post of nobody.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from psycopg import sql
from starlette.testclient import TestClient

from states.authority import Address, Rule, Stage
from tests import council, factory, round_table
from tests.conftest import Database as Urls
from tests.factory import HEADQUARTERS, OFFICE
from tests.papers import PDF, attach
from workflow import (
    absences,
    accounts,
    calendar_days,
    cases,
    db,
    deadline_rules,
    decisions,
    outbox,
    recognitions,
    reports,
    search,
    views,
)
from workflow.access import actor
from workflow.calendar_days import Change
from workflow.deadlines import TOKYO
from workflow.settings import settings
from workflow.web.app import create_app

pytestmark = pytest.mark.timeout(600)  # some hundred routes for seventeen readers, every table looked at around each

ORIGIN = "http://testserver"
NOW = datetime(2026, 10, 14, 9, tzinfo=TOKYO)
PATH = re.compile(r"{(\w+)(?::\w+)?}")

# Who asks: nobody, then those whose case it is. Behind the line the same roles elsewhere: the next municipality, a member
# of the same staff who is not sent, and another bureau's officer, director and records officer.
COLUMNS = (
    "nobody", "municipality", "bureau", "director", "headquarters", "staff", "auditor", "records", "administrator",
    "next_municipality", "unsent_staff", "other_bureau", "other_director", "other_records",
)  # fmt: skip
# Who has but a small part in few cases: personnel, a body, another body. Where a row says nothing of them, they are told 404.
FEW = ("personnel", "body", "other_body")

Fields = Callable[["World"], dict[str, str]]


@dataclass(frozen=True)
class Row:
    """A route, what stands in its path, what is asked or sent, and the answer to each column."""

    method: str
    path: str
    told: str
    of: str = ""  # a thing of the world: a case, a report, an entry of the register
    action: str = ""
    query: str = ""
    fields: Fields = lambda world: {}
    file: bytes | None = None  # sent as a file, behind the fields

    @property
    def expected(self) -> dict[str, int]:
        here, elsewhere, *few = self.told.split("|")
        told = [*here.split(), *elsewhere.split(), *(few[0].split() if few else ["404"] * len(FEW))]
        return dict(zip(COLUMNS + FEW, map(int, told), strict=True))

    def address(self, world: "World") -> str:
        thing = {"draft": world.draft}.get(self.of, lambda: world.things.get(self.of, 0))
        parts = {
            "case_id": thing,
            "job_id": thing,
            "entry": thing,
            "action": lambda: self.action,
            "token": lambda: self.action,
            "kind": lambda: self.action,
            "code": lambda: self.action,
            "key": lambda: self.action,
            "file_id": lambda: world.things.get(self.action, 1),
            "tenure": lambda: world.things["tenure"],
            "step": lambda: 1,
            "seq": lambda: self.action,
        }
        return PATH.sub(lambda name: str(parts[name[1]]()), self.path) + self.query


def sent(**fields: str) -> Fields:
    return lambda world: fields


def _paper(scope: str, world: "World") -> dict[str, str]:
    """What the forms of files and remarks send, nothing written."""
    return {"key": str(uuid4()), "scope": scope, "text": ""}


def act_on(case: str) -> Fields:
    """What the button of an act sends, its asked inputs left out."""
    return lambda world: {"version": str(factory.version(world.conn, world.things[case])), "key": str(uuid4())}


CASE = "/cases/{case_id:int}"
ACT = CASE + "/actions/{action}"
PAPER, INSIDE = (partial(_paper, scope) for scope in ("shared", "internal"))
REPORT = sent(report="dispatch/year-end", office=OFFICE, year="2026")

# fmt: off
ROWS = (
    #                                            nob mun bur dir  hq stf aud rec adm | nxt uns bur dir rec
    Row("GET",  "/",                            "303 303 303 303 303 303 303 303 303 | 303 303 303 303 303 | 303 303 303"),
    Row("GET",  "/static",                      "200 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200", query="/style.css"),
    Row("GET",  "/livez",                       "200 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200"),
    Row("GET",  "/readyz",                      "200 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200"),
    Row("GET",  "/login",                       "200 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200"),
    Row("POST", "/login",                       "403 403 403 403 403 403 403 403 403 | 403 403 403 403 403 | 403 403 403"),  # no token of the form
    Row("GET",  "/inbox",                       "303 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200"),
    Row("GET",  "/headquarters",                "303 404 404 404 200 404 404 404 404 | 404 404 404 404 404"),
    # Several cases at once: each row is asked by itself, and what one may not see is refused in the table. Kept views are one's own.
    Row("POST", "/inbox/bulk",                  "401 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200", fields=lambda world: {"key": str(uuid4()), "row": f"{world.things['judged']}:1", "do": "decide"}),
    Row("POST", "/inbox/bulk",                  "401 422 422 422 422 422 422 422 422 | 422 422 422 422 422 | 422 422 422", fields=lambda world: {"key": str(uuid4()), "do": "read"}),
    Row("POST", "/views",                       "401 303 303 303 303 303 303 303 303 | 303 303 303 303 303 | 303 303 303", fields=sent(list="/inbox?view=decide", name="今週の決裁")),
    Row("POST", "/views",                       "401 404 404 404 303 404 404 404 404 | 404 404 404 404 404", fields=sent(list="/headquarters?due=over", name="期限を過ぎたもの")),
    Row("POST", "/views/{entry:int}/drop",      "401 404 303 404 404 404 404 404 404 | 404 404 404 404 404", of="view"),
    Row("GET",  "/mailbox",                     "303 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200"),
    Row("GET",  "/cases",                       "303 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200"),
    Row("GET",  "/search",                      "303 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200", query="?q=空き家"),
    Row("GET",  "/search",                      "303 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200", query="?q=主任&what=people"),
    # A draft: its writer's office alone.
    Row("GET",  "/cases/new",                   "303 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200"),
    Row("POST", "/cases/new",                   "401 303 303 404 404 404 404 404 404 | 303 404 303 404 404", query="?process=dispatch&origin=municipality_request", fields=lambda world: {"key": str(uuid4())}),
    Row("POST", "/cases/new",                   "401 404 303 303 404 404 404 404 404 | 404 404 303 303 404", query="?process=dispatch&origin=director", fields=lambda world: {"key": str(uuid4())}),
    Row("GET",  CASE,                           "303 200 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft"),
    Row("POST", "/cases/new/autosave",          "401 200 200 404 404 404 404 404 404 | 200 404 200 404 404", query="?process=dispatch&origin=municipality_request", fields=lambda world: {"key": str(uuid4())}),
    Row("GET",  "/cases/copy",                  "303 200 200 404 404 404 404 404 404 | 200 404 200 404 404", query="?process=dispatch&origin=municipality_request"),
    Row("POST", "/cases/copy",                  "401 422 422 404 404 404 404 404 404 | 422 404 422 404 404", query="?process=dispatch&origin=municipality_request", fields=lambda world: {"key": str(uuid4())}),
    Row("GET",  CASE + "/autosave",             "303 200 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft"),
    Row("POST", CASE + "/autosave",             "401 200 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft", fields=sent(saves="0", **{"request.title": "書きかけ"})),
    Row("GET",  CASE + "/edit",                 "303 200 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft"),
    Row("POST", CASE + "/edit",                 "401 303 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft", fields=sent(saves="0")),
    Row("GET",  CASE + "/print",                "303 200 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft"),
    Row("POST", CASE + "/delete",               "401 303 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft"),
    Row("GET",  ACT,                            "303 200 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft", action="submit"),
    Row("POST", ACT,                            "401 303 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft", action="submit", fields=lambda world: {"version": "0", "key": str(uuid4())}),
    Row("GET",  CASE + "/letters/{kind}",       "303 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft", action="decision_notice"),
    Row("GET",  CASE + "/erase",                "303 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft"),
    Row("GET",  CASE + "/files",                "303 200 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft"),
    Row("POST", CASE + "/files",                "401 422 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft", fields=PAPER, file=b"no such type"),
    Row("POST", CASE + "/files/{file_id:int}/delete", "401 303 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft"),
    Row("GET",  CASE + "/remarks",              "303 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft"),
    Row("POST", CASE + "/remarks",              "401 403 404 404 404 404 404 404 404 | 404 404 404 404 404", of="draft", fields=PAPER),
    # A case in progress: its parties, whoever sees all, its staff. Somebody else's does not exist.
    Row("GET",  CASE,                           "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404", of="judged"),
    Row("GET",  CASE + "/print",                "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404", of="judged"),
    Row("POST", CASE + "/autosave",             "401 403 200 403 403 403 403 403 404 | 404 404 404 404 404", of="examined", query="?action=propose_team", fields=lambda world: {"saves": "0", "team.members.0.days": "11/4"}),
    Row("GET",  CASE + "/edit",                 "303 303 303 303 303 303 303 303 404 | 404 404 404 404 404", of="judged"),
    Row("POST", CASE + "/edit",                 "401 403 303 403 403 403 403 403 404 | 404 404 404 404 404", of="examined", query="?action=propose_team", fields=lambda world: {"saves": "0", "team.members.0.days": "11/4"}),
    Row("POST", CASE + "/delete",               "401 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="judged"),
    Row("GET",  ACT,                            "303 303 200 303 303 303 303 303 404 | 404 404 404 404 404", of="examined", action="propose_team"),
    Row("GET",  ACT,                            "303 303 303 200 303 303 303 303 404 | 404 404 404 404 404", of="judged", action="approve"),
    Row("POST", ACT,                            "401 403 403 422 403 403 403 403 404 | 404 404 404 404 404", of="judged", action="decline", fields=act_on("judged")),
    Row("POST", ACT,                            "401 422 422 403 403 403 403 403 404 | 404 404 404 404 404", of="judged", action="withdraw", fields=act_on("judged")),
    Row("POST", ACT,                            "401 403 422 403 403 403 403 403 404 | 404 404 404 404 404", of="examined", action="put_to_director", fields=act_on("examined")),
    Row("POST", ACT,                            "401 403 403 403 422 403 403 403 404 | 404 404 404 404 404", of="consulted", action="disagree", fields=act_on("consulted")),
    Row("POST", ACT,                            "401 403 422 403 403 422 403 403 404 | 404 404 404 404 404", of="returned", action="file_trip_report", fields=act_on("returned")),
    Row("POST", ACT,                            "401 403 403 403 403 403 403 403 404 | 404 404 404 404 404", of="decided", action="begin", fields=act_on("decided")),  # the clock's alone
    Row("POST", ACT,                            "401 409 409 409 409 409 409 409 404 | 404 404 404 404 404", of="judged", action="nothing", fields=act_on("judged")),
    Row("GET",  CASE + "/letters/{kind}",       "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404", of="decided", action="decision_notice"),
    # Who decides in which order, and what a decider had on the screen: the offices alone.
    Row("GET",  CASE + "/route",                "303 404 200 200 200 404 200 200 404 | 404 404 404 404 404", of="judged"),
    Row("GET",  CASE + "/shown/{seq:int}",      "303 404 200 200 200 404 200 200 404 | 404 404 404 404 404", of="decided", action="5"),
    Row("GET",  CASE + "/shown/{seq:int}",      "303 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="decided", action="2"),
    Row("GET",  CASE + "/shown/{seq:int}/print", "303 404 200 200 200 404 200 200 404 | 404 404 404 404 404", of="decided", action="5"),
    Row("GET",  CASE + "/letters/{kind}",       "303 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="decided", action="decline_notice"),
    Row("GET",  CASE + "/erase",                "303 404 404 404 404 404 404 200 404 | 404 404 404 404 404", of="judged"),
    Row("POST", CASE + "/erase",                "401 404 404 404 404 404 404 422 404 | 404 404 404 404 404", of="judged"),
    # Where a case came from and what came of it: told with it, tied by the offices, begun by who may open such a case.
    Row("GET",  CASE + "/thread",               "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404", of="judged"),
    Row("POST", CASE + "/thread",               "401 403 422 422 422 403 403 403 404 | 404 404 404 404 404", of="judged", fields=act_on("judged")),
    Row("POST", CASE + "/thread/untie",         "401 403 409 409 409 403 403 403 404 | 404 404 404 404 404", of="judged", fields=act_on("judged")),
    Row("POST", CASE + "/derive/{action}",      "401 403 403 403 403 403 403 403 404 | 404 404 404 404 404", of="returned", action="next", fields=act_on("returned")),  # not yet
    Row("POST", CASE + "/derive/{action}",      "401 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="returned", action="nothing", fields=act_on("returned")),
    # A board and a plan of the year are of a process that has them; a record is of a case that has one of that name.
    Row("GET",  CASE + "/board",                "303 200 200 200 200 404 200 200 404 | 404 404 404 404 404", of="session"),
    Row("GET",  CASE + "/board",                "303 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="judged"),
    Row("GET",  CASE + "/records/{key}",        "303 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="session", action="nothing"),
    Row("GET",  CASE + "/records/{key}",        "303 404 200 200 200 404 200 200 404 | 404 404 404 404 404", of="meeting", action="report"),
    Row("GET",  CASE + "/records/{key}",        "303 200 200 200 200 404 200 200 404 | 404 404 404 404 404", of="meeting", action="opinions_public"),
    Row("GET",  "/plans/{key}",                 "303 404 200 200 200 404 404 404 404 | 404 404 200 200 404", action="regional_council"),
    Row("GET",  "/published",                   "303 200 200 200 200 200 200 200 404 | 200 200 200 200 200"),
    # The months of a process in figures: the office's own, headquarters' of all.
    Row("GET",  "/monthly/{key}",               "303 404 200 200 200 404 404 404 404 | 404 404 200 200 404", action="consultation"),
    Row("GET",  "/monthly/{key}",               "303 404 404 404 404 404 404 404 404 | 404 404 404 404 404", action="dispatch"),
    Row("POST", "/monthly/{key}/file",          "401 404 200 200 200 404 404 404 404 | 404 404 200 200 404", action="consultation", fields=sent(year="2026")),
    Row("GET",  "/plans/{key}",                 "303 404 404 404 404 404 404 404 404 | 404 404 404 404 404", action="dispatch"),
    # The karte of a municipality: of one's own area, or one's own.
    Row("GET",  "/municipalities",              "303 303 200 200 200 404 200 200 404 | 303 404 200 200 200"),
    Row("GET",  "/municipalities/{code}",       "303 200 200 200 200 404 200 200 404 | 404 404 404 404 404", action="014591"),
    # Records that come in a file: brought by who enters requests for others, answered first, taken in then.
    Row("GET",  "/intake",                      "303 404 200 404 404 404 404 404 404 | 404 404 200 404 404"),
    Row("GET",  "/intake/form",                 "303 404 200 404 404 404 404 404 404 | 404 404 200 404 404", query="?process=dispatch"),
    Row("POST", "/intake",                      "401 404 200 404 404 404 404 404 404 | 404 404 200 404 404", fields=sent(process="dispatch"), file=b"[]"),
    Row("POST", "/intake/take",                 "401 404 422 404 404 404 404 404 404 | 404 404 422 404 404", fields=sent(process="dispatch", file="", do="all")),
    # Files and remarks: what is internal is for the offices alone, internal files for those whom the process lets read them.
    Row("GET",  CASE + "/files",                "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404", of="returned"),
    Row("POST", CASE + "/files",                "401 422 422 422 422 422 403 403 404 | 404 404 404 404 404", of="returned", fields=PAPER, file=b"no such type"),
    Row("POST", CASE + "/files",                "401 403 422 422 422 403 403 403 404 | 404 404 404 404 404", of="returned", fields=INSIDE, file=b"no such type"),
    Row("POST", CASE + "/files/{file_id:int}/delete", "401 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="returned", action="shared_file"),
    Row("GET",  CASE + "/files/{file_id:int}",  "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404", of="returned", action="shared_file"),
    Row("GET",  CASE + "/files/{file_id:int}",  "303 404 200 200 200 404 200 200 404 | 404 404 404 404 404", of="returned", action="internal_file"),
    Row("GET",  CASE + "/files/{file_id:int}",  "303 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="examined", action="shared_file"),  # of another case
    Row("GET",  CASE + "/files/{file_id:int}/view", "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404", of="returned", action="shared_file"),
    Row("GET",  CASE + "/files/{file_id:int}/view", "303 404 200 200 200 404 200 200 404 | 404 404 404 404 404", of="returned", action="internal_file"),
    Row("GET",  CASE + "/remarks",              "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404", of="returned"),
    Row("POST", CASE + "/remarks",              "401 422 422 422 422 422 403 403 404 | 404 404 404 404 404", of="returned", fields=PAPER),
    Row("POST", CASE + "/remarks",              "401 403 422 422 422 422 403 403 404 | 404 404 404 404 404", of="returned", fields=INSIDE),
    # Personnel and bodies: their own case, what they may read beside it, one act or a file.
    Row("GET",  CASE,                           "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 200 404 404", of="appointed"),
    Row("GET",  CASE,                           "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 404 200 404", of="gone_to"),
    Row("GET",  CASE + "/print",                "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 200 404 404", of="appointed"),
    Row("GET",  CASE + "/print",                "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 404 200 404", of="gone_to"),
    Row("GET",  ACT,                            "303 303 303 303 303 303 303 303 404 | 404 404 404 404 404 | 200 404 404", of="appointed", action="countersign"),
    Row("GET",  ACT,                            "303 303 200 303 303 303 303 303 404 | 404 404 404 404 404 | 303 404 404", of="appointed", action="countersign_on_paper"),
    Row("POST", ACT,                            "401 403 403 403 403 403 403 403 404 | 404 404 404 404 404 | 422 404 404", of="appointed", action="return_orders", fields=act_on("appointed")),
    Row("POST", ACT,                            "401 403 422 403 403 403 403 403 404 | 404 404 404 404 404 | 403 404 404", of="appointed", action="countersign_on_paper", fields=act_on("appointed")),
    Row("POST", ACT,                            "401 422 422 403 403 403 403 403 404 | 404 404 404 404 404 | 404 403 404", of="gone_to", action="withdraw", fields=act_on("gone_to")),
    Row("POST", CASE + "/autosave",             "401 403 200 403 403 403 403 403 404 | 404 404 404 404 404 | 403 404 404", of="appointed", query="?action=record_orders", fields=lambda world: {"saves": "0", "appointment.orders.0.number": "1"}),
    Row("GET",  CASE + "/edit",                 "303 303 303 303 303 303 303 303 404 | 404 404 404 404 404 | 404 303 404", of="gone_to"),
    Row("GET",  CASE + "/letters/{kind}",       "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 404 404 404", of="appointed", action="decision_notice"),
    Row("GET",  CASE + "/letters/{kind}",       "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 404 404 404", of="gone_to", action="decision_notice"),
    Row("GET",  CASE + "/route",                "303 404 200 200 200 404 200 200 404 | 404 404 404 404 404 | 404 404 404", of="appointed"),
    Row("GET",  CASE + "/route",                "303 404 200 200 200 404 200 200 404 | 404 404 404 404 404 | 404 404 404", of="gone_to"),
    Row("GET",  CASE + "/shown/{seq:int}",      "303 404 200 200 200 404 200 200 404 | 404 404 404 404 404 | 404 404 404", of="appointed", action="7"),
    Row("GET",  CASE + "/erase",                "303 404 404 404 404 404 404 200 404 | 404 404 404 404 404 | 404 404 404", of="appointed"),
    Row("GET",  CASE + "/thread",               "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 200 404 404", of="appointed"),
    Row("GET",  CASE + "/thread",               "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 404 200 404", of="gone_to"),
    Row("POST", CASE + "/thread",               "401 403 422 422 422 403 403 403 404 | 404 404 404 404 404 | 404 403 404", of="gone_to", fields=act_on("gone_to")),
    Row("POST", CASE + "/thread",               "401 403 422 422 422 403 403 403 404 | 404 404 404 404 404 | 403 404 404", of="appointed", fields=act_on("appointed")),
    Row("GET",  CASE + "/files",                "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 200 404 404", of="appointed"),
    Row("GET",  CASE + "/files",                "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 404 200 404", of="gone_to"),
    Row("POST", CASE + "/files",                "401 422 422 422 422 422 403 403 404 | 404 404 404 404 404 | 403 404 404", of="appointed", fields=PAPER, file=b"no such type"),
    Row("POST", CASE + "/files",                "401 422 422 422 422 422 403 403 404 | 404 404 404 404 404 | 404 422 404", of="gone_to", fields=PAPER, file=b"no such type"),
    Row("POST", CASE + "/files",                "401 403 422 422 422 403 403 403 404 | 404 404 404 404 404 | 404 403 404", of="gone_to", fields=INSIDE, file=b"no such type"),
    Row("GET",  CASE + "/files/{file_id:int}",  "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 404 200 404", of="gone_to", action="shared_gone_to"),
    Row("GET",  CASE + "/files/{file_id:int}",  "303 404 200 200 200 404 200 200 404 | 404 404 404 404 404 | 404 404 404", of="gone_to", action="internal_gone_to"),
    Row("GET",  CASE + "/files/{file_id:int}",  "303 404 200 200 200 404 200 200 404 | 404 404 404 404 404 | 404 404 404", of="appointed", action="internal_appointed"),
    Row("GET",  CASE + "/remarks",              "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 404 404 404", of="appointed"),
    Row("GET",  CASE + "/remarks",              "303 200 200 200 200 200 200 200 404 | 404 404 404 404 404 | 404 404 404", of="gone_to"),
    Row("POST", CASE + "/remarks",              "401 422 422 422 422 422 403 403 404 | 404 404 404 404 404 | 403 404 404", of="appointed", fields=PAPER),
    Row("POST", CASE + "/remarks",              "401 422 422 422 422 422 403 403 404 | 404 404 404 404 404 | 404 403 404", of="gone_to", fields=PAPER),
    # The register of recognised bodies: read by the office, kept by its director.
    Row("GET",  "/recognitions",                "303 404 200 200 200 404 200 404 404 | 404 404 200 200 404"),
    Row("POST", "/recognitions",                "401 404 404 422 404 404 404 404 404 | 404 404 404 422 404", fields=lambda world: {"key": str(uuid4())}),
    Row("POST", "/recognitions/{entry:int}/end", "401 404 404 422 404 404 404 404 404 | 404 404 404 404 404", of="entry"),
    # The office's people: who is where; skills and absences are the bureau's to keep.
    Row("GET",  "/board",                       "303 404 200 200 404 404 404 404 404 | 404 404 200 200 404"),
    Row("GET",  "/people",                      "303 404 200 404 404 404 404 404 404 | 404 404 200 404 404"),
    Row("POST", "/people/absences",             "401 404 422 404 404 404 404 404 404 | 404 404 422 404 404", fields=lambda world: {"key": str(uuid4())}),
    Row("POST", "/people/absences/{entry:int}/drop", "401 404 303 404 404 404 404 404 404 | 404 404 404 404 404", of="absence"),
    Row("POST", "/people/skills",               "401 404 303 404 404 404 404 404 404 | 404 404 303 404 404"),
    # Absences: everybody's own, those of the office and a file of them for who keeps them.
    Row("GET",  "/absences",                    "303 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200"),
    Row("POST", "/absences",                    "401 422 422 422 422 422 422 422 422 | 422 422 422 422 422 | 422 422 422", fields=lambda world: {"key": str(uuid4())}),
    Row("POST", "/absences/{entry:int}/back",   "401 404 422 404 404 422 404 422 404 | 404 404 404 404 404", of="away"),
    Row("POST", "/absences/{entry:int}/drop",   "401 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="nothing"),
    Row("GET",  "/absences/form",               "303 404 200 404 404 404 404 200 404 | 404 404 200 404 200"),
    Row("POST", "/absences/file",               "401 404 422 404 404 404 404 422 404 | 404 404 422 404 422", file=b"no table"),
    Row("POST", "/absences/take",               "401 404 422 404 404 404 404 422 404 | 404 404 422 404 422", fields=sent(file="")),
    # Posts, who holds them and lists of appointments: the administrator's, who sees no case.
    Row("GET",  "/posts",                       "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404", query="?office=hk-kamikawa&day=R8.4.1"),
    Row("POST", "/posts",                       "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", fields=lambda world: {"key": str(uuid4())}),
    Row("GET",  "/posts/{entry:int}",           "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404", of="post"),
    Row("POST", "/posts/{entry:int}/end",       "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", of="post"),
    Row("POST", "/posts/{entry:int}/tenures",   "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", of="post", fields=lambda world: {"key": str(uuid4())}),
    Row("POST", "/posts/{entry:int}/tenures/{tenure:int}/end", "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", of="post"),
    Row("POST", "/posts/{entry:int}/deputies",  "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", of="post"),
    Row("POST", "/posts/{entry:int}/superior",  "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", of="post"),
    Row("POST", "/posts/people/{entry:int}/clear", "401 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="nothing"),
    Row("GET",  "/posts/orphans",               "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404"),
    Row("POST", "/posts/orphans/{entry:int}/{step:int}", "401 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="judged"),
    Row("GET",  "/appointments",                "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404"),
    Row("GET",  "/appointments/form",           "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404"),
    Row("POST", "/appointments",                "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", fields=sent(effective="R9.4.1"), file=b"no list"),
    Row("POST", "/appointments/take",           "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", fields=lambda world: {"key": str(uuid4()), "effective": "R9.4.1"}),
    Row("POST", "/appointments/{entry:int}/undo", "401 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="nothing"),
    Row("GET",  "/balance",                     "303 404 200 200 200 404 404 404 404 | 404 404 200 200 404"),
    Row("POST", "/balance/csv",                 "401 404 200 200 200 404 404 404 404 | 404 404 404 404 404", fields=sent(office=OFFICE, year="2026")),
    # Whether a municipality approves before it submits: its own decider settles it, the administrator for any.
    Row("GET",  "/arrangements",                "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404"),
    Row("POST", "/arrangements/{code}",         "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", action="014591"),
    # Whose turn it was: the office's own, headquarters' of all.
    Row("GET",  "/turns",                       "303 404 200 200 200 404 404 404 404 | 404 404 200 200 404", query="?month=2026-10"),
    # The month of everybody who is signed in; an address for calendar software is one's own, and read by whoever has it.
    Row("GET",  "/calendar",                    "303 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200", query="?view=hk-kamikawa&month=2026-10"),
    Row("GET",  "/feed",                        "303 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200"),
    Row("POST", "/feed",                        "401 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200"),
    Row("GET",  "/feed/{token}.ics",            "404 404 404 404 404 404 404 404 404 | 404 404 404 404 404", action="never-given-out"),
    Row("POST", "/feed/stop",                   "401 303 303 303 303 303 303 303 303 | 303 303 303 303 303 | 303 303 303"),
    # Time: a running deadline is moved by who answers for it; days, rules and deadlines of all are the administrator's.
    Row("GET",  CASE + "/deadlines/{kind}",     "303 404 200 404 404 404 404 404 404 | 404 404 404 404 404", of="examined", action="reply"),
    Row("POST", CASE + "/deadlines/{kind}",     "401 403 422 403 403 403 403 403 404 | 404 404 404 404 404", of="examined", action="reply", fields=act_on("examined")),
    Row("POST", CASE + "/deadlines/{kind}",     "401 403 403 422 403 403 403 403 404 | 404 404 404 404 404", of="judged", action="judgement", fields=act_on("judged")),
    # Whether a case stays with its office where the municipality went to another: nothing to choose here.
    Row("GET",  CASE + "/stay",                 "303 404 404 404 404 404 404 404 404 | 404 404 404 404 404", of="examined"),
    Row("POST", CASE + "/stay",                 "401 403 409 403 403 403 403 403 404 | 404 404 404 404 404", of="examined", fields=act_on("examined")),
    Row("GET",  "/calendar/days",               "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404", query="?year=2027"),
    Row("POST", "/calendar/days",               "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", fields=lambda world: {"key": str(uuid4())}),
    Row("POST", "/calendar/days/{entry:int}/drop", "401 404 404 404 404 404 404 404 200 | 404 404 404 404 404", of="closed_day"),
    Row("GET",  "/calendar/days/rules",              "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404"),
    Row("POST", "/calendar/days/rules",              "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", fields=lambda world: {"key": str(uuid4()), "deadline": "dispatch.reply"}),
    Row("POST", "/calendar/days/rules/{entry:int}/end", "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", of="rule"),
    Row("GET",  "/calendar/days/moves",              "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404"),
    Row("GET",  "/calendar/days/history",            "303 404 404 404 404 404 200 200 200 | 404 404 404 404 200"),
    Row("POST", "/calendar/days/moves",              "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", fields=lambda world: {"key": str(uuid4())}),
    # Who decides what: the administrators' table, which a second of them consents to; the verbs are told to everybody.
    Row("GET",  "/decisions",                   "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404"),
    Row("GET",  "/decisions/new",               "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404", query="?process=dispatch&matter=dispatch"),
    Row("POST", "/decisions/new",               "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", fields=lambda world: {"key": str(uuid4()), "process": "dispatch", "matter": "dispatch", "press": "preview"}),
    Row("GET",  "/decisions/{entry:int}",       "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404", of="decision"),
    Row("POST", "/decisions/{entry:int}/drop",    "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", of="decision"),
    Row("POST", "/decisions/{entry:int}/consent", "401 404 404 404 404 404 404 404 303 | 404 404 404 404 404", of="decision"),
    Row("POST", "/decisions/{entry:int}/end",     "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", of="decision"),
    Row("GET",  "/verbs",                       "303 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200"),
    # Reports of an office: those whom the report is for.
    Row("GET",  "/reports",                     "303 404 200 200 200 404 404 404 404 | 404 404 200 200 404"),
    Row("POST", "/reports",                     "401 404 303 303 303 404 404 404 404 | 404 404 404 404 404", fields=REPORT),
    Row("POST", "/reports/{job_id:int}/file",   "401 404 200 200 200 404 404 404 404 | 404 404 404 404 404", of="report"),
    # All offices together: headquarters alone.
    Row("GET",  "/reports/rollup",              "303 404 404 404 200 404 404 404 404 | 404 404 404 404 404"),
    Row("POST", "/reports/rollup/csv",          "401 404 404 404 200 404 404 404 404 | 404 404 404 404 404", fields=sent(fiscal_year="2026", kind="figures")),
    # The records: read and taken out by who keeps or checks them.
    Row("GET",  "/audit",                       "303 404 404 404 404 404 200 200 200 | 404 404 404 404 200"),
    Row("POST", "/audit/export",                "401 404 404 404 404 404 200 200 200 | 404 404 404 404 200", fields=sent(kind="csv")),
    # How long a case is kept: proposed by who keeps the records, confirmed by another of them or the director.
    Row("GET",  "/retention",                   "303 404 404 200 404 404 200 200 404 | 404 404 404 200 200"),
    Row("POST", "/retention",                   "401 404 404 422 404 404 404 422 404 | 404 404 404 422 422", fields=sent(do="propose")),
    Row("POST", "/retention/register",          "401 404 404 200 404 404 200 200 404 | 404 404 404 200 200"),
    # How one wants to be told by mail: everybody's own.
    Row("GET",  "/preferences",                 "303 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200"),
    Row("POST", "/preferences",                 "401 303 303 303 303 303 303 303 303 | 303 303 303 303 303 | 303 303 303", fields=sent(mail="morning", informed="yes")),
    Row("POST", "/preferences",                 "401 422 422 422 422 422 422 422 422 | 422 422 422 422 422 | 422 422 422", fields=sent(mail="never")),
    # What failed: seen and sent again by the office whose case it is, and by the administrator, who sees no case.
    Row("GET",  "/attention",                   "303 404 200 200 404 404 404 404 200 | 404 404 200 200 404"),
    Row("POST", "/attention/{entry:int}/retry", "401 404 303 303 404 404 404 404 303 | 404 404 404 404 404", of="failed"),
    # When reminders come: the administrator's.
    Row("GET",  "/rungs",                       "303 404 404 404 404 404 404 404 200 | 404 404 404 404 404"),
    Row("POST", "/rungs/{code}",                "401 404 404 404 404 404 404 404 422 | 404 404 404 404 404", action="dispatch:reply", fields=sent(rungs="3")),
    Row("GET",  "/form-token",                  "303 403 403 403 403 403 403 403 403 | 403 403 403 403 403 | 403 403 403"),  # no token of an earlier page
    Row("GET",  "/dates",                       "303 200 200 200 200 200 200 200 200 | 200 200 200 200 200 | 200 200 200", query="?typed=R8.11.9"),
    Row("POST", "/logout",                      "401 303 303 303 303 303 303 303 303 | 303 303 303 303 303 | 303 303 303"),
)
# fmt: on


@dataclass
class World:
    """The application, its people, and something of every kind that a path can name; made once for the whole table."""

    app: FastAPI
    conn: psycopg.Connection[Any]
    who: factory.Cast
    people: dict[str, int]
    loop: BlockingPortal  # one for all requests, as a server has one: a client alone would start a new one for each
    things: dict[str, int] = field(default_factory=dict)

    def draft(self) -> int:
        made = factory.opened(self.conn, self.who)
        search.refresh(self.conn, made)  # as after any page
        return made

    def client(self, column: str) -> tuple[TestClient, str]:
        """A browser of that person, newly signed in, and the token of its forms."""
        client = TestClient(self.app, headers={"Origin": ORIGIN}, follow_redirects=False)
        client.portal = self.loop
        if column not in self.people:
            return client, ""
        opened = accounts.open_session(self.conn, self.people[column])
        client.cookies.set("tobidashi", opened.token)
        return client, opened.csrf

    def answer(self, row: Row, column: str) -> tuple[int, list[str]]:
        """The status that this person gets, and the tables that are no longer as they were."""
        client, csrf = self.client(column)
        address, fields = row.address(self), row.fields(self)
        if row.of == "draft":  # made a moment ago, by `address`
            self.__dict__.pop("prints", None)
        before, writes = self.prints, self.writes()
        files = {"file": ("file", row.file)} if row.file is not None else None
        sent = {"csrf": csrf, **fields}
        posted = client.post(address, data=sent, files=files) if row.method == "POST" else client.get(address)
        if self.writes() == writes:
            return posted.status_code, []
        del self.prints
        return posted.status_code, [name for name in self.prints if self.prints[name] != before[name]]

    def writes(self) -> int:
        """Up to which number transactions that write have been counted on this server."""
        row = self.conn.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
        assert row is not None
        return int(row[0])

    @cached_property
    def prints(self) -> dict[str, str]:
        """A fingerprint of every table but that of the sessions."""
        found = self.conn.execute(sql.SQL(" UNION ALL ").join(map(_print, self.tables))).fetchall()
        return dict(found)

    @cached_property
    def tables(self) -> list[str]:
        # `opened` is a mark of reading beside history: whoever is asked leaves it by opening the page, and it changes no case.
        found = self.conn.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('session', 'opened')"
        )
        return [name for (name,) in found.fetchall()]


def _print(table: str) -> sql.Composed:
    text = "SELECT {}, count(*) || ' ' || coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') FROM {} t"
    return sql.SQL(text).format(sql.Literal(table), sql.Identifier(table))


@pytest.fixture
def world(fresh_database: Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("REDIS_URL", "SMTP_URL", "PUBLIC_URL", "TOBIDASHI_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", fresh_database.app_url)
    settings.cache_clear()
    factory.set_clock(fresh_database.owner_url, NOW)
    try:
        with db.database().connection() as conn, start_blocking_portal() as loop:
            yield furnished(create_app(), conn, loop)
    finally:
        db.database().close()
        db._database = None
        monkeypatch.undo()
        settings.cache_clear()


def furnished(app: FastAPI, conn: psycopg.Connection[Any], loop: BlockingPortal) -> World:
    """Everybody, and cases that stand at different points of the road."""
    who = factory.cast(conn)
    people = {role: getattr(who, role) for role in COLUMNS[1:8]}
    people["administrator"] = factory.person(conn, "administrator", HEADQUARTERS)
    people["next_municipality"] = factory.person(conn, "municipality", "014583")
    people["unsent_staff"] = factory.person(conn, "staff", OFFICE)
    people |= {f"other_{role}": factory.person(conn, role, "hk-sorachi") for role in ("bureau", "director", "records")}
    people["personnel"] = factory.person(conn, "personnel", factory.PERSONNEL)
    people |= {name: factory.person(conn, "body", _body(conn, who, called)) for name, called in BODIES.items()}
    for person_id in people.values():
        conn.execute(
            "INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, %s, '', 0, false)",
            (person_id, f"p{person_id}"),
        )
    made = World(app, conn, who, people, loop)
    road = ("submit", "receive", "propose_team", "put_to_director", "approve")
    # Each on days of its own, so that the same staff goes on all of them.
    for number, (name, steps) in enumerate((("examined", road[:3]), ("judged", road[:4]), ("decided", road))):
        made.things[name] = factory.opened(conn, who, first=factory.first_day(conn, after=15 + 5 * number))
        factory.drive(conn, who, made.things[name], *steps)
    made.things["consulted"] = factory.opened(conn, who, first=factory.first_day(conn, after=30), own_affairs="yes")
    factory.drive(conn, who, made.things["consulted"], *road[:3], "consult")
    made.things["returned"] = factory.opened(conn, who, first=NOW.date(), days=1)
    factory.drive(conn, who, made.things["returned"], *road)
    # A case with a concurrent appointment, its orders waiting for personnel; and one that goes to a body.
    made.things["appointed"] = factory.opened(
        conn, who, first=factory.first_day(conn, after=45), own_affairs="yes", concurrent_appointment="needed"
    )
    factory.drive(conn, who, made.things["appointed"], *road[:3], "consult", "agree", *road[3:], "record_orders")
    going = {
        "type": "organization",
        "municipality_code": who.place,
        "municipality_name": "美瑛町",
        "organization_name": BODIES["body"],
    }
    made.things["gone_to"] = factory.opened(conn, who, first=factory.first_day(conn, after=55), destination=going)
    factory.drive(conn, who, made.things["gone_to"], *road)
    cut = {"inputs": {"reason": "荒天のため。", "last_day": NOW.date().isoformat()}}
    assert cases.act_by_clock(conn, made.things["returned"], "begin")
    factory.drive(conn, who, made.things["returned"], ("cancel", cut))
    for scope in ("shared", "internal"):
        data = PDF + scope.encode()
        made.things[f"{scope}_file"] = attach(db.database(), who.bureau, made.things["returned"], data, scope=scope)
        for case in ("appointed", "gone_to"):
            made.things[f"{scope}_{case}"] = attach(db.database(), who.bureau, made.things[case], data, scope=scope)
    made.things["session"] = council.called(conn, who, council.body(conn, who, factory.MUNICIPALITY))
    made.things["meeting"] = round_table.reported(conn, who)
    made.things["report"] = reports.ask_report(conn, who.bureau, "dispatch", "year-end", OFFICE, 2026)
    assert reports.compile_next(db.database())
    body = {"name": "地域づくり協議会", "decided_on": "2026-04-01", "scope": "計画づくり"}
    director = actor(conn, who.director)
    assert director is not None
    made.things["entry"] = recognitions.register(conn, director, body)
    officer = actor(conn, who.bureau)
    assert officer is not None
    time = actor(conn, people["administrator"])
    assert time is not None
    made.things["closed_day"] = calendar_days.add(conn, time, Change(NOW.date(), "closed", "", "停電"))
    views.keep(conn, who.bureau, "/inbox", "view=work", "きょうの件", who.office)
    made.things["view"] = views.kept(conn, who.bureau, "/inbox")[0].id
    rule = {"deadline": "dispatch.receive", "days": "3", "since": NOW.date().isoformat(), "reason": "要領の改正"}
    made.things["rule"] = deadline_rules.set_rule(conn, time, rule)
    made.things["decision"] = proposed_decision(conn)
    away = {"person": str(who.staff), "from": "2026-12-21", "to": ""}
    made.things["absence"] = absences.enter(conn, officer, away)
    made.things["away"] = absences.enter(conn, officer, away | {"from": "2026-12-24"})
    text = "SELECT id, post_id FROM tenure WHERE person_id = %s"
    made.things["tenure"], made.things["post"] = conn.execute(text, (who.bureau,)).fetchone() or (0, 0)
    conn.execute("UPDATE person SET mail = '' WHERE id = %s", (who.bureau_colleague,))
    outbox.deliver(db.database())
    text = "SELECT max(id) FROM outbox WHERE trouble IS NOT NULL AND case_id = %s"
    (made.things["failed"],) = conn.execute(text, (made.things["decided"],)).fetchone() or (0,)
    search.catch_up(db.database())
    return made


BODIES = {"body": "丘のまち学びの会（架空）", "other_body": "丘のまち守りの会（架空）"}


def _body(conn: psycopg.Connection[Any], who: factory.Cast, called: str) -> str:
    """A recognised body; the code of its organisation."""
    director = actor(conn, who.director)
    assert director is not None
    typed = {"name": called, "decided_on": "2026-04-01", "scope": "計画づくり"}
    entry = recognitions.register(conn, director, typed)
    row = conn.execute("SELECT org_code FROM recognition WHERE id = %s", (entry,)).fetchone()
    return str(row[0]) if row else ""


def proposed_decision(conn: psycopg.Connection[Any]) -> int:
    """A row of the table of decisions that waits for a second administrator."""
    other = actor(conn, factory.person(conn, "administrator", HEADQUARTERS))
    assert other is not None
    title = conn.execute("SELECT title FROM post WHERE org_code = %s AND role = 'director'", (OFFICE,)).fetchone()
    stages = (Stage("decide", (Address(title[0] if title else ""),)),)
    rule = Rule(0, "dispatch", "change", OFFICE, "専決規程 別表2", (), stages)
    return decisions.propose(conn, other, decisions.Proposal(rule, NOW.date(), None, "改正"))


def test_the_table_lists_every_route_and_no_other(world: World) -> None:
    routes = {(m, route.path) for route in iter_route_contexts(world.app.routes) for m in route.methods or {"GET"}}
    assert {(row.method, row.path) for row in ROWS} == routes


def test_an_unlisted_route_would_be_found(world: World) -> None:
    @world.app.get("/forgotten")
    def forgotten() -> None: ...

    with pytest.raises(AssertionError):
        test_the_table_lists_every_route_and_no_other(world)


def test_everybody_is_answered_as_the_table_says_and_only_what_was_done_changes_anything(world: World) -> None:
    wrong = []
    for row in ROWS:
        for column, expected in row.expected.items():
            status, changed = world.answer(row, column)
            if status != expected or (changed and (row.method == "GET" or status >= 400)):
                wrong.append((row, column, status, changed))
    assert wrong == []
