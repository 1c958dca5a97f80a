"""Who decides what (専決規程): rules as rows of a table, found by a matter and the conditions of a case.

A process names its matters (決裁事項) and what of a case they depend on; an administrator's rows turn that into stages of
posts. Pure: which rows are in force, and who holds the posts, is read elsewhere.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from states.terms import Facts

REVIEW, CONSENT, DECIDE, CIRCULATE = "review", "consent", "decide", "circulate"
KINDS = {REVIEW: "回議", CONSENT: "合議", DECIDE: "決裁", CIRCULATE: "供覧"}
PASSES = {"all": "全員の同意", "any": "だれか一人の同意", "quorum": "決めた人数の同意"}
REFUSALS = {"first": "一つの不同意で止める", "all": "全員の意見を待つ"}
OWN_SECTION = "="  # of an address: the section of the drafter
OPERATORS = {"<=": "以下", ">=": "以上", "=": ""}


@dataclass(frozen=True, eq=False)
class Condition:
    """What a rule may depend on: a number with its unit, a yes or no, or one of some choices, read from the facts."""

    key: str
    label: str
    read: Callable[[Facts], Any]
    kind: str = "yes"  # number | yes | choice
    unit: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    def said(self, value: Any) -> str:
        """The value in words: 「派遣日数 5日」."""
        if self.kind == "yes":
            return f"{self.label} {'あり' if value else 'なし'}"
        if self.kind == "choice":
            return f"{self.label} {dict(self.choices).get(str(value), str(value) or 'なし')}"
        return f"{self.label} {value}{self.unit}"


@dataclass(frozen=True, eq=False)
class Matter:
    """A matter of decision (決裁事項) of some states: whose role decides it, and by which acts.

    `role` is the role that the table of the process gives to the decider; `decides` are the acts that end the route,
    `returns` the acts that give the case back to its drafter. `covers` names the field groups that an approval may be
    about; `excluded` the persons who may not decide, such as those whom the case sends away.
    """

    key: str
    label: str
    states: frozenset[str]
    role: str
    decides: frozenset[str]
    returns: frozenset[str] = frozenset()
    covers: Mapping[str, str] | None = None
    conditions: tuple[Condition, ...] = ()
    excluded: Callable[[Facts], Iterable[int]] = lambda facts: ()

    def values(self, facts: Facts) -> dict[str, Any]:
        """What the conditions of this case are."""
        return {condition.key: condition.read(facts) for condition in self.conditions}


@dataclass(frozen=True)
class Address:
    """A post by its title: in the leading office or in `org`, in any section, a named one, or the drafter's own (「=」)."""

    title: str
    section: str = ""
    org: str = ""
    mandatory: bool = False  # in a group with a quorum: nothing passes without this one


@dataclass(frozen=True)
class Stage:
    """Who is asked together. Only a consent may have more than one way to pass, and to be refused."""

    kind: str
    asked: tuple[Address, ...]
    passes: str = "all"
    quorum: int = 0
    refusal: str = "first"
    covers: tuple[str, ...] = ()  # field groups that the approval is about; none means everything


@dataclass(frozen=True)
class Test:
    """One condition of a rule: at most, at least, or just this."""

    key: str
    operator: str
    value: Any

    def met(self, values: Mapping[str, Any]) -> bool:
        found = values.get(self.key)
        if self.operator == "=":
            return bool(found == self.value)
        if not isinstance(found, (int, float)) or not isinstance(self.value, (int, float)):
            return False
        return found <= self.value if self.operator == "<=" else found >= self.value

    def said(self, matter: Matter) -> str:
        """「派遣日数 5日以下」."""
        condition = next((c for c in matter.conditions if c.key == self.key), None)
        return f"{condition.said(self.value)}{OPERATORS[self.operator]}" if condition else self.key


@dataclass(frozen=True)
class Rule:
    """A row of the table: for which matter and office, under which conditions, through which stages.

    `article` is where the prefecture's own regulation says so. By `standing` the decider decides in the head's name (専決).
    `no_deputy` bars every decision by a deputy; `bulk` lets its cases be decided several at once.
    """

    id: int
    process: str
    matter: str
    office: str
    article: str
    tests: tuple[Test, ...]
    stages: tuple[Stage, ...]
    standing: bool = False
    no_deputy: bool = False
    bulk: bool = False
    order: int = 0


def chosen(rules: Iterable[Rule], matter: Matter, values: Mapping[str, Any]) -> Rule | None:
    """The first rule that fits: an office's own before the general ones, then in the order of the table."""
    fitting = [rule for rule in rules if rule.matter == matter.key and all(test.met(values) for test in rule.tests)]
    return min(fitting, key=lambda rule: (not rule.office, rule.order, rule.id), default=None)


def reasons(rule: Rule, matter: Matter) -> list[str]:
    """Why this rule: the conditions that it names, in words."""
    return [test.said(matter) for test in rule.tests] or ["条件なし(この事項のすべて)"]


def problems(rule: Rule, matter: Matter) -> list[str]:
    """What keeps a row from being a rule at all; Japanese sentences, none when it is sound."""
    found = []
    known = {condition.key: condition for condition in matter.conditions}
    found += [f"「{test.key}」という条件は、この事項にありません。" for test in rule.tests if test.key not in known]
    found += [
        f"「{known[test.key].label}」は、数ではないので「以上」「以下」では比べられません。"
        for test in rule.tests if test.key in known and test.operator != "=" and known[test.key].kind != "number"
    ]  # fmt: skip
    decides = [number for number, stage in enumerate(rule.stages) if stage.kind == DECIDE]
    if len(decides) != 1 or len(rule.stages[decides[0]].asked) != 1:
        found.append("決裁する職を、ちょうど一つ決めてください。")
    elif any(stage.kind in (REVIEW, CONSENT) for stage in rule.stages[decides[0] + 1 :]):
        found.append("回議と合議は、決裁より前に置いてください。後に置けるのは供覧だけです。")
    for number, stage in enumerate(rule.stages, start=1):
        where = f"{number}段目の{KINDS.get(stage.kind, stage.kind)}"
        if not stage.asked or any(not address.title.strip() for address in stage.asked):
            found.append(f"{where}: 職名を書いてください。")
        if stage.kind == REVIEW and len(stage.asked) > 1:
            found.append(f"{where}: 回議は一段に一つの職です。同時に聞くときは合議にしてください。")
        if stage.passes == "quorum" and not 1 <= stage.quorum <= len(stage.asked):
            found.append(f"{where}: 同意の人数は、1人から{len(stage.asked)}人までです。")
        found += [
            f"{where}: 「{group}」という内容はありません。"
            for group in stage.covers
            if group not in (matter.covers or {})
        ]
    return found


def rule_of(row: Mapping[str, Any]) -> Rule:
    """A rule from its stored row; stages and tests are JSON."""
    return Rule(
        row["id"], row["process"], row["matter"], row["office"] or "", row["article"],
        tuple(Test(test["key"], test["operator"], test["value"]) for test in row["tests"]),
        tuple(stage_of(stage) for stage in row["stages"]),
        row["standing"], row["no_deputy"], row["bulk"], row["sort"],
    )  # fmt: skip


def stage_of(stored: Mapping[str, Any]) -> Stage:
    """A stage from its JSON."""
    asked = tuple(
        Address(a["title"], a.get("section", ""), a.get("org", ""), bool(a.get("mandatory"))) for a in stored["asked"]
    )
    return Stage(
        stored["kind"], asked, stored.get("passes", "all"), stored.get("quorum", 0), stored.get("refusal", "first"),
        tuple(stored.get("covers", ())),
    )  # fmt: skip


def stored(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """Stages as JSON, without what is usual."""
    return [{"kind": stage.kind, "asked": [_unusual(a) for a in stage.asked], **_unusual(stage)} for stage in stages]


_OWN = frozenset({"kind", "asked"})
_USUAL = {f.name: f.default for told in (Stage, Address) for f in fields(told)}


def _unusual(told: Stage | Address) -> dict[str, Any]:
    """What is said otherwise than usual, as JSON."""
    found = {name: value for name, value in vars(told).items() if name not in _OWN and value != _USUAL[name]}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
