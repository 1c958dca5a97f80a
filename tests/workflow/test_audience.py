"""Only those who can act are asked: whoever an act asks finds it in their inbox, and what to do on the case there.

Every act of the process is tried from every state in which somebody may do it, each time inside a transaction that is taken
back, along roads that together pass through every state.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from psycopg.rows import class_row

from states import catalogue
from states.kernel import Offer, Refused
from states.route_actions import BY_NAME
from states.terms import Input
from tests import factory, offices
from tests.conftest import Database as Urls
from tests.factory import Cast, drive
from workflow import arrangements, cases, notices, queries, telling
from workflow.access import PARTS, SCOPE_OF
from workflow.db import type_connection
from workflow.deadlines import TOKYO
from workflow.loading import NotFound
from workflow.notices import Row

DISPATCH = catalogue.process("dispatch")
ALONG = "014613"  # asks along in a joint request
NOW = datetime(2026, 10, 14, 9, tzinfo=TOKYO)
FIRST = date(2026, 11, 2)  # a Monday; the 3rd is a holiday
DAYS = {"the first day": FIRST, "the last day is over": FIRST + timedelta(days=5)}

APPROVED = ("submit", "receive", "propose_team", "put_to_director", "approve")
UNDER_WAY = (*APPROVED, "the first day")
TO_A_CHANGE = (*UNDER_WAY, "ask_change", "answer_change_request", "propose_change")
ASKED = {"own_affairs": "yes", "concurrent_appointment": "needed"}
ASKED_ROAD = ("submit", "receive", "propose_team", "consult", "agree")
JOINT = {"partners": [{"municipality_code": ALONG, "municipality_name": ""}]}
CAREFUL = {"careful": True}  # the municipality decides itself before it asks

ROADS: Mapping[str, tuple[Mapping[str, Any], Sequence[str]]] = {
    "a trip": (
        {},
        (*UNDER_WAY, "the last day is over", "file_result", "file_trip_report", "file_trip_report of the other"),
    ),
    "a correction": (
        {},
        ("submit", "receive", "ask_correction", "resubmit", "propose_team", "put_to_director", "hold"),
    ),
    "a consultation": (ASKED, ("submit", "receive", "propose_team", "consult", "agree_with_conditions")),
    "a judgement": (ASKED, (*ASKED_ROAD, "put_to_director")),
    "a change": ({}, (*TO_A_CHANGE, "decline_change", "stop", "ask_change")),
    "a change before the first day": ({}, (*APPROVED, "ask_change", "propose_change")),
    "a stop that is judged": ({}, (*UNDER_WAY, "stop", "propose_change")),
    "a change that headquarters answers": (
        ASKED,
        (
            *ASKED_ROAD,
            "put_to_director",
            "approve",
            "record_orders",
            "countersign_on_paper",
            "ask_change",
            "propose_change",
            "consult",
            "the first day",
        ),
    ),
    "orders that are entered again": (
        ASKED,
        (
            *ASKED_ROAD,
            "put_to_director",
            "approve",
            "record_orders",
            "countersign_on_paper",
            "the first day",
            "other orders",
            "propose_change",
            "consult",
            "agree",
            "decline_change",
            "stop",
            "ratify",
        ),
    ),
    "a wish that nobody answered in time": ({}, (*UNDER_WAY, "ask_change", "the last day is over")),
    "on paper": ({"paper": True}, ("submit_proxy",)),
    "a joint request": (JOINT, ("submit", "receive")),
    "a joint consultation": (ASKED | JOINT, ("submit", "receive", "propose_team", "consult")),
    "its own approval": (CAREFUL, ("ask_own_approval", "return_own", "revise_own", "approve_own")),
    "the director's own": ({"mine": True}, ("put_to_director", "send_back")),
}


@dataclass
class Walk:
    """One installation with everybody in it, and what has been tried there."""

    conn: type_connection
    urls: Urls
    who: Cast
    careful: Cast
    head: int
    partner: int
    personnel: int
    tried: set[tuple[str, str]] = field(default_factory=set)

    def opened(self, told: Mapping[str, Any]) -> tuple[int, Cast]:
        request = {key: value for key, value in told.items() if key not in ("careful", "mine", "paper")}
        staff = [factory.person(self.conn, "staff", self.who.office) for _ in range(2)]
        who = replace(self.careful if told.get("careful") else self.who, staff=staff[0], staff_colleague=staff[1])
        form = factory.request_form(self.conn, who, first=FIRST, days=5, **request)
        writer, origin = who.municipality, "municipality_request"
        if told.get("mine"):
            form["request"] |= {
                "origin": "director", "ground": "director.key_project", "instruction": {"given_on": "R8.10.13", "text": "進めること。"},
            }  # fmt: skip
            member = {
                "person": staff[0], "name": "派遣（仮名）", "role": "主任", "section": "地域政策課", "leader": True, "headcount": 1,
                "days": "11/2-6", "consent": "課長 了承",
            }  # fmt: skip
            form["team"] = {"members": [member]}
            writer, origin = who.bureau, "director"
        if told.get("paper"):
            form["receipt"] = {"channel": "paper", "arrived_on": (NOW - timedelta(days=2)).date().isoformat()}
            writer = who.bureau
        return cases.open_case(self.conn, writer, "dispatch", origin, form), who

    def go_on(self, case: int, who: Cast, step: str) -> None:
        if step in DAYS:
            factory.set_clock(self.urls.owner_url, datetime.combine(DAYS[step], time(9), TOKYO))
            cases.act_by_clock(self.conn, case, "begin" if DAYS[step] == FIRST else "end")
        elif step == "other orders":
            form = factory._written(self.conn, who, case, "record_orders", who.bureau)
            for order in form["appointment"]["orders"]:
                order["number"] = "第2号"
            drive(self.conn, who, case, ("record_orders", {"form": form}))
        else:
            drive(self.conn, who, case, self._by(who, step))

    def _by(self, who: Cast, step: str) -> Any:
        action, _, other = step.partition(" of the ")
        if other:
            return action, {"by": who.staff_colleague}
        return (action, {"by": self.head}) if action in ("approve_own", "return_own") else action

    def try_everything(self, case: int, who: Cast, line: Sequence[int] = ()) -> None:
        """Every act that somebody has here, each once and taken back."""
        everybody = [
            who.municipality,
            self.head,
            self.partner,
            who.bureau,
            who.director,
            who.headquarters,
            who.staff,
            self.personnel,
        ]
        everybody += [person for person in line if person not in everybody]
        state = state_of(self.conn, case)
        for person in everybody:
            try:
                offers = cases.look(self.conn, person, case).offers
            except NotFound:
                continue
            for offer in offers:
                if (offer.allowed or offer.action.edits) and (offer.action.name, state) not in self.tried:
                    self.try_one(case, who, offer, person, state)

    def told(self, offer: Offer, person: int) -> dict[str, Any]:
        """Who does an act and what is typed with it; the factory knows the rest."""
        action, told = offer.action.name, dict[str, Any](by=person)
        if action in BY_NAME:
            return told | {"inputs": {ask.name: typed(ask) for ask in offer.action.asks}}
        return told | {"inputs": self.inputs(action)} if action in TYPED else told

    def inputs(self, action: str) -> dict[str, str]:
        found = self.conn.execute("SELECT number FROM cases WHERE number IS NOT NULL ORDER BY id LIMIT 1").fetchone()
        return {key: value or (key == "same_as" and found and found[0]) or "" for key, value in TYPED[action].items()}

    def try_one(self, case: int, who: Cast, offer: Offer, person: int, state: str) -> None:
        action = offer.action.name
        with taken_back(self.conn):
            before = telling.before(self.conn, person, case, cases.look(self.conn, person, case).offers).get(action, "")
            try:
                done = drive(self.conn, who, case, (action, self.told(offer, person)))
            except Refused:
                return
            self.tried.add((action, state))
            check(self.conn, case, done.version, before, f"{action} in {state}")


# What is typed where the factory types nothing.
TYPED: Mapping[str, Mapping[str, str]] = {
    "not_accept": {"ground": "wrong_addressee", "reason": "宛先が違うため。"},
    "record_partner_consent": {"partner": ALONG, "answer": "agree", "note": "10月13日付けの文書。"},
    "mark_duplicate": {"same_as": "", "reason": ""},
    "pull_back": {"reason": "書き足すことがあるため。"},
    "withdraw_draft": {"reason": "案を作り直すため。"},
}


def typed(ask: Input) -> str:
    """What is typed into a field of a verb."""
    return ask.choices[0][0] if ask.choices else "R8.12.1" if ask.kind == "date" else "意見"


@contextmanager
def taken_back(conn: type_connection) -> Iterator[None]:
    with conn.transaction(force_rollback=True):
        yield


def state_of(conn: type_connection, case: int) -> str:
    row = conn.execute("SELECT state FROM cases WHERE id = %s", (case,)).fetchone()
    assert row is not None
    return str(row[0])


NOTICE = "SELECT id, case_id, seq, kind, payload, dedup, tries FROM outbox WHERE case_id = %s AND seq = %s AND kind = 'notice'"
ORGANISATIONS = """SELECT DISTINCT o.name FROM tenure t JOIN post p ON p.id = t.post_id JOIN organisation o ON o.code = p.org_code AND o.valid_to IS NULL
WHERE t.person_id = ANY (%s)"""


def check(conn: type_connection, case: int, seq: int, before: str, what: str) -> None:
    """Whoever the act asks has an item in their inbox and acts on the page there; of an office that was not named nobody is told."""
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        rows = cursor.execute(NOTICE, (case, seq)).fetchall()
    told = [message for row in rows for message in notices.notice(conn, row).messages]
    for message in told:
        if not message.informs:
            # As the inbox opens, without the office's own desk: from the line's posts that stands apart.
            waiting = [item["case_id"] for item in queries.inbox(conn, message.person_id).rows]
            assert case in waiting, f"{what}: {message.subject}"
            assert cases.look(conn, message.person_id, case).offers, f"{what}: {message.subject}"
    if telling.CHOSEN not in before:
        offices = {
            name for (name,) in conn.execute(ORGANISATIONS, ([message.person_id for message in told],)).fetchall()
        }
        assert offices <= {part.partition("(")[0].split(" ")[0] for part in before.split("、")}, f"{what}: {before}"


@pytest.fixture
def walk(conn: type_connection, fresh_database: Urls) -> Walk:
    factory.set_clock(fresh_database.owner_url, NOW)
    who = factory.cast(conn)
    careful = factory.cast(conn, place="014630")
    head = factory.person(conn, "municipality_head", "014630")
    arrangements.settle(conn, factory.reader(conn, head), "014630", asked=True, since=NOW.date().isoformat())
    partner = factory.person(conn, "municipality", ALONG)
    return Walk(conn, fresh_database, who, careful, head, partner, factory.person(conn, "personnel", factory.PERSONNEL))


def test_whoever_an_act_asks_finds_it_in_the_inbox_and_may_act_there(walk: Walk) -> None:
    for told, road in ROADS.values():
        factory.set_clock(walk.urls.owner_url, NOW)
        case, who = walk.opened(told)
        walk.try_everything(case, who)
        for step in road:
            walk.go_on(case, who, step)
            walk.try_everything(case, who)
    # What only somebody in the middle of an approval route may do, nobody has without one.
    roles = {*SCOPE_OF, *(role for parts in PARTS.values() for role in parts.values())}
    every = {(row.name, source) for row in DISPATCH.table for source in row.source if row.by & roles}
    assert every - walk.tried == set()


ANSWERS = (
    ("chief", "approve_step"), ("head", "approve_step"), ("general", "agree_step"), ("health", "disagree_step"), ("officer", "go_on"),
)  # fmt: skip
# What only who stands in a route may do: acts of the process, and every verb.
ROUTED = {"send_back", "pull_back", "withdraw_draft", "approve", "decline", *BY_NAME}


def test_in_a_route_whoever_an_act_or_a_verb_asks_finds_it_in_the_inbox(walk: Walk) -> None:
    """The same along a route: after each answer everybody of the line tries everything that is offered."""
    conn, line = walk.conn, offices.line(walk.conn, walk.who)
    reader = {"kind": "circulate", "asked": [{"title": "部長"}]}
    offices.rule(conn, line, (*offices.ROUTE[:2], reader, *offices.ROUTE[2:]))
    case = offices.put_up(conn, line)
    people = list(line.people.values())
    walk.try_everything(case, walk.who, people)
    offices.away(conn, line.chief)
    walk.try_everything(case, walk.who, people)
    offices.back(conn, line.chief)
    for key, verb in ANSWERS:
        asks = {"remark": "意見"} if BY_NAME[verb].asks else {}
        offices.act(conn, line.people[key], case, verb, **asks)
        if verb == "approve_step":
            advice = {"post": str(line.posts["vice"]), "remark": "どう考えますか。"}
            offices.act(conn, line.head if key == "chief" else line.general, case, "ask_advice", **advice)
        walk.try_everything(case, walk.who, people)
        if verb == "approve_step":
            offices.act(conn, line.vice, case, "give_advice", remark="進めてよい。")
    lacking = ROUTED - {action for action, _ in walk.tried}
    assert not lacking, lacking
