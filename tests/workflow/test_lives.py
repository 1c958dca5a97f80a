"""Lives of cases: whatever their offers allow, in any order, the clock, cut lines and stale pages included.

One Hypothesis state machine drives a dispatch and the cases under it, as every person who may act, and compares what is
stored with a small model: where each act may lead, and who is where on which half-day. `make test` lives some hundreds of
them, `make soak` as many as its minutes hold.
"""

import contextlib
import itertools
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from datetime import time as clock
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from states import catalogue
from states.kernel import Refused
from tests import factory
from tests.conftest import Database as Urls
from workflow import arrangements, cases, verify
from workflow.cases import Conflict
from workflow.db import Database, _prepare
from workflow.deadlines import TOKYO
from workflow.loading import NotFound

MINUTES = float(os.environ.get("TOBIDASHI_SOAK_MINUTES") or 0)
pytestmark = [pytest.mark.timeout(0 if MINUTES else 600), pytest.mark.slow]

LIVES, STEPS = 200, 16
NOW = datetime(2026, 10, 14, 9, tzinfo=TOKYO)
FIRST = date(2026, 11, 2)  # a Monday; 3 November is a holiday
WHOLE = (0, 1)
Ledger = set[tuple[int, date, int]]
LONG = settings(
    max_examples=LIVES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

# Some lives begin well along: acts by their usual persons, and days that come.
DAYS = {"the first day": 0, "the last day is over": 5}
PLAIN = ("submit", "receive", "propose_team", "put_to_director", "approve", *DAYS)
ASKED = ("submit", "receive", "consult", "agree_with_conditions", "propose_team")
APPOINTED = ("submit", "receive", "consult", "agree", "propose_team", "put_to_director", "approve")
ROADS = (
    (),
    (),
    (),
    PLAIN[:4],
    PLAIN[:5],
    PLAIN[:6],
    PLAIN[:6],
    PLAIN[:6],
    (*PLAIN[:5], "cancel"),
    (*PLAIN[:6], "stop"),
    (*PLAIN[:6], "propose_change"),
    PLAIN,
    PLAIN,
    (*PLAIN, "file_result"),
    (*PLAIN, "file_result", "file_trip_report", "file_trip_report@staff_colleague"),
    ASKED,
    (*APPOINTED, "record_orders"),
    (*APPOINTED, "record_orders", "countersign_on_paper", *DAYS),
)

# Where an act may lead besides staying where it is; an act that is not named here only stays.
LEADS: Mapping[str, frozenset[str]] = {
    "ask_own_approval": frozenset({"own_approval"}), "approve_own": frozenset({"municipal_request"}),
    "submit": frozenset({"municipal_request"}), "resubmit": frozenset({"municipal_request"}),
    "submit_proxy": frozenset({"municipal_request"}), "ask_correction": frozenset({"correction"}),
    "put_to_director": frozenset({"director_judgement"}), "not_accept": frozenset({"not_accepted"}),
    "mark_duplicate": frozenset({"not_accepted"}), "withdraw": frozenset({"withdrawn", "not_submitted"}),
    "consult": frozenset({"concurrent_appointment_consultation", "change_consultation"}),
    **dict.fromkeys(
        ("agree", "agree_with_conditions", "trip_suffices", "disagree"),
        frozenset({"municipal_request", "director_judgement", "change_judgement"}),
    ),
    "approve": frozenset({"preparing"}), "decline": frozenset({"declined"}), "send_back": frozenset({"municipal_request", "correction"}),
    "begin": frozenset({"dispatched"}), "end": frozenset({"awaiting_report"}), "cancel": frozenset({"cancelled", "awaiting_report"}),
    "propose_change": frozenset({"change_judgement"}), "stop": frozenset({"stopped"}), "resume": frozenset({"dispatched"}),
    "approve_change": frozenset({"preparing", "dispatched", "awaiting_report", "cancelled"}),
    **dict.fromkeys(("decline_change", "withdraw_change"), frozenset({"preparing", "dispatched", "stopped", "awaiting_report"})),
    "ratify": frozenset({"awaiting_report", "cancelled"}), "file_trip_report": frozenset({"reported"}), "file_result": frozenset({"reported"}),
    "set": frozenset({"condition_open"}), "show_evidence": frozenset({"condition_shown"}), "confirm": frozenset({"condition_met"}),
    "return_evidence": frozenset({"condition_open"}), "waive": frozenset({"condition_waived"}), "lapse": frozenset({"condition_lapsed"}),
}  # fmt: skip
NEVER_WENT = frozenset({"withdrawn", "not_submitted", "not_accepted", "declined", "cancelled"})


class Life(RuleBasedStateMachine):
    """One case from its draft on, with the people around it."""

    db: Database
    urls: Urls
    superuser: psycopg.Connection[Any]
    who: factory.Cast  # of a municipality that submits by itself
    careful: factory.Cast  # of one that approves first
    head: int
    partner: int
    personnel: int

    def __init__(self) -> None:
        super().__init__()
        self.held = self.db.connection()
        self.conn = self.held.__enter__()
        self.now = NOW
        self.case = 0
        self.state = "draft"
        self.ledger: Ledger = set()
        self.planned: Ledger = set()  # as it stood before a stop
        self.proposal: tuple[str, Ledger] = ("", set())
        self.last: tuple[Any, ...] | None = None

    def teardown(self) -> None:
        self.held.__exit__(None, None, None)

    # ── the beginning ───────────────────────────────────────────────────────────────────────────────────────────────

    @initialize(road=st.sampled_from(ROADS), careful=st.booleans(), affairs=st.sampled_from(["no", "no", "yes"]), joint=st.booleans(),
                mine=st.sampled_from([False, False, True]))  # fmt: skip
    def open(self, road: tuple[str, ...], careful: bool, affairs: str, joint: bool, mine: bool) -> None:
        """A draft, or a case that is already some way along a road."""
        if road:
            careful, affairs, joint, mine = False, "yes" if "consult" in road else "no", False, False
        self.tell(NOW)
        cast = self.careful if careful else self.who
        self.staff = [factory.person(self.conn, "staff", cast.office) for _ in range(3)]
        self.cast = replace(cast, staff=self.staff[0], staff_colleague=self.staff[1])
        around = (cast.municipality, cast.bureau, cast.director, cast.headquarters)
        self.people = [*around, *self.staff, self.partner, self.head, self.personnel]
        needed = {"own_affairs": affairs, "concurrent_appointment": "needed" if affairs == "yes" else "not_needed"}
        partners = [{"municipality_code": "014613", "municipality_name": ""}] if joint and not mine else []
        form = factory.request_form(self.conn, self.cast, first=FIRST, days=5, partners=partners, **needed)
        if mine:
            form["request"] |= {
                "origin": "director", "ground": "director.key_project", "instruction": {"given_on": "R8.10.13", "text": "進めること。"},
            }  # fmt: skip
            form |= self.team([(self.staff[0], FIRST, 3, WHOLE)])
        writer, origin = (cast.bureau, "director") if mine else (cast.municipality, "municipality_request")
        self.case = cases.open_case(self.conn, writer, "dispatch", origin, form)
        self.drafted = self.drawn if mine else set()
        for name in road:
            self.go_on(name)

    # ── what may happen ─────────────────────────────────────────────────────────────────────────────────────────────

    @rule(data=st.data())
    def act(self, data: st.DataObject) -> None:
        """Somebody presses one of the buttons that the page offers."""
        chosen = self.choose(data)
        if chosen:
            self.carry_out(*chosen, key=uuid4())

    @rule(data=st.data(), wait=st.integers(0, 6))
    def act_over_a_line_that_is_cut(self, data: st.DataObject, wait: int) -> None:
        """The connection dies at some moment of the act; the same form is sent again, and is one act."""
        chosen = self.choose(data)
        if chosen:
            key = uuid4()
            self.try_cut_off(*chosen, key=key, after=wait / 1000)
            self.carry_out(*chosen, key=key)

    @precondition(lambda self: self.last is not None)
    @rule()
    def send_again(self) -> None:
        """The form that was just sent, once more."""
        assert self.last is not None
        person, case, action, version, key, inputs, form = self.last
        done = cases.act(self.conn, person, case, action, version=version, key=key, inputs=inputs, form=form)
        assert done.replayed

    @rule(data=st.data())
    def act_on_an_old_page(self, data: st.DataObject) -> None:
        """A page that was opened before somebody else acted changes nothing."""
        chosen = self.choose(data)
        if chosen:
            person, case, action, inputs, form = chosen
            before = self.stored(case)
            if before["version"]:
                with pytest.raises(Conflict):
                    cases.act(
                        self.conn,
                        person,
                        case,
                        action,
                        version=before["version"] - 1,
                        key=uuid4(),
                        inputs=inputs,
                        form=form,
                    )
            assert self.stored(case) == before

    @rule(days=st.sampled_from([1, 1, 2, 5, 19]))
    def time_passes(self, days: int) -> None:
        """Some days go by; what is due moves by itself."""
        self.tell(self.now + timedelta(days=days))
        self.due_moves()

    @precondition(lambda self: self.now.date() < FIRST)
    @rule()
    def the_first_day_comes(self) -> None:
        self.go_on("the first day")

    # ── what must hold ──────────────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def history_replays_to_what_is_stored(self) -> None:
        for case in self.family():
            row = self.stored(case)
            events = self.conn.execute("SELECT body FROM event WHERE case_id = %s ORDER BY seq", (case,)).fetchall()
            assert row["version"] == len(events)
            if not events:
                continue
            bodies = [json.loads(body) for (body,) in events]
            assert bodies[-1]["to"] == row["state"]
            assert bodies[-1]["number"] == row["number"]
            assert all(one["to"] == two["from"] for one, two in itertools.pairwise(bodies))
            kept = {
                (seq, number): data
                for seq, number, data in self.conn.execute(
                    "SELECT seq, ord, data FROM content WHERE case_id = %s", (case,)
                ).fetchall()
            }
            told = {
                kind.removeprefix("form:"): json.loads(bytes(kept[seq, number]))
                for seq, number, kind, _ in bodies[-1]["content"]
                if kind.startswith("form:")
            }
            assert told == row["form"]

    @invariant()
    def the_ledger_is_the_sum_of_the_days(self) -> None:
        if self.case:
            rows = self.conn.execute(
                "SELECT person_id, day, half FROM assignment WHERE case_id = %s", (self.case,)
            ).fetchall()
            assert set(rows) == self.ledger

    @invariant()
    def nobody_is_left_without_a_holder(self) -> None:
        for case in self.family():
            row = self.stored(case)
            process = row["process"]
            open_items = self.conn.execute(
                "SELECT (SELECT count(*) FROM step WHERE case_id = %(c)s AND closed_at IS NULL),"
                " (SELECT count(*) FROM deadline WHERE case_id = %(c)s AND closed_at IS NULL AND move <> '')",
                {"c": case},
            ).fetchone()
            final = catalogue.process(process).state(row["state"]).final
            assert not row["version"] or final or any(open_items or ()), row["state"]
            if case == self.case and final:
                ends = [catalogue.process(p).state(s).final for _, p, s in self.children()]
                assert all(ends)

    # ── hands ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def choose(self, data: st.DataObject) -> tuple[int, int, str, dict[str, Any], dict[str, Any]] | None:
        """Somebody, a case, an act that is offered there, and what is typed with it."""
        if not self.case:
            return None
        start = data.draw(st.integers(0, len(self.people) - 1))
        for person in self.people[start:] + self.people[:start]:
            found = []
            for case in self.family():
                try:
                    offers = cases.look(self.conn, person, case).offers
                except NotFound:
                    continue
                found += [(case, offer) for offer in offers if offer.allowed or offer.action.edits]
            if found:
                found.sort(key=lambda pair: (not pair[1].action.main, pair[1].action.stops))
                case, offer = data.draw(st.sampled_from(found))
                inputs, form = self.typed(data, person, offer.action)
                return person, case, offer.action.name, inputs, form
        return None

    def typed(self, data: st.DataObject, by: int, action: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a person would write; now and then something that a guard refuses."""
        inputs: dict[str, Any] = {}
        for ask in action.asks:
            if ask.kind == "date":
                inputs[ask.name] = (
                    self.now.date() + timedelta(days=data.draw(st.sampled_from([0, -1, 1, 3])))
                ).isoformat()
            elif ask.kind == "choice":
                inputs[ask.name] = data.draw(st.sampled_from([value for value, _ in ask.choices]))
            elif ask.kind == "partner":
                inputs[ask.name] = "014613"
            elif ask.kind == "office":
                inputs[ask.name] = "hk-soya"
            elif ask.kind == "case":
                inputs[ask.name] = ""
            else:
                inputs[ask.name] = "理由を書きます。"
        if action.weighs == "decider":
            inputs["confirm"] = dict.fromkeys(("D-06", "D-08", "D-09"), "")
        if action.weighs == "drafter":
            inputs["reasons"] = dict.fromkeys(("D-06", "D-08", "D-09"), "続けて行う必要がある。")
        return inputs, self.groups(data, by, action)

    def groups(self, data: st.DataObject, by: int, action: Any) -> dict[str, Any]:
        name = action.name
        stored = self.stored(self.case)["form"]
        if name == "propose_team":
            return self.drawn_team(data)
        if name == "record_consent":
            return {"team": stored["team"]}
        if name == "record_orders":
            return factory._orders(stored) if stored.get("team") else {}
        if name == "agree_with_conditions":
            due = (self.now.date() + timedelta(days=7)).isoformat()
            owner = data.draw(st.sampled_from(["municipality", "bureau", "headquarters"]))
            stops = data.draw(st.sampled_from(["approve", "begin", "finish"]))
            return {"conditions": {"items": [{"text": "写しを出す。", "owner": owner, "due": due, "stops": stops}]}}
        if name == "propose_change":
            return self.drawn_change(data, stored)
        if name == "evaluate":
            return {"evaluation": {"grade": "4", "text": ""}}
        if name == "file_trip_report":
            person = by if by in self.staff else data.draw(st.sampled_from(self.staff))
            days = data.draw(st.sampled_from(["", "11/2", "11/2-3"]))
            return {f"report:{person}": {"actual_days": days, "findings": "分かったこと。"}}
        if name == "file_result":
            return {"result": {"results": "骨子ができた。"}}
        return {}

    def go_on(self, name: str) -> None:
        """One act of a road, by its usual person, or the coming of a day."""
        if name in DAYS:
            self.tell(datetime.combine(FIRST + timedelta(days=DAYS[name]), clock(6), TOKYO))
            self.due_moves()
            return
        name, _, who = name.partition("@")
        by = getattr(self.cast, who or factory.DOES.get(name, "bureau"))
        rows = [(self.staff[0], FIRST, 5, WHOLE), (self.staff[1], FIRST, 2, (1,))]
        form = (
            self.team(rows) if name == "propose_team" else factory._written(self.conn, self.cast, self.case, name, by)
        )
        before = self.stored(self.case)["version"]
        self.carry_out(by, self.case, name, factory._typed(self.conn, name), form, key=uuid4())
        assert self.stored(self.case)["version"] == before + 1

    def team(self, rows: list[tuple[int, date, int, tuple[int, ...]]]) -> dict[str, Any]:
        """Members as (person, first day, number of days, halves of the first day)."""
        members = []
        for number, (person, first, days, halves) in enumerate(rows):
            half = {WHOLE: "", (0,): "午前", (1,): "午後"}[halves]
            more = "".join(f"、{first.month}/{first.day + n}" for n in range(1, days))
            members.append(
                {"person": person, "name": f"派遣{number}（仮名）", "role": "主任", "section": "地域政策課", "leader": not number, "headcount": 1,
                 "days": f"{first.month}/{first.day}{half}{more}", "consent": "課長 了承"}
            )  # fmt: skip
        self.drawn = {
            (person, first + timedelta(days=n), half)
            for person, first, days, halves in rows
            for n in range(days)
            for half in (halves if not n else WHOLE)
        }
        return {"team": {"members": members}}

    def drawn_team(self, data: st.DataObject) -> dict[str, Any]:
        people = data.draw(st.lists(st.sampled_from(self.staff), min_size=1, max_size=3, unique=True))
        rows = []
        for person in people:
            start = data.draw(st.integers(0, 4))
            halves = data.draw(st.sampled_from([WHOLE, (0,), (1,)]))
            rows.append((person, FIRST + timedelta(days=start), data.draw(st.integers(1, 5 - start)), halves))
        return self.team(rows)

    def drawn_change(self, data: st.DataObject, stored: Mapping[str, Any]) -> dict[str, Any]:
        kind = data.draw(st.sampled_from(["place", "cancel", "other"]))
        change: dict[str, Any] = {"kind": kind, "reason_code": "office", "reason": "事情が変わった。"}
        self.drawn = set(self.planned)
        if kind == "place":
            change["place"] = "町民会館" + str(data.draw(st.integers(0, 9)))
        elif kind == "other":
            change["members"] = self.drawn_team(data)["team"]["members"]
        return {"change": change}

    def carry_out(
        self, person: int, case: int, action: str, inputs: dict[str, Any], form: dict[str, Any], *, key: UUID
    ) -> None:
        before = self.stored(case)
        asked: dict[str, Any] = {"inputs": inputs, "form": form}
        version = before["version"] if not self.replays(person, key) else before["version"] - 1
        try:
            done = cases.act(self.conn, person, case, action, version=version, key=key, **asked)
        except Refused:
            assert self.stored(case) == before
            return
        after = self.stored(case)
        assert after["version"] == version + 1 == done.version
        assert after["state"] == done.state
        self.last = (person, case, action, version, key, inputs, form)
        source = self.state if case == self.case else before["state"]
        assert after["state"] == source or after["state"] in LEADS.get(action, ()) or done.replayed, (
            action,
            source,
            after["state"],
        )
        if case == self.case:
            self.remember(action, after["state"], inputs, form)

    def try_cut_off(
        self,
        person: int,
        case: int,
        action: str,
        inputs: dict[str, Any],
        form: dict[str, Any],
        *,
        key: UUID,
        after: float,
    ) -> None:
        """The act over a connection whose server process is ended meanwhile."""
        version = self.stored(case)["version"]
        line = psycopg.connect(self.urls.app_url.replace("+psycopg", ""), autocommit=True)
        _prepare(line, None)
        killer = threading.Thread(target=self.kill, args=(line.info.backend_pid, after))
        killer.start()
        with contextlib.suppress(psycopg.Error, Refused):
            cases.act(line, person, case, action, version=version, key=key, inputs=inputs, form=form)
        killer.join()
        line.close()

    def kill(self, process: int, after: float) -> None:
        """End a server process after that many seconds, and wait until it is gone."""
        time.sleep(after)
        self.superuser.execute("SELECT pg_terminate_backend(%s)", (process,))
        while self.superuser.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (process,)).fetchone():
            time.sleep(0.001)

    def replays(self, person: int, key: UUID) -> bool:
        row = self.conn.execute("SELECT 1 FROM idempotency WHERE person_id = %s AND key = %s", (person, key)).fetchone()
        return row is not None

    def due_moves(self) -> None:
        """What the clock does, of this family alone."""
        tried: set[tuple[int, str]] = set()
        while True:
            due = self.conn.execute(
                "SELECT case_id, move FROM deadline WHERE case_id = ANY (%s) AND closed_at IS NULL AND move <> '' AND due_at <= clock_now()",
                (self.family(),),
            ).fetchall()
            due = [entry for entry in due if entry not in tried]
            if not due:
                return
            for case, move in due:
                tried.add((case, move))
                try:
                    done = cases.act_by_clock(self.conn, case, move)
                except Refused:
                    continue
                assert done is not None
                if case == self.case:
                    self.remember(move, done.state, {}, {})

    # ── the model ───────────────────────────────────────────────────────────────────────────────────────────────────

    def remember(self, action: str, state: str, inputs: Mapping[str, Any], form: Mapping[str, Any]) -> None:
        """Where people are after an act: the few rules by which days come and go."""
        today = self.now.date()
        if action == "propose_team":
            self.planned = self.ledger = self.drawn
        elif action == "put_to_director" and self.state == "draft":
            self.planned = self.ledger = self.drafted
        elif action == "propose_change":
            self.proposal = form["change"]["kind"], self.drawn
        elif action == "approve_change":
            kind, proposed = self.proposal
            if kind == "cancel":
                self.planned = {entry for entry in self.ledger if entry[1] <= today}
            elif kind == "other":
                self.planned = proposed
            else:
                self.planned = self.still_ahead()
            self.ledger = self.planned
        elif action in ("stop", "cancel") and "last_day" in inputs:
            self.ledger = {entry for entry in self.ledger if entry[1] <= date.fromisoformat(inputs["last_day"])}
            if action == "cancel":
                self.planned = self.ledger
        elif action == "resume":
            self.planned = self.ledger = self.still_ahead()
        elif action == "ratify":
            self.planned = self.ledger
        elif action == "file_trip_report":
            for group, part in form.items():
                person, typed = int(group.removeprefix("report:")), part["actual_days"]
                days = {"": 0, "11/2": 1, "11/2-3": 2}[typed]
                went = {(person, FIRST + timedelta(days=n), half) for n in range(days) for half in WHOLE}
                as_planned = {entry for entry in self.planned if entry[0] == person}
                self.ledger = {entry for entry in self.ledger if entry[0] != person} | (went or as_planned)
        if state in NEVER_WENT:
            self.ledger = set()
        self.state = state

    def still_ahead(self) -> Ledger:
        """What was planned without the days that a stop has taken."""
        return {entry for entry in self.planned if entry in self.ledger or entry[1] >= self.now.date()}

    def tell(self, now: datetime) -> None:
        self.now = now
        factory.set_clock(self.urls.owner_url, now)

    def family(self) -> list[int]:
        return [self.case, *(child for child, _, _ in self.children())] if self.case else []

    def children(self) -> list[tuple[int, str, str]]:
        return self.conn.execute(
            "SELECT id, process, state FROM cases WHERE parent_id = %s ORDER BY id", (self.case,)
        ).fetchall()

    def stored(self, case: int) -> dict[str, Any]:
        row = self.conn.execute(
            "SELECT process, state, version, number, form FROM cases WHERE id = %s", (case,)
        ).fetchone()
        assert row is not None
        return dict(zip(("process", "state", "version", "number", "form"), row, strict=True))


def test_whatever_happens_to_a_case_its_history_its_days_and_its_holder_agree(db, conn, fresh_database, capsys):
    factory.set_clock(fresh_database.owner_url, NOW)
    who = factory.cast(conn)
    careful = replace(who, municipality=factory.person(conn, "municipality", "014583"), place="014583")
    head = factory.person(conn, "municipality_head", "014583")
    arrangements.settle(conn, factory.reader(conn, head), "014583", asked=True, since=NOW.date().isoformat())
    partner = factory.person(conn, "municipality", "014613")
    personnel = factory.person(conn, "personnel", factory.PERSONNEL)
    around = {
        "db": db, "urls": fresh_database, "who": who, "careful": careful, "head": head, "partner": partner, "personnel": personnel,
    }  # fmt: skip
    lived, end = 0, time.monotonic() + MINUTES * 60
    with psycopg.connect(fresh_database.superuser_url, autocommit=True) as superuser:
        life = type("OneLife", (Life,), around | {"superuser": superuser})
        for road in dict.fromkeys(ROADS):  # every beginning once, whatever is drawn afterwards
            one = life()
            one.open(road=road, careful=not road, affairs="no", joint=False, mine=False)
            one.teardown()
        while not lived or time.monotonic() < end:
            run_state_machine_as_test(life, settings=LONG)
            lived += LIVES
    assert not verify.run(db).breaks
    reached = dict(conn.execute("SELECT body::jsonb ->> 'to', count(*) FROM event GROUP BY 1").fetchall())
    with capsys.disabled():
        print(f"\n{lived} lives, {sum(reached.values())} events: {reached}")
    assert {"dispatched", "stopped", "change_judgement", "awaiting_report", "reported"} <= set(reached)
    assert {"concurrent_appointment_consultation", "condition_open", "own_approval", "cancelled"} <= set(reached)
