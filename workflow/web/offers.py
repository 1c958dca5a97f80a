"""What a person may do on a case, put into words for the page: verdicts, cards of acts, acts that are refused and why.

Everything is read from the process and its offers; nothing here knows a state or an act by name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from states.dates import short
from states.kernel import Offer, Process
from states.route_actions import BY_NAME, waiting
from states.terms import PICKED, STAY, Action, Deadline, Facts, Input, Level, Remedy, Verdict
from workflow.access import NARROW, OUTSIDE
from workflow.acts import form_after
from workflow.cases import View
from workflow.deadlines import due_day, opening, promised
from workflow.diagram import HOLDERS
from workflow.web import declared
from workflow.web.render import environment

KINDS = {
    Level.BLOCK: ("stop", "支障"),
    Level.PROCEDURE: ("now", "手続"),
    Level.WARN: ("warn", "注意"),
    Level.PASS: ("ok", "適合"),
}
LATER = "いまの操作は止めません。決めるまでに済ませます"


@dataclass(frozen=True)
class Judged:
    """A verdict as the page shows it; `reason` is what the drafter wrote on a warning."""

    kind: str
    word: str
    sentence: str
    clause: str = ""
    reason: str = ""
    field: str = ""
    rule: str = ""


@dataclass(frozen=True)
class Line:
    """One effect of an act."""

    label: str
    text: str


@dataclass(frozen=True)
class Asked:
    """An input of an act, with who will read it, and what was typed before a refusal."""

    name: str
    label: str
    kind: str
    hint: str
    who: str
    required: bool
    choices: Sequence[tuple[str, str]]
    typed: str = ""
    problem: str = ""

    @property
    def listed(self) -> bool:
        """Whether one of a list is chosen."""
        return self.kind in PICKED | {"office", "partner", "choice"}


@dataclass(frozen=True)
class Weighed:
    """A warning that this act has to answer."""

    rule: str
    sentence: str
    reason: str
    choice: str = ""
    typed: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Card:
    """One act: what it does, what it asks, its button; `sentences` and `who` where it is refused."""

    name: str
    label: str
    effect: str
    effects: Sequence[Line]
    asks: Sequence[Asked] = ()
    weighs: Sequence[Weighed] = ()
    weighing: str = ""
    key: str = ""
    main: bool = False
    stops: bool = False
    edits: bool = False
    open: bool = False
    sentences: Sequence[str] = ()
    who: str = ""
    rare: bool = False


@dataclass(frozen=True)
class Choices:
    """What can be chosen in an input: value and label of each, and what is chosen at first."""

    options: Sequence[tuple[str, str]]
    first: str = ""


@dataclass(frozen=True)
class Typed:
    """What came back with a refused act: its name, key and fields, and the sentence for each field."""

    action: str = ""
    key: str = ""
    fields: Mapping[str, str] | None = None
    problems: Mapping[str, str] | None = None

    def value(self, name: str) -> str:
        return (self.fields or {}).get(name, "")

    def problem(self, name: str) -> str:
        return (self.problems or {}).get(name, "")


def names_of(view: View) -> dict[str, str]:
    """Holder → what it is called on this case."""
    by_part = {party["part"]: str(party["org_name"]) for party in view.parties}
    found = dict(HOLDERS)
    found["municipality"] = by_part.get("requester") or by_part.get("destination") or HOLDERS["municipality"]
    office = view.facts.directory.office(view.lead)
    lead = by_part.get("lead") or (office.name if office else "")
    if lead:
        found |= {"bureau": lead, "director": f"{lead}長"}
    towns = [str(party["org_name"]) for party in view.parties if party["part"] == "partner"]
    if len(towns) == 1 and "requester" not in by_part:  # nobody asks together with it
        found["partner"] = towns[0]
    return found


def inside(view: View) -> bool:
    """Whether the reader belongs to the offices that handle the case; who reads but little of it does not."""
    return not view.roles <= OUTSIDE | NARROW


def reasons_of(form: Mapping[str, Any]) -> Mapping[str, str]:
    """Rule → the drafter's reason, from whichever field group of the form keeps reasons."""
    for part in form.values():
        if isinstance(part, Mapping) and isinstance(part.get("reasons"), Mapping):
            return {str(rule): str(text) for rule, text in part["reasons"].items()}
    return {}


def judged(verdicts: Iterable[Verdict], clauses: Mapping[str, str], reasons: Mapping[str, str]) -> list[Judged]:
    """Bad ones first, each sentence once; what is merely not written yet stands in one line at the end."""
    order = list(KINDS)
    unique = {(v.rule, v.sentence): v for v in sorted(verdicts, key=lambda v: (not v.binding, order.index(v.level)))}
    found: list[Judged] = []
    blank: list[str] = []
    for v in sorted(unique.values(), key=lambda v: (order.index(_level(v)), v.rule or "")):
        if v.rule is None and v.refuses:
            blank.append(v.sentence)
            continue
        kind, word = KINDS[_level(v)]
        later = LATER if not v.binding and v.level is not Level.PASS else ""
        clause = " ・ ".join(filter(None, (clause_of(clauses, v.rule), later)))
        reason = reasons.get(v.rule or "", "") if v.level is Level.WARN else ""
        found.append(Judged(kind, word, v.sentence, clause, reason, v.field, v.rule or ""))
    if blank:
        found.append(Judged("none", "未記入", "".join(blank)))
    return found


def _level(verdict: Verdict) -> Level:
    """A block that does not bind this act is shown as a warning."""
    return Level.WARN if verdict.level is Level.BLOCK and not verdict.binding else verdict.level


def clause_of(clauses: Mapping[str, str], rule: str | None) -> str:
    """The clause of a rule with its id."""
    return " ".join(filter(None, (clauses.get(rule, ""), rule))) if rule else ""


def words(process: Process) -> Any:
    """The words of a process that only its pages need: those of its own template (`words.html`), else those it declares."""
    if process.form is not None or process.words:
        return declared.words_of(process)
    found = environment().select_template([f"{process.key}/words.html", "words.html"])
    return found.module


def cards(
    view: View,
    offers: Sequence[Offer],
    typed: Typed,
    *,
    after: Facts | None = None,
    choices: Mapping[str, Choices] | None = None,
    told: Mapping[str, str] = MappingProxyType({}),
    turns: Mapping[str, str] = MappingProxyType({}),
) -> list[Card]:
    """A card for every act that may be done now or whose page is open, the main one first; one that was just refused stays open.

    `choices` are those of inputs by their kind; `told` says by the act's name who will be told, `turns` whose turn it
    will be where a route says that.
    """
    allowed = sorted((o for o in offers if _open(view, o)), key=lambda o: (not o.action.main, o.action.stops))
    opened = typed.action or next((o.action.name for o in allowed if o.action.main), "")
    facts = after or view.facts
    made = [
        card(
            view, offer, typed, facts, choices or {}, told.get(offer.action.name, ""), turns.get(offer.action.name, "")
        )
        for offer in allowed
    ]
    return [replace(one, open=one.name == opened) for one in made]


def card(
    view: View, offer: Offer, typed: Typed, facts: Facts, choices: Mapping[str, Choices] = MappingProxyType({}), told: str = "",
    turn: str = "",
) -> Card:  # fmt: skip
    """One act with its effects, inputs and a fresh key; what was typed before comes back with its key."""
    action = offer.action
    mine = typed if typed.action == action.name else Typed()
    reasons = reasons_of(view.form)
    weighs: list[Weighed] = []
    if action.weighs:
        for v in {v.rule: v for v in offer.warnings if v.rule}.values():
            rule = v.rule or ""
            field = f"{'reasons' if action.weighs == 'drafter' else 'confirm'}.{rule}"
            reason = reasons.get(rule, "")
            choice = mine.value(f"confirm.{rule}") or ("drafter" if reason else "own")
            text = mine.value(field if action.weighs == "drafter" else f"confirm.{rule}.own")
            text = text or (reason if action.weighs == "drafter" else "")
            weighs.append(Weighed(rule, v.sentence, reason, choice, text, mine.problem(field)))
    return Card(
        action.name, action.label, action.effect, effects(view, offer, facts, told, turn),
        [_asked(ask, action, view, mine, choices.get(ask.kind)) for ask in action.asks], weighs, action.weighs,
        mine.key or str(uuid4()), action.main, action.stops, bool(action.edits),
        rare=action.name in BY_NAME and BY_NAME[action.name].rare and typed.action != action.name,
    )  # fmt: skip


def _asked(ask: Input, action: Action, view: View, typed: Typed, choices: Choices | None) -> Asked:
    names = names_of(view)
    told = "、".join(names[role] for role in HOLDERS if role in action.tells)
    if ask.internal:
        who = "庁内だけに残ります。"
    elif ask.kind in ("text", "line") and told:
        who = f"{told}に伝わります。"
    else:
        who = ""
    hint = "" if who and ask.hint and ask.hint.rstrip("。") in who else ask.hint
    value = typed.value(f"input.{ask.name}")
    if ask.shows and typed.fields is None:
        group, key = ask.shows.split(".")
        value = str((view.form.get(group) or {}).get(key) or "")
    if choices is not None and choices.first and typed.fields is None:
        value = choices.first
    options = choices.options if choices else ask.choices
    return Asked(ask.name, ask.label, ask.kind, hint, who, ask.required, options, value, typed.problem(ask.name))


def _open(view: View, offer: Offer) -> bool:
    """Whether somebody can do the act, or write on its page what it still lacks; a draft has a page of its own for that."""
    return offer.allowed or bool(view.version and offer.mendable)


def shut(view: View, offers: Sequence[Offer]) -> list[Card]:
    """The acts that a page can neither do nor open now."""
    return refused(view, [offer for offer in offers if not _open(view, offer)])


def refused(view: View, offers: Sequence[Offer]) -> list[Card]:
    """The acts that cannot be done now: why, and who can change it."""
    found = []
    for offer in offers:
        if not offer.allowed:
            sentences = list(dict.fromkeys(_with_rule(v) for v in offer.refusals))
            who = "、".join(dict.fromkeys(filter(None, (_mover(view, v) for v in offer.refusals))))
            found.append(
                Card(offer.action.name, offer.action.label, offer.action.effect, (), sentences=sentences, who=who)
            )
    return found


def _with_rule(verdict: Verdict) -> str:
    return f"{verdict.sentence}({verdict.rule})" if verdict.rule else verdict.sentence


def _mover(view: View, verdict: Verdict) -> str:
    """Who can clear a refusal: whoever is consulted or recognises, else whoever may write the field now or after a return."""
    names = names_of(view)
    if verdict.remedy is Remedy.CONSULT:
        return names["headquarters"]
    if verdict.remedy is Remedy.RECOGNISE:
        return names["director"]
    group = verdict.field.partition(".")[0].partition(":")[0]
    writers = [
        (row.source, role)
        for row in view.process.table
        if group in row.edits
        for role in HOLDERS
        if role in row.by and (row.when is None or row.when(view.facts))
    ]
    here = [names[role] for sources, role in writers if view.state.name in sources]
    return (here or [names[role] for _, role in writers] or [""])[0]


def effects(view: View, offer: Offer, facts: Facts, told: str = "", turn: str = "") -> list[Line]:
    """What an act does before it is done: next state, next holder, letters, who is told, which clocks move.

    `turn` is whose turn a route says it will be.
    """
    action, process, names = offer.action, view.process, names_of(view)
    stays = action.dest == STAY
    lines = [Line("次の状態", f"「{offer.dest.label}」のまま" if stays else f"「{offer.dest.label}」")]
    if turn:
        lines.append(Line("次の手番", turn))
    elif offer.dest.final:
        lines.append(Line("次の手番", f"ありません。この案件は{'終わったままです' if stays else '終わります'}"))
    elif stays and process.matter(offer.dest.name):
        lines.append(Line("次の手番", f"変わりません。{waiting(view.facts)}"))
    elif not stays:
        lines.append(Line("次の手番", names.get(offer.dest.holder, offer.dest.holder)))
    if action.letters:
        lines.append(
            Line(
                "出る文書",
                "、".join(letter_label(process, kind) for kind in action.letters) + "(番号はこの時に付きます)",
            )
        )
    if told:
        lines.append(Line("知らせる相手", told))
    clocks = _clocks(view, action, offer.dest.name, facts)
    if clocks:
        lines.append(Line("動く期限", "。".join(clocks)))
    return lines


def _clocks(view: View, action: Action, dest: str, facts: Facts) -> list[str]:
    """The deadlines that an act starts, stops or pauses, with the dates that are known now, as far as the reader may know them."""
    running = {d["kind"]: d for d in view.deadlines}
    told: list[str] = []
    for due in view.declared:
        if not known(view, due.kind, due.holder):
            continue
        runs = dest in due.runs and action.name not in due.ends
        starts = action.name in due.starts or (not due.starts and view.state.name not in due.runs)
        if runs and starts and due.kind not in running and not due.at and (not due.owed or due.owed(facts)):
            by = opening(due, facts)
            if by is not None:
                days = f"{due.days}営業日、" if due.days else ""
                told.append(f"「{due.label}」が始まります({days}{short(due_day(by))}まで)")
        elif due.kind in running and not runs:
            told.append(f"「{due.label}」が{'いったん止まります' if dest in due.pauses else '終わります'}")
        elif runs and due.at and due.kind not in running and _typed_with(action, due, facts):
            told.append(f"「{due.label}」が始まります(ここで書く日)")
    return told


def _typed_with(action: Action, due: Deadline, facts: Facts) -> bool:
    """Whether the day of a deadline is the one that is typed with the act."""
    day = facts.today + timedelta(days=1000)  # one that stands nowhere yet
    dates = {ask.name: day.isoformat() for ask in action.asks if ask.kind == "date"}
    if not dates or action.record is None or due.at is None:
        return False
    try:
        form = form_after(replace(facts, inputs=dates, memo={}), action)
        return due.at(facts.after(facts.state, form, facts.read, facts.number)) == day
    except (KeyError, ValueError, TypeError, AttributeError):  # what it writes depends on more than a day
        return False


def known(view: View, kind: str, holder: str) -> bool:
    """Whether the reader may know of a deadline: the offices of each, others of their own and of the promised reply."""
    reply = promised(view.process.deadlines, [due.kind for due in view.process.deadlines])
    return inside(view) or holder in view.roles or kind == reply


def letter_label(process: Process, kind: str) -> str:
    """What a letter is called."""
    return next((str(letter.label) for letter in getattr(process.documents, "letters", ()) if letter.key == kind), kind)


@dataclass(frozen=True)
class DueLine:
    """A running deadline in words."""

    label: str
    day: str
    left: str
    kind: str
    due_at: datetime
    holder: str = ""


def whole_case_due(view: View) -> Mapping[str, Any] | None:
    """The running deadline that spans the most states: the one a reply is promised by."""
    kind = promised(view.process.deadlines, [due["kind"] for due in view.deadlines])
    return next((due for due in view.deadlines if due["kind"] == kind), None)


def due_lines(view: View) -> list[DueLine]:
    """The running deadlines, the nearest first; those the clock itself acts on are no deadlines for a person.

    Who stands outside sees the promised reply and what they owe themselves, no inner deadline.
    """
    moves = {due.kind for due in view.process.deadlines if due.move}
    promised = whole_case_due(view)
    lines = []
    for due in sorted(view.deadlines, key=lambda d: d["due_at"]):
        if due["kind"] in moves or not (inside(view) or due is promised or due["holder"] in view.roles):
            continue
        day = due_day(due["due_at"])
        left = view.facts.calendar.business_days_between(view.facts.today, day)
        if day < view.facts.today:
            word, kind = f"{-left}営業日過ぎた" if left else "期限を過ぎた", "stop"
        elif day == view.facts.today:
            word, kind = "きょうまで", "warn"
        else:
            word, kind = f"あと{left}営業日", "warn" if left <= 1 else "none"
        lines.append(DueLine(due["label"], short(day), word, kind, due["due_at"], due["holder"]))
    return lines
