"""A process is a table of states and actions that checks itself; only this module touches `transitions`.

The same question is asked by the button and by the command: `Process.actions` explains what a person may do and why
not, `Process.decide` enforces it. Both read `Action.verdicts`. Nothing here knows a database, HTTP or the time of day.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property, partial
from typing import Any

from transitions import EventData, Machine

from states.calendar import Calendar
from states.places import Directory

STAY = "="  # destination of an action that leaves the state as it is
CLOCK = "clock"  # actor and role of the moves that time makes


class Level(StrEnum):
    """How a guard answers: only `block` and an open `procedure` refuse."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"
    PROCEDURE = "procedure"
    BLOCK = "block"


class Remedy(StrEnum):
    """What clears a refusal; the intake check names its decision by it."""

    CORRECT = "return_for_correction"
    CONSULT = "consult_hq"
    RECOGNISE = "director_approval_required"
    NONE = "refuse"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer of one rule: level, rule id (None where no rule covers it), field of the form, Japanese sentence."""

    level: Level
    sentence: str
    field: str = ""
    rule: str | None = None
    remedy: Remedy = Remedy.CORRECT
    binding: bool = True  # False: asked and shown at this action, but it refuses only a later one

    @property
    def refuses(self) -> bool:
        return self.binding and self.level in (Level.BLOCK, Level.PROCEDURE)


def ok(sentence: str, field: str = "") -> Verdict:
    """The rule was asked and is met."""
    return Verdict(Level.PASS, sentence, field)


def warn(sentence: str, field: str = "") -> Verdict:
    """The rule lets the case go on with a written reason."""
    return Verdict(Level.WARN, sentence, field)


def block(sentence: str, field: str = "", remedy: Remedy = Remedy.CORRECT) -> Verdict:
    """The rule stops the case until something is changed."""
    return Verdict(Level.BLOCK, sentence, field, remedy=remedy)


def procedure(sentence: str, field: str = "", remedy: Remedy = Remedy.CONSULT) -> Verdict:
    """Someone must be asked first."""
    return Verdict(Level.PROCEDURE, sentence, field, remedy=remedy)


@dataclass(slots=True)
class Facts:
    """Everything a decision may read, gathered beforehand; `state` is what the machine moves.

    `form` is the stored JSON by field group, `read` the process's own reading of it, `registers` what the process
    asked for under neutral names (`Process.needs`), `inputs` what the person typed with the act.
    """

    state: str
    form: Mapping[str, Any]
    read: Any
    today: date
    directory: Directory
    calendar: Calendar
    roles: frozenset[str] = frozenset()
    actor: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    number: str | None = None
    registers: Mapping[str, Any] = field(default_factory=dict)
    memo: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Guard:
    """A rule that speaks: yields verdicts, or nothing when it does not concern the case."""

    rule: str | None
    name: str
    ask: Callable[[Facts], Iterable[Verdict]]

    def verdicts(self, facts: Facts) -> list[Verdict]:
        """Answers once per facts; a guard shared by several actions is not asked again."""
        found: list[Verdict] | None = facts.memo.get(self)
        if found is None:
            found = [v if v.rule else Verdict(v.level, v.sentence, v.field, self.rule, v.remedy) for v in self.ask(facts)]
            facts.memo[self] = found
        return found


def guard(rule: str | None) -> Callable[[Callable[[Facts], Iterable[Verdict]]], Guard]:
    """Make a guard of a function; `rule` is an id of the rule book, None where no rule covers it."""
    return lambda ask: Guard(rule, ask.__name__, ask)


@dataclass(frozen=True)
class State:
    """A state, whose turn it is in it, the step that everybody sees, and what its holder is asked to do."""

    name: str
    label: str
    step: str
    holder: str = ""
    ask: str = ""
    final: bool = False
    outcome: str = ""  # of a final state: how the case ended, in the words of the lists


@dataclass(frozen=True)
class Input:
    """Something the person is asked for with an act: text, date or choice. `internal` never leaves the office.

    `into` names the place in the form ("group.key") that keeps it; without one it is kept as the event's own content.
    """

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    required: bool = True
    internal: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    into: str = ""


@dataclass(frozen=True, eq=False)
class Action:
    """One row of the table: who may do it from where to where, under which guards, and what it brings about.

    Several rows may share a name: `when` chooses silently among them, a guard refuses aloud.
    `advises` are guards that are asked, shown and recorded here but refuse only later.
    `weighs` says how warnings are met: a "drafter" writes the reason, a "decider" confirms it or writes his own.
    `record` returns the field groups that the act itself writes; `parties` the organisations that join by it.
    """

    name: str
    source: tuple[str, ...]
    dest: str
    label: str
    by: frozenset[str]
    effect: str = ""
    guards: tuple[Guard, ...] = ()
    advises: tuple[Guard, ...] = ()
    when: Callable[[Facts], bool] | None = None
    asks: tuple[Input, ...] = ()
    edits: frozenset[str] = frozenset()
    weighs: str = ""
    numbers: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    tells: frozenset[str] = frozenset()
    record: Callable[[Facts], Mapping[str, Any]] | None = None
    parties: Callable[[Facts], Sequence[tuple[str, str]]] | None = None
    main: bool = False
    stops: bool = False

    def applies(self, facts: Facts) -> bool:
        """The row that fits these facts, guards aside."""
        return facts.state in self.source and (self.when is None or self.when(facts))

    def verdicts(self, facts: Facts) -> list[Verdict]:
        """What the row's guards say, the binding ones first; asked once per facts."""
        found: list[Verdict] | None = facts.memo.get(self)
        if found is None:
            found = [v for g in self.guards for v in g.verdicts(facts)]
            advice = (v for g in self.advises for v in g.verdicts(facts))
            found += [Verdict(v.level, v.sentence, v.field, v.rule, v.remedy, binding=False) for v in advice]
            facts.memo[self] = found
        return found

    def missing(self, facts: Facts) -> Iterator[Verdict]:
        """What the person still has to write: asked inputs, and a reason for each warning."""
        for ask in self.asks:
            given = facts.inputs.get(ask.name)
            if not given.strip() if isinstance(given, str) else given in (None, [], {}):
                if ask.required:
                    yield block(f"「{ask.label}」を書いてください。", ask.name)
            elif ask.kind == "choice" and given not in dict(ask.choices):
                yield block(f"「{ask.label}」を選び直してください。", ask.name)
        if self.weighs:
            key = "reasons" if self.weighs == "drafter" else "confirm"
            given = facts.inputs.get(key) or {}
            for rule in dict.fromkeys(v.rule for v in self.verdicts(facts) if v.level is Level.WARN and v.rule):
                if self.weighs == "drafter" and not str(given.get(rule, "")).strip():
                    yield block(f"注意 {rule} を認めてもらうための理由を書いてください。", f"reasons.{rule}")
                if self.weighs == "decider" and rule not in given:
                    yield block(
                        f"注意 {rule} について、起案者の理由を認めるか、自分の理由を書いてください。", f"confirm.{rule}"
                    )

    def table(self) -> list[Any]:
        """The declarative part, for the digest."""
        asks = [[a.name, a.kind, a.required, a.internal] for a in self.asks]
        rules = [[[g.rule, g.name] for g in asked] for asked in (self.guards, self.advises)]
        sets = [sorted(self.edits), self.weighs, list(self.numbers), list(self.letters), sorted(self.tells)]
        return [self.name, sorted(self.source), self.dest, sorted(self.by), rules, asks, *sets]


@dataclass(frozen=True)
class Deadline:
    """A date by which somebody acts: `days` business days, or the date that `at` reads from the facts.

    It runs in `runs`, starts on entering them or by one of `starts`, ends by one of `ends`, and keeps its remaining days in `pauses`.
    A `move` is made by the clock when the date has come.
    """

    kind: str
    label: str
    holder: str
    runs: frozenset[str]
    days: int = 0
    at: Callable[[Facts], date | None] | None = None
    starts: frozenset[str] = frozenset()
    ends: frozenset[str] = frozenset()
    pauses: frozenset[str] = frozenset()
    move: str = ""


@dataclass(frozen=True)
class Ask:
    """An item in somebody's inbox: the holder's desk (or one person), what is wanted, the deadline it carries."""

    holder: str
    label: str
    deadline: str = ""
    person: int | None = None


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


@dataclass(frozen=True)
class Move:
    """A decided act: the row that fits, the state it leads to, every verdict that was asked."""

    action: Action
    source: str
    dest: str
    verdicts: tuple[Verdict, ...]


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
    deadlines: tuple[Deadline, ...] = ()
    asks: Callable[[Facts], Sequence[Ask] | None] | None = None
    reads: Callable[[str, frozenset[str], str], bool] = lambda group, roles, state: True
    assigned: Callable[[Any], Sequence[tuple[int, date]]] | None = None
    computed: Callable[[Facts], Mapping[str, Any] | None] | None = None
    fields: Callable[[Mapping[str, Sequence[str]], Mapping[str, Any]], dict[str, Any]] | None = None
    needs: frozenset[str] = frozenset()
    documents: Any = None
    opens: Mapping[str, frozenset[str]] = field(default_factory=dict)  # origin -> roles that may open a draft of it

    def __post_init__(self) -> None:
        names = [s.name for s in self.states]
        problems = [f"state {n} twice" for n in names if names.count(n) > 1]
        for row in self.table:
            places = [*row.source, *([] if row.dest == STAY else [row.dest])]
            problems += [f"{row.name}: unknown state {p}" for p in places if p not in names]
            problems += [f"{row.name}: leaves final {p}" for p in row.source if p in names and self.state(p).final]
            problems += [] if row.by else [f"{row.name}: no role"]
            problems += [] if row.weighs in ("", "drafter", "decider") else [f"{row.name}: weighs {row.weighs}"]
        for due in self.deadlines:
            problems += [f"{due.kind}: unknown state {s}" for s in due.runs | due.pauses if s not in names]
            problems += [f"{due.kind}: unknown action {a}" for a in due.starts | due.ends if a not in self.names]
            if due.move and due.move not in self.names:
                problems.append(f"{due.kind}: unknown action {due.move}")
        if not problems:
            ways = {s.name: {r.dest for r in self.table if s.name in r.source and r.dest != STAY} for s in self.states}
            reached = _closure({self.initial.name}, ways)
            problems += [f"{n}: unreachable" for n in names if n not in reached]
            finals = {s.name for s in self.states if s.final}
            problems += [f"{n}: no way to an end" for n in names if not finals & _closure({n}, ways)]
        if problems:
            raise DefinitionError(f"{self.key} v{self.version}: " + "; ".join(problems))

    @property
    def initial(self) -> State:
        return self.states[0]

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(row.name for row in self.table)

    @cached_property
    def _states(self) -> dict[str, State]:
        return {s.name: s for s in self.states}

    def state(self, name: str) -> State:
        return self._states[name]

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the declarative table: states, actions, roles, rule ids, deadlines."""
        states = [[s.name, s.step, s.holder, s.final] for s in self.states]
        dues = [
            [d.kind, d.holder, sorted(d.runs), d.days, sorted(d.starts), sorted(d.ends), sorted(d.pauses), d.move]
            for d in self.deadlines
        ]
        told = [self.key, self.version, states, [row.table() for row in self.table], dues]
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
        return self.read({group: value for group, value in form.items() if set(value) != {"erased"}})

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

    def inbox(self, facts: Facts) -> Sequence[Ask]:
        """Whose turn it is after a move: the desks and persons that are asked, with the deadline each carries."""
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
