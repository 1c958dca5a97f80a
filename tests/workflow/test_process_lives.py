"""Lives of every declared process: whoever may act does what is offered, with whatever its fields take, as days go by.

Nothing here knows a process by name: forms and inputs are filled by their kinds, warnings are reasoned, refusals are taken.
After each life the cases are whole: refused acts left no trace, who is asked is who should be, history replays.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from states import catalogue
from states.forms import Table
from states.kernel import Offer, Refused
from states.terms import CLOCK
from tests import council, desk, factory, round_table
from tests.workflow.conftest import MONDAY
from workflow import cases, story, verify, watch
from workflow.cases import View
from workflow.loading import NotFound

OTHER, SOMU, NOSEI = "014583", "hk-somu", "hk-nosei"
MINUTES = float(os.environ.get("TOBIDASHI_SOAK_MINUTES") or 0)
LIVES, STEPS = (60, 60) if MINUTES else (4, 40)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(0 if MINUTES else 600)]
ROOTS = sorted(key for key, process in catalogue.newest().items() if process.opens and process.form)
TEXTS = ("びえいラウンドテーブルミーティング", "丘の道に車が停まる", "<b>=1+1</b>", "冬の催しを続けたい。\n二行目。")
# What must be of a certain shape although its field is a plain text: codes, names of places, hours, people who are not named aloud.
NAMED = {
    "municipality_code": ("", factory.MUNICIPALITY), "municipality_name": ("美瑛町",), "from": ("09:30",), "to": ("16:00",), "speaker": ("聞野（仮名）",),
    "verbatim": ("そう言われた",), "affiliation": ("丘の会",),
}  # fmt: skip
DAYS = (-20, -1, 0, 0, 0, 1, 15, 40, 90)
FAMILY = """WITH RECURSIVE f AS (SELECT id FROM cases WHERE id = %s UNION SELECT c.id FROM cases c JOIN f ON c.parent_id = f.id)
SELECT id FROM f ORDER BY id"""


class Life:
    """One case with what comes to hang below it, and everybody who may do something about it."""

    def __init__(self, conn: Any, people: list[int], seed: int, root: int) -> None:
        self.conn, self.people, self.rng, self.root = conn, people, random.Random(seed), root
        self.done: Counter[tuple[str, str]] = Counter()

    @property
    def family(self) -> list[int]:
        return [row[0] for row in self.conn.execute(FAMILY, (self.root,)).fetchall()]

    def step(self) -> None:
        """Somebody opens a case and does one of the things that are offered."""
        family = self.family
        for _ in range(8):
            person, case = self.rng.choice(self.people), self.rng.choice(family)
            try:
                view = cases.look(self.conn, person, case)
            except NotFound:
                continue
            offers = [offer for offer in view.offers if offer.allowed or offer.mendable]
            if offers:
                weights = [1 if offer.action.stops else 4 + 12 * offer.action.main for offer in offers]
                self.act(person, view, self.rng.choices(offers, weights)[0])
                return

    def act(self, person: int, view: View, offer: Offer) -> None:
        action = offer.action
        inputs: dict[str, Any] = {
            ask.name: self.value(ask.name, ask.kind, ask.choices)
            for ask in action.asks
            if ask.required or self.rng.random() < 0.5
        }
        form = {name: part for name in sorted(action.edits) if (part := self.group(view, name))}
        for _ in range(2):
            try:
                cases.act(
                    self.conn, person, view.id, action.name, version=view.version, key=uuid4(), inputs=inputs, form=form
                )
            except Refused as refusal:
                now = cases.look(self.conn, person, view.id)
                assert (now.version, now.form) == (view.version, view.form), action.name
                if not self.reasoned(refusal, inputs):
                    return
            else:
                self.done[view.process.key, action.name] += 1
                return

    @staticmethod
    def reasoned(refusal: Refused, inputs: dict[str, Any]) -> bool:
        """Whether reasons for the warnings are all that was lacking; they are written."""
        fields = [verdict.field.partition(".") for verdict in refusal.verdicts]
        for head, _, rule in fields:
            if head in ("reasons", "confirm"):
                inputs.setdefault(head, {})[rule] = "やむを得ない。"
        return bool(fields) and all(head in ("reasons", "confirm") for head, _, _ in fields)

    def group(self, view: View, name: str) -> dict[str, Any]:
        """A field group as somebody leaves it: what stood there, with some of its fields written."""
        group = view.process.form.by_name.get(name) if view.process.form else None
        if group is None or not group.typed or group.many or name in view.erased:
            return {}
        part = dict(view.form.get(name) or {})
        for known in group.parts:
            if isinstance(known, Table):
                kept = part.get(known.name) or []
                part[known.name] = kept if kept and self.rng.random() < 0.6 else [self.row(known) for _ in range(2)]
            elif known.kind != "mark" and (known.need or self.rng.random() < 0.7) and not part.get(known.name):
                part[known.name] = self.value(known.name, known.kind, known.options)
        return part

    def row(self, table: Table) -> dict[str, Any]:
        """A row; whoever is named in it agreed to be."""
        return {c.name: self.value(c.name, c.kind, c.options) for c in table.columns if c.kind != "mark"}

    def value(self, name: str, kind: str, options: Any) -> Any:
        """Something that a field of this kind takes, mostly what people would write there."""
        choose = self.rng.choice
        if options:
            return choose(options)[0]
        if name in NAMED and kind in ("text", "time"):
            return choose(NAMED[name])
        today: date = cases.today(self.conn)
        post = self.conn.execute("SELECT id::text FROM post WHERE org_code = %s AND role = 'bureau'", (factory.OFFICE,))
        made: Mapping[str, Any] = {
            "date": lambda: str(today + timedelta(days=choose(DAYS))), "time": lambda: choose(("09:30", "16:00")),
            "number": lambda: choose(("3", "12")), "tel": lambda: "0000-00-0000", "email": lambda: "a@example.lg.jp",
            "tick": lambda: self.rng.random() < 0.9, "municipality": lambda: choose((factory.MUNICIPALITY, OTHER)),
            "municipalities": lambda: choose((factory.MUNICIPALITY, f"{factory.MUNICIPALITY} {OTHER}")), "person": lambda: None,
            "post": lambda: choose(post.fetchall())[0], "department": lambda: choose((SOMU, NOSEI)), "office": lambda: "hk-sorachi",
            "partner": lambda: factory.MUNICIPALITY, "case": lambda: choose(self.numbers()),
        }  # fmt: skip
        return made.get(kind, lambda: choose(TEXTS))()

    def numbers(self) -> list[str]:
        found = self.conn.execute("SELECT number FROM cases WHERE id = ANY (%s) AND number IS NOT NULL", (self.family,))
        return [row[0] for row in found.fetchall()] or ["上川-R8-999"]

    def views(self) -> Iterator[tuple[int, View]]:
        """Every case as everybody who may see it sees it."""
        for case in self.family:
            for person in self.people:
                try:
                    yield person, cases.look(self.conn, person, case)
                except NotFound:
                    continue

    def is_whole(self) -> None:
        """Who is asked is who should be; what people read are words; an ended case asks nobody."""
        for person, view in self.views():
            (steps,) = self.conn.execute(
                "SELECT count(*) FROM step WHERE case_id = %s AND closed_at IS NULL", (view.id,)
            ).fetchone()
            if view.version:
                assert bool(steps) == bool(view.process.inbox(view.facts)), (view.process.key, view.state.name)
                assert not (view.state.final and steps), view.state.name
            for line in story.timeline(self.conn, view) if view.version else ():
                for part in line["shown"]:
                    assert part["text"] not in (factory.MUNICIPALITY, OTHER, SOMU, NOSEI), (person, part)


def blank(conn: Any, who: factory.Cast, key: str) -> int:
    process = catalogue.process(key)
    return int(cases.open_case(conn, who.bureau, key, next(iter(process.opens)), {}))


def after_a_session(conn: Any, who: factory.Cast) -> int:
    """A body whose session left two duties, and a project."""
    body = council.body(conn, who)
    council.act(conn, who.bureau, body, "add_project", title="丘のまちの交通", aim="足の確保")
    due = (cases.today(conn) + timedelta(days=60)).isoformat()
    theirs = {"owner_kind": "municipality", "municipality": OTHER}
    duties = [
        {"no": "1", "what": "案内板の様式をそろえる", "due": due} | one for one in (theirs, {"owner_kind": "office"})
    ]
    council.held(conn, who, council.called(conn, who, body), duties)
    return body


def with_a_published_answer(conn: Any, who: factory.Cast) -> int:
    made = desk.published(conn, who, "空き家の補助はあるか", "あります。")
    return int(conn.execute("SELECT parent_id FROM cases WHERE id = %s", (made,)).fetchone()[0])


# Where lives begin: with a blank draft of every process that one may open, and in the midst of things. With each, the
# processes that it must come to.
STARTS: Mapping[str, tuple[Callable[[Any, factory.Cast], int], frozenset[str]]] = {
    **{key: (partial(blank, key=key), frozenset({key})) for key in ROOTS},
    "after a meeting": (round_table.reported, frozenset({"opinion", "coordination"})),
    "after a session": (after_a_session, frozenset({"council_action", "council_project", "regional_council"})),
    "with an answer": (with_a_published_answer, frozenset({"qa_answer"})),
}


@pytest.mark.parametrize("start", STARTS)
def test_whatever_is_offered_can_be_lived(db, conn, who, clock, start: str) -> None:
    elsewhere = factory.person(conn, "municipality", OTHER)
    departments = [factory.person(conn, "department", code) for code in (SOMU, NOSEI)]
    people = [
        who.bureau,
        who.bureau_colleague,
        who.director,
        who.municipality,
        elsewhere,
        who.headquarters,
        *departments,
    ]
    begin, processes = STARTS[start]
    done: Counter[tuple[str, str]] = Counter()
    day = MONDAY
    for seed in range(LIVES):
        life = Life(conn, people, seed, begin(conn, who))
        for number in range(STEPS):
            life.step()
            if number % 15 == 14:
                day += timedelta(days=life.rng.choice((1, 6, 25)))
                clock.at(day)
                watch.move(db)
        life.is_whole()
        done += life.done
    assert not verify.run(db).breaks
    for key in processes:
        told = {name for other, name in done if other == key}
        known = {row.name for row in catalogue.process(key).table if row.by != {CLOCK}}
        assert len(told) >= len(known) / 4, (key, sorted(known - told))
