"""The words of the rule language: verdict, facts, guard, state, input, action, deadline, ask. Declarations only.

What they do together – checking a process, offering, deciding – is the kernel's.
"""

from calendar import isleap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from states.calendar import Calendar
from states.places import Directory

STAY = "="  # destination of an action that leaves the state as it is
# The roles that stand outside the offices which handle a case.
OUTSIDE = frozenset({"municipality", "municipality_head", "partner", "staff", "personnel", "body"})
CLOCK = "clock"  # actor and role of the moves that time makes
# What an item of an inbox wants: the process's own work, its confirmation, or a step of a route.
WORK, CONFIRM, DECISION, HELD, READING, ADVICE = "", "confirm", "decide", "held", "read", "advice"
# Kinds of fields and inputs whose values come from a list: of the leading office's posts, of headquarters' departments, of the
# office's municipalities. The engine brings the lists (registers: `offered`).
PICKED = frozenset({"post", "department", "municipality"})
KINDS_OF_WORK = (DECISION, HELD, "review", "consent", ADVICE, READING, CONFIRM, WORK)


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

    def after(self, state: str, form: Mapping[str, Any], read: Any, number: str | None) -> "Facts":
        """The same facts once the case has moved; nothing has been asked of them yet."""
        return Facts(
            state, form, read, self.today, self.directory, self.calendar, self.roles, self.actor, self.inputs, number, self.registers
        )  # fmt: skip


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
            found = [
                v if v.rule else Verdict(v.level, v.sentence, v.field, self.rule, v.remedy) for v in self.ask(facts)
            ]
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
    private: bool = False  # nobody beyond the writer's own office knows of the case yet


@dataclass(frozen=True)
class Input:
    """Something the person is asked for with an act: text, date, choice or a kind of `PICKED`. `internal` never leaves the office.

    `into` names the place in the form ("group.key") that keeps it; without one it is kept as the event's own content. Its
    group may name the actor's organisation or another input: "consent:{acting_org}.note".
    """

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    required: bool = True
    internal: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    into: str = ""
    shows: str = ""  # place in the form ("group.key") whose value stands in the field at first


@dataclass(frozen=True)
class Wording:
    """What a search makes of a form. Paths are patterns: # stands for the number of a row, and for what follows a colon.

    `labels` name the fields; one in `choices` holds a key, which is no word; nor is what stands under a key of `marks`,
    unless that field has a label. `kind` is the path of the choice that tells cases apart, `reports` are the field groups
    that say what came of a case. `figures` are label and unit of what a decision is shown with (`states.figures`).
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    marks: frozenset[str] = frozenset()
    kind: str = ""
    reports: frozenset[str] = frozenset()
    figures: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Arrival:
    """How a case came in: the way in words, the true day where it is known, and who entered it for its sender (a person's id)."""

    way: str
    day: date | None = None
    entered_by: str = ""


@dataclass(frozen=True)
class Child:
    """A case that an act opens under its own: which process, how it begins, its form, and the action that is its first event."""

    process: str
    origin: str
    form: Mapping[str, Any]
    action: str


@dataclass(frozen=True)
class Board:
    """The cases of one process under a case as a board: a column for each choice that stands at `by` in their forms.

    `shows` are the places of the form whose values stand on a card; `none` is the column of what is not decided yet.
    """

    process: str
    label: str
    by: str
    columns: tuple[tuple[str, str], ...]
    none: str
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A plan of the year (年間計画): the cases of a process at their offices by the day that stands at `day` in their forms."""

    label: str
    day: str
    begins: str  # origin of a case that is planned from the page
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Action:
    """One row of the table: who may do it from where to where, under which guards, and what it brings about.

    Several rows may share a name: `when` chooses silently among them, a guard refuses aloud.
    `advises` are guards that are asked, shown and recorded here but refuse only later.
    `weighs` says how warnings are met: a "drafter" writes the reason, a "decider" confirms it or writes his own.
    `record` returns the field groups that the act itself writes; `parties` the organisations that join by it, `leaves`
    those whose part ends, both as (part, organisation); `leads` the organisation that leads the case from then on;
    `links` the cases it is tied to, as (kind, number); `opens` the child cases that begin with it.
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
    leaves: Callable[[Facts], Sequence[tuple[str, str]]] | None = None
    leads: Callable[[Facts], str] | None = None
    links: Callable[[Facts], Sequence[tuple[str, str]]] | None = None
    opens: Callable[[Facts], Sequence[Child]] | None = None
    main: bool = False
    stops: bool = False
    bulk: bool = False  # nothing is decided by it, so that several cases may be done at once
    # what stands in the fields of its page where nothing was written yet, by field group: a letter that drafts itself
    begins: Callable[[Facts], Mapping[str, Mapping[str, Any]]] | None = None

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
            elif (ask.kind == "choice" and given not in dict(ask.choices)) or not offered(facts, ask.kind, str(given)):
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


def offered(facts: Facts, kind: str, value: str) -> bool:
    """Whether a value of one of the kinds in `PICKED` is one that may be picked; what the facts bring no list of is not asked."""
    lists = facts.registers.get("offered")
    return kind not in PICKED or lists is None or value in lists.get(kind, {})


@dataclass(frozen=True)
class Deadline:
    """A date by which somebody acts: `days` business days, the date that `at` reads from the facts, or the next of the days

    of the year that `on` names as (month, day). A date that the office does not work on moves to its next open day if it `rolls`.

    It runs in `runs`, starts on entering them or by one of `starts`, ends by one of `ends`, and keeps its remaining days in `pauses`.
    The days are counted from the day of the act, or from the day that `since` reads where what it answers came earlier; the
    next day of the year is looked for from the day that `year_from` reads, where it reads one.
    It stands only while it is `owed`. A `move` is made by the clock when the date has come.
    `escalates` are (rung, role): from that many business days after the date on, the role's desk is told as well.
    """

    kind: str
    label: str
    holder: str
    runs: frozenset[str]
    days: int = 0
    at: Callable[[Facts], date | None] | None = None
    on: tuple[tuple[int, int], ...] = ()
    rolls: bool = False
    since: Callable[[Facts], date | None] | None = None
    year_from: Callable[[Facts], date | None] | None = None
    starts: frozenset[str] = frozenset()
    ends: frozenset[str] = frozenset()
    pauses: frozenset[str] = frozenset()
    owed: Callable[[Facts], bool] | None = None
    move: str = ""
    escalates: tuple[tuple[int, str], ...] = ((7, "director"),)
    rungs: tuple[int, ...] = (-5, -1, 0, 3, 7)  # business days after the date on which reminders come

    def counted(self, facts: Facts) -> date:
        """The day by which it runs when it begins now."""
        reads = self.year_from if self.on and self.year_from else self.since
        return self.counted_from((reads(facts) if reads else None) or facts.today, facts.calendar)

    def counted_from(self, start: date, days: Calendar) -> date:
        """The day by which it runs when `start` is its first: the next day of the year, or so many business days on."""
        if not self.on:
            return days.add_business_days(start, self.days)
        found = min(
            day for year in (start.year, start.year + 1) for on in self.on if (day := _day_of(year, on)) >= start
        )
        return days.add_business_days(found, 0) if self.rolls else found


def _day_of(year: int, on: tuple[int, int]) -> date:
    """That month and day of the year; 29 February of a common year is its last day."""
    month, day = on
    return date(year, month, day) if on != (2, 29) or isleap(year) else date(year, 2, 28)


@dataclass(frozen=True)
class Ask:
    """An item in somebody's inbox: the holder's desk (or one person), what is wanted, the deadline it carries.

    `org` names the desk's organisation where the holder alone does not: one of several that have the same part. With
    `also` it carries the nearest of several deadlines. `kind` says what sort of work it is (`KINDS_OF_WORK`).
    """

    holder: str
    label: str
    deadline: str = ""
    person: int | None = None
    org: str = ""
    also: tuple[str, ...] = ()
    kind: str = ""

    @property
    def deadlines(self) -> tuple[str, ...]:
        """The kinds of deadline of which the nearest is carried."""
        return (self.deadline, *self.also)


@dataclass(frozen=True, eq=False)
class Derive:
    """Something that may be begun from a case: a draft of another process, filled in with what is known already.

    The roles in `by` begin it in these states (none: in every one), where `when` holds. `form` returns the field groups
    of the draft; its facts have at `registers["lead"]` the office that the new case will go to.
    """

    key: str
    label: str
    by: frozenset[str]
    states: tuple[str, ...]
    process: str
    origin: str
    form: Callable[[Facts], Mapping[str, Any]]
    when: Callable[[Facts], bool] | None = None
    effect: str = ""

    def open_to(self, facts: Facts) -> bool:
        """Whether these roles may begin it now."""
        here = not self.states or facts.state in self.states
        return bool(self.by & facts.roles) and here and (self.when is None or self.when(facts))


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that was said to be done: in words, whose it is (a holder), by which day, and whether it was done.

    One that was `dropped` will not be done any more.
    """

    text: str
    by: str = ""
    due: date | None = None
    kept: bool = False
    dropped: bool = False


@dataclass(frozen=True)
class Brief:
    """What a process tells of a case to who is about to visit the place: of its reading (and state), as far as it may be read.

    `voice` is what somebody there said or asked for, `promises` what was said to be done, `heard` what was said to us
    in the end.
    """

    voice: Callable[[Any], str] = lambda read: ""
    promises: Callable[[Any, str], Sequence[Promise]] = lambda read, state: ()
    heard: Callable[[Any], str] = lambda read: ""
