"""A process is a table of states and actions that checks itself; only this module touches `transitions`.

The same question is asked by the button and by the command: `Process.actions` explains what a person may do and why
not, `Process.decide` enforces it. Both read `Action.verdicts`. Nothing here knows a database, HTTP or the time of day.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from transitions import EventData, Machine

from states import routes, thread
from states.authority import Matter
from states.outputs import Monthly, Published
from states.terms import (
    OUTSIDE,
    PICKED,
    STAY,
    Action,
    Arrival,
    Ask,
    Board,
    Brief,
    Deadline,
    Derive,
    Facts,
    Level,
    Plan,
    State,
    Verdict,
    Wording,
)

if TYPE_CHECKING:
    from states.forms import Form


class Refused(Exception):
    """An act that the process does not allow; `kind` is role, state or guard, `verdicts` say why."""

    def __init__(self, kind: str, sentence: str, verdicts: Sequence[Verdict] = ()) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence
        self.verdicts = tuple(verdicts)


@dataclass(frozen=True)
class Offer:
    """What a person may do now, or why not: read by pages, commands and tests alike."""

    action: Action
    dest: State
    verdicts: tuple[Verdict, ...]

    @property
    def refusals(self) -> tuple[Verdict, ...]:
        return tuple(v for v in self.verdicts if v.refuses)

    @property
    def warnings(self) -> tuple[Verdict, ...]:
        return tuple(v for v in self.verdicts if v.level is Level.WARN)

    @property
    def allowed(self) -> bool:
        return not self.refusals

    @property
    def mendable(self) -> bool:
        """Whether all that refuses the act is what its own page writes: the page is open, so that somebody can write it."""
        fields = (v.field.partition(".")[0].partition(":")[0] for v in self.refusals)
        return bool(self.action.edits) and all(group in self.action.edits for group in fields)


@dataclass(frozen=True)
class Move:
    """A decided act: the row that fits, the state it leads to, every verdict that was asked."""

    action: Action
    source: str
    dest: str
    verdicts: tuple[Verdict, ...]


def shared(kind: str, roles: frozenset[str], state: str) -> bool:
    """Everybody of a case reads it, where its process says nothing else; what is internal stays with the offices."""
    return not (roles <= OUTSIDE and kind.startswith(("internal", "shown", f"form:{thread.GROUP}")))


RESERVED = frozenset({routes.GROUP, thread.GROUP})  # field groups that are the engine's and that no process reads


class DefinitionError(Exception):
    """A process that contradicts itself; raised at import, before anybody can use it."""


@dataclass(frozen=True)
class Process:
    """A published process: form, states, actions, deadlines. Checks itself when it is made.

    `read` turns stored JSON into the object that guards read, `fields` the flat fields of a page into form JSON. `asks`
    replaces the inbox item of the state where more than one person acts; `reads` tells whether roles may see a field
    group in a state; `assigned` lists who is where on which day; `computed` gives the figures a decision is shown with.
    `documents` are the declared reports and letters, understood by `workflow.documents`.
    """

    key: str
    version: int
    label: str
    states: tuple[State, ...]
    table: tuple[Action, ...]
    read: Callable[[Mapping[str, Any]], Any]
    title: Callable[[Mapping[str, Any]], str]
    place: Callable[[Mapping[str, Any]], str] = lambda form: ""  # code of the municipality that the case is about
    # the codes of every municipality that it is about, where it is more than the one
    places: Callable[[Mapping[str, Any]], Sequence[str]] = lambda form: ()
    deadlines: tuple[Deadline, ...] = ()
    asks: Callable[[Facts], Sequence[Ask] | None] | None = None
    reads: Callable[[str, frozenset[str], str], bool] = shared
    assigned: Callable[[Facts], Sequence[tuple[int, date, int]]] | None = (
        None  # person, day, half (0 morning, 1 afternoon)
    )
    computed: Callable[[Facts], Mapping[str, Any] | None] | None = None
    fields: Callable[[Mapping[str, Sequence[str]], Mapping[str, Any]], dict[str, Any]] | None = None
    needs: frozenset[str] = frozenset()
    documents: Any = None
    opens: Mapping[str, frozenset[str]] = field(default_factory=dict)  # origin -> roles that may open a draft of it
    holders: Mapping[tuple[str, str], str] = field(
        default_factory=dict
    )  # (origin, state) -> holder, where it is another
    fixed: Callable[[Mapping[str, Any]], Any] = lambda form: None  # what of the form never changes once it is opened
    difference: Callable[[Mapping[str, Any]], Sequence[tuple[str, str, str]]] = (
        lambda form: ()
    )  # what is proposed to change: label, before, after
    prefill: Callable[[Mapping[str, Any], Mapping[str, str]], dict[str, Any]] | None = (
        None  # form and a few quick fields of a page → field groups that they come to
    )
    arrival: Callable[[Mapping[str, Any]], Arrival | None] = lambda form: (
        None
    )  # how the case came in, of its stored form
    # why two readings may be one matter that came twice, and whether that is plain enough to look before going on
    alike: Callable[[Any, Any], tuple[Sequence[str], bool]] = lambda one, other: ((), False)
    # why a file that others than the offices will have is not taken: reading, name, what it is called, media type
    accepts: Callable[[Any, str, str, str], str] = lambda read, name, label, media_type: ""
    wording: Wording = field(default_factory=Wording)  # what a search makes of the form
    # the name of a field (or of a table, or a row of one) and its value, in words
    told: Callable[[str, Any], tuple[str, str]] = lambda path, value: (path, str(value))
    # form of an earlier case, its number where the new one continues it → form to begin with, what was left out
    copied: Callable[[Mapping[str, Any], str], tuple[dict[str, Any], Sequence[str]]] | None = None
    lapses: str = ""  # of a process of child cases: the clock's action by which one ends together with its parent
    form: "Form | None" = None  # its declaration, where the pages are made of it
    words: Mapping[str, Any] = field(
        default_factory=dict
    )  # what pages say of it: begins, heading, lead, origins, clauses, folded, awaited
    board: Board | None = None  # how the cases under one of it are laid out by what was decided of them
    plan: Plan | None = None  # of the year
    order: int = 50  # where it stands among the processes on a page
    mark: str = ""  # stands in its numbers, so that kinds of cases are told apart
    inside: bool = False  # of a process of child cases: those outside who take part in the parent do not join its cases
    matters: tuple[Matter, ...] = ()  # what of it is decided by a route, where the table of decisions has a rule
    derives: tuple[Derive, ...] = ()  # what may be begun from it: drafts of other processes that come filled in
    brief: Brief = field(default_factory=Brief)  # what is told of its cases to who is about to visit the place
    published: Published | None = None  # what of its cases everybody reads once it was published
    monthly: Monthly | None = None  # its months in figures

    def __post_init__(self) -> None:
        names = [s.name for s in self.states]
        problems = [f"state {n} twice" for n in names if names.count(n) > 1]
        for row in self.table:
            places = [*row.source, *([] if row.dest == STAY else [row.dest])]
            problems += [f"{row.name}: unknown state {p}" for p in places if p not in names]
            if row.dest != STAY:
                problems += [f"{row.name}: leaves final {p}" for p in row.source if p in names and self.state(p).final]
            problems += [] if row.by else [f"{row.name}: no role"]
            problems += [] if row.weighs in ("", "drafter", "decider") else [f"{row.name}: weighs {row.weighs}"]
        for due in self.deadlines:
            problems += [f"{due.kind}: unknown state {s}" for s in due.runs | due.pauses if s not in names]
            problems += [f"{due.kind}: unknown action {a}" for a in due.starts | due.ends if a not in self.names]
            if due.move and due.move not in self.names:
                problems.append(f"{due.kind}: unknown action {due.move}")
        for matter in self.matters:
            problems += [f"{matter.key}: unknown state {s}" for s in matter.states if s not in names]
            problems += [
                f"{matter.key}: unknown action {a}" for a in matter.decides | matter.returns if a not in self.names
            ]
        for way in self.derives:
            problems += [f"{way.key}: unknown state {s}" for s in way.states if s not in names]
        if any(self.reads(f"form:{thread.GROUP}", frozenset({role}), s) for role in OUTSIDE for s in names):
            problems.append("those outside would read where a case came from")
        problems += self._outputs(names)
        if self.lapses and self.lapses not in self.names:
            problems.append(f"unknown action {self.lapses}")
        if not problems:
            ways = {s.name: {r.dest for r in self.table if s.name in r.source and r.dest != STAY} for s in self.states}
            reached = _closure({self.initial.name}, ways)
            problems += [f"{n}: unreachable" for n in names if n not in reached]
            finals = {s.name for s in self.states if s.final}
            problems += [f"{n}: no way to an end" for n in names if not finals & _closure({n}, ways)]
        if problems:
            raise DefinitionError(f"{self.key} v{self.version}: " + "; ".join(problems))

    def _outputs(self, names: Sequence[str]) -> list[str]:
        """What contradicts itself in what it publishes and counts."""
        public, month = self.published, self.monthly
        named = [*(public.states | public.stale if public else ()), *(month.answered | month.void if month else ())]
        problems = [f"outputs: unknown state {s}" for s in named if s not in names]
        if public:
            unread = (
                g for g in sorted(public.groups) for s in public.states if not self.reads(f"form:{g}", OUTSIDE, s)
            )
            problems += [f"publishes {group}, which those outside may not read" for group in dict.fromkeys(unread)]
        return problems

    @property
    def initial(self) -> State:
        return self.states[0]

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(row.name for row in self.table)

    @cached_property
    def _states(self) -> dict[str, State]:
        return {s.name: s for s in self.states}

    @cached_property
    def picks(self) -> frozenset[str]:
        """The kinds of lists from which something of a case is picked."""
        asked = {ask.kind for row in self.table for ask in row.asks}
        declared = {known.kind for known in self.form.fields_by_path.values()} if self.form else set()
        return PICKED & (asked | declared)

    def state(self, name: str) -> State:
        return self._states[name]

    def matter(self, name: str) -> Matter | None:
        """What is decided by a route in a state, if anything is."""
        return next((matter for matter in self.matters if name in matter.states), None)

    def holder(self, name: str, origin: str) -> str:
        """Whose turn it is in a state, for a case of that origin."""
        return self.holders.get((origin, name), self._states[name].holder)

    def label_of(self, action: str, source: str) -> str:
        """The verb of an action as it was done from that state; the name itself where no row has it."""
        rows = [row for row in self.table if row.name == action]
        return next((row.label for row in rows if source in row.source), rows[0].label if rows else action)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the declarative table: states, actions, roles, rule ids, deadlines."""
        states = [[s.name, s.step, s.holder, s.final] for s in self.states]
        dues = [
            [d.kind, d.holder, sorted(d.runs), d.days, sorted(d.starts), sorted(d.ends), sorted(d.pauses), d.move]
            + ([list(d.on)] if d.on else [])
            + (["rolls"] if d.rolls else [])
            for d in self.deadlines
        ]
        told = [self.key, self.version, states, [row.table() for row in self.table], dues]
        told += (
            [[[m.key, sorted(m.states), m.role, sorted(m.decides), sorted(m.returns)] for m in self.matters]]
            if self.matters
            else []
        )
        return hashlib.sha256(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()

    @cached_property
    def machine(self) -> Machine:
        """The one machine of this version; facts objects are driven through it, none is built per act."""
        machine = Machine(
            model=None,
            states=[s.name for s in self.states],
            initial=self.initial.name,
            auto_transitions=False,
            send_event=True,
        )
        for row in self.table:
            machine.add_transition(row.name, list(row.source), row.dest, conditions=[partial(_permits, self, row)])
        return machine

    def reading(self, form: Mapping[str, Any]) -> Any:
        """The process's reading of the stored form; a group that was erased reads as if it were empty."""
        own = ((group, value) for group, value in form.items() if group not in RESERVED)
        return self.read({group: value for group, value in own if set(value) != {"erased"}})

    def row(self, name: str, facts: Facts) -> Action | None:
        """The row of this name that fits the facts, if any: the first of them, whoever asks and whatever its guards say."""
        return next((r for r in self.table if r.name == name and r.applies(facts)), None)

    def actions(self, facts: Facts) -> list[Offer]:
        """Every action that the roles in `facts` have in this state, allowed or refused with its sentences."""
        offers: list[Offer] = []
        for name in dict.fromkeys(row.name for row in self.table):
            row = self.row(name, facts)
            if row is not None and row.by & facts.roles:
                dest = self.state(facts.state if row.dest == STAY else row.dest)
                offers.append(Offer(row, dest, tuple(row.verdicts(facts))))
        return offers

    def decide(self, facts: Facts, name: str) -> Move:
        """Move `facts.state` by the named action, or raise `Refused` with the reason."""
        row = self.row(name, facts)
        if row is None:
            here = self.state(facts.state).label
            known = next((r.label for r in self.table if r.name == name), name)
            raise Refused("state", f"いまは「{here}」なので、「{known}」はできません。最新の画面を開いてください。")
        if not row.by & facts.roles:
            raise Refused("role", f"「{row.label}」をする役目を、いまのあなたの職は持っていません。")
        source = facts.state
        verdicts = row.verdicts(facts)
        if not self.machine.events[name].trigger(facts):
            lacking = [v for v in verdicts if v.refuses] or list(row.missing(facts))
            raise Refused("guard", f"「{row.label}」はまだできません。{''.join(v.sentence for v in lacking)}", lacking)
        return Move(row, source, facts.state, tuple(verdicts))

    def inbox(self, facts: Facts) -> list[Ask]:
        """Whose turn it is after a move: the desks and persons that are asked, with the deadline each carries."""
        route = routes.of(facts.form) if self.matters else None
        asked, matter = self._asked(facts), self.matter(facts.state)
        return routes.decided_without(matter, routes.asked(route, matter, asked) if route else asked)

    def _asked(self, facts: Facts) -> Sequence[Ask]:
        own = self.asks(facts) if self.asks else None
        if own is not None:
            return own
        state = self.state(facts.state)
        due = next(
            (d.kind for d in self.deadlines if facts.state in d.runs and d.holder == state.holder and not d.move), ""
        )
        return () if state.final or not state.ask else (Ask(state.holder, state.ask, due),)


def _permits(process: Process, row: Action, event: EventData) -> bool:
    """The machine's own condition for a row: it is the one that fits, the role is there, no guard refuses, nothing is missing."""
    facts: Facts = event.model  # type: ignore[assignment]
    if process.row(row.name, facts) is not row or not row.by & facts.roles:
        return False
    return not any(v.refuses for v in row.verdicts(facts)) and not any(row.missing(facts))


def _closure(start: set[str], ways: Mapping[str, set[str]]) -> set[str]:
    seen, todo = set(start), list(start)
    while todo:
        for following in ways[todo.pop()] - seen:
            seen.add(following)
            todo.append(following)
    return seen
