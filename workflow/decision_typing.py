"""A row of the table of decisions as it is typed on a page: fields to a proposal, a stored row back to fields, and examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from states.authority import CONSENT, DECIDE, KINDS, REVIEW, Address, Condition, Matter, Rule, Stage, Test
from states.dates import read_date
from states.text import narrow
from states.text import problems as unkeepable
from workflow.calendar_days import LONGEST, unsaid
from workflow.decisions import Proposal

NEW = 1 << 53  # stands for the number of a row that is not stored yet: it comes after all others
STAGES, MOST_STAGES = 3, 12
POSTS, MOST_POSTS = 1, 12
YES = "yes"
LIMITS = 9999

Typed = Mapping[str, str]


@dataclass(frozen=True)
class Block:
    """A stage as typed: its number, its fields, and how many posts are shown in it."""

    number: int
    kind: str
    posts: int


@dataclass(frozen=True)
class Read:
    """What was typed, as a proposal; `wrong` says by field what cannot be read."""

    proposal: Proposal | None
    wrong: Mapping[str, str] = field(default_factory=dict)


def blocks(typed: Typed, *, more: str = "") -> list[Block]:
    """The stages that the page shows; `more` is a button: `stage`, or `post:N` for one more post in a stage."""
    numbers = [
        _count(name.partition(".")[0].removeprefix("s")) for name in typed if name.startswith("s") and "." in name
    ]
    last = max(numbers, default=0) or STAGES
    last = min(last + (more == "stage"), MOST_STAGES)
    usual = (REVIEW, CONSENT, DECIDE)
    found = []
    for number in range(1, last + 1):
        first = usual[number - 1] if number <= STAGES else REVIEW
        kind = typed.get(f"s{number}.kind", first)
        posts = _posts(typed, number) or (2 if kind == CONSENT else POSTS)
        found.append(Block(number, kind, min(posts + (more == f"post:{number}"), MOST_POSTS)))
    return found


def _posts(typed: Typed, number: int) -> int:
    start = f"s{number}.p"
    return max(
        (_count(name.removeprefix(start).partition(".")[0]) for name in typed if name.startswith(start)), default=0
    )


def _count(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 3 else 0


def read(typed: Typed, process: str, matter: Matter, offices: Sequence[str], today: date, replaces: int = 0) -> Read:
    """The proposal that was typed. Whether it is sound, and its posts exist, is asked afterwards (`decisions.unfit`)."""
    wrong: dict[str, str] = {}
    tests = _tests(typed, matter, wrong)
    stages = [stage for block in blocks(typed) if (stage := _stage(typed, block, matter, wrong)).asked]
    article, reason, office = (typed.get(name, "").strip() for name in ("article", "reason", "office"))
    if not article:
        wrong["article"] = "根拠を書いてください(例: 専決規程 別表2の4)。"
    elif problem := unsaid(article):
        wrong["article"] = problem.replace("理由", "根拠")
    if problem := unsaid(reason):
        wrong["reason"] = problem
    if office and office not in offices:
        wrong["office"] = "局を選び直してください。"
    order = _number(typed.get("sort", "") or "0")
    if order is None:
        wrong["sort"] = f"順は0から{LIMITS}までの整数です。"
    since, until = _days(typed, today, wrong)
    if wrong or since is None:
        return Read(None, wrong)
    rule = Rule(
        NEW, process, matter.key, office, article, tuple(tests), tuple(stages), typed.get("standing") == YES, typed.get("no_deputy") == YES,
        typed.get("bulk") == YES, order or 0,
    )  # fmt: skip
    return Read(Proposal(rule, since, until, reason, replaces))


def _days(typed: Typed, today: date, wrong: dict[str, str]) -> tuple[date | None, date | None]:
    since = read_date(typed.get("since", ""))
    if since.date is None:
        wrong["since"] = since.problem
    elif since.date < today:
        wrong["since"] = "始める日は、きょうより前にはできません。きょうか、これからの日にしてください。"
    if not typed.get("until", "").strip():
        return since.date, None
    until = read_date(typed["until"])
    if until.date is None:
        wrong["until"] = until.problem
    elif since.date and until.date < since.date:
        wrong["until"] = "最後の日は、始める日より後にしてください。"
    return since.date, until.date


def _tests(typed: Typed, matter: Matter, wrong: dict[str, str]) -> list[Test]:
    found = []
    for criterion in matter.conditions:
        if criterion.kind == "number":
            found += _range(typed, criterion, wrong)
        elif said := typed.get(f"test.{criterion.key}", ""):
            if said not in dict(options(criterion)):
                wrong[f"test.{criterion.key}"] = f"「{criterion.label}」を選び直してください。"
            found.append(Test(criterion.key, "=", said == YES if criterion.kind == "yes" else said))
    return found


def _range(typed: Typed, criterion: Condition, wrong: dict[str, str]) -> list[Test]:
    """At least and at most; the same number twice is just this."""
    ends: dict[str, int | None] = {}
    for end in ("min", "max"):
        name = f"test.{criterion.key}.{end}"
        if typed.get(name, "").strip():
            ends[end] = _number(typed[name])
            if ends[end] is None:
                wrong[name] = f"「{criterion.label}」は、0から{LIMITS}までの整数で書いてください。"
    low, high = ends.get("min"), ends.get("max")
    if low is not None and high is not None and low > high:
        wrong[f"test.{criterion.key}.max"] = f"「{criterion.label}」の上限は、下限より小さくできません。"
    if low is not None and low == high:
        return [Test(criterion.key, "=", low)]
    return [Test(criterion.key, operator, n) for operator, n in ((">=", low), ("<=", high)) if n is not None]


def options(criterion: Condition) -> list[tuple[str, str]]:
    """What may be chosen of a criterion that is no number."""
    return [("yes", "あり"), ("no", "なし")] if criterion.kind == "yes" else list(criterion.choices)


def _number(text: str) -> int | None:
    said = narrow(text).strip()
    return int(said) if said.isascii() and said.isdigit() and len(said) <= len(str(LIMITS)) else None


def _stage(typed: Typed, block: Block, matter: Matter, wrong: dict[str, str]) -> Stage:
    at = f"s{block.number}"
    kind = block.kind if block.kind in KINDS else REVIEW
    asked = []
    for number in range(1, block.posts + 1):
        title, section, org, must = (
            typed.get(f"{at}.p{number}.{name}", "").strip() for name in ("title", "section", "org", "must")
        )
        if title and (unkeepable(title + section) or len(title) > LONGEST or len(section) > LONGEST):
            wrong[f"{at}.p{number}.title"] = f"職名と課は、使えない文字を除いて{LONGEST}字までで書いてください。"
        if title:
            asked.append(Address(title, section, org, must == YES))
        elif section or org:
            wrong[f"{at}.p{number}.title"] = (
                f"{block.number}段目: 職名を書いてください。使わない欄は、課と組織も空けます。"
            )
    groups = tuple(group for group in matter.covers or {} if typed.get(f"{at}.covers.{group}") == YES)
    if kind != CONSENT or len(asked) < 2:
        return Stage(kind, tuple(asked), covers=groups)
    passes, refusal = typed.get(f"{at}.passes", "all"), typed.get(f"{at}.refusal", "first")
    quorum = _number(typed.get(f"{at}.quorum", "")) or 0 if passes == "quorum" else 0
    return Stage(kind, tuple(asked), passes if passes in ("all", "any", "quorum") else "all", quorum, "all" if refusal == "all" else "first", groups)  # fmt: skip


# ── back to fields ──────────────────────────────────────────────────────────────────────────────────────────────────


def typed_of(rule: Rule, matter: Matter) -> dict[str, str]:
    """A stored row as the fields of the page."""
    found = {"office": rule.office, "article": rule.article, "sort": str(rule.order)}
    found |= {name: YES for name in ("standing", "no_deputy", "bulk") if getattr(rule, name)}
    kinds = {criterion.key: criterion.kind for criterion in matter.conditions}
    for test in rule.tests:
        if kinds.get(test.key) != "number":
            found[f"test.{test.key}"] = (
                ("yes" if test.value else "no") if kinds.get(test.key) == "yes" else str(test.value)
            )
        else:
            ends = {">=": ["min"], "<=": ["max"], "=": ["min", "max"]}[test.operator]
            found |= {f"test.{test.key}.{end}": str(test.value) for end in ends}
    for number, stage in enumerate(rule.stages, start=1):
        found |= _stage_typed(f"s{number}", stage)
    return found


def _stage_typed(at: str, stage: Stage) -> dict[str, str]:
    found = {
        f"{at}.kind": stage.kind,
        f"{at}.passes": stage.passes,
        f"{at}.refusal": stage.refusal,
        f"{at}.quorum": str(stage.quorum or ""),
    }
    found |= {f"{at}.covers.{group}": YES for group in stage.covers}
    for number, address in enumerate(stage.asked, start=1):
        one = f"{at}.p{number}"
        found |= {f"{one}.title": address.title, f"{one}.section": address.section, f"{one}.org": address.org}
        found |= {f"{one}.must": YES} if address.mandatory else {}
    return found


def fitting(rule: Rule, matter: Matter) -> dict[str, str]:
    """An example, as typed, that the rule fits."""
    kinds = {criterion.key: criterion.kind for criterion in matter.conditions}
    found: dict[str, str] = {}
    for test in rule.tests:
        said = str(test.value) if kinds.get(test.key) != "yes" else YES if test.value else ""
        found.setdefault(f"with.{test.key}", said)
    return found


def example(typed: Typed, matter: Matter) -> dict[str, Any]:
    """The values of the conditions for a worked example, as typed under `with.`; what is not typed is nought or no."""
    found: dict[str, Any] = {}
    for criterion in matter.conditions:
        said = typed.get(f"with.{criterion.key}", "").strip()
        found[criterion.key] = (_number(said) or 0) if criterion.kind == "number" else said == YES if criterion.kind == "yes" else said  # fmt: skip
    return found
