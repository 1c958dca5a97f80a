"""The fields of a page and back: stored forms as flat fields, posted fields as inputs of an act, problems by place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from states.terms import Action, Verdict
from workflow import history
from workflow.web.errors import HOME, NOTHING_LOST, Trouble
from workflow.web.posted import Fields
from workflow.web.render import environment


@dataclass(frozen=True)
class Sheet:
    """The fields of a page by path, as typed, with the problems found: what templates ask for values and errors."""

    values: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict)
    more: str = ""

    def __call__(self, path: str, otherwise: str = "") -> str:
        return self.values.get(path, otherwise)

    @property
    def filled(self) -> frozenset[str]:
        """The paths that hold something."""
        return frozenset(path for path, value in self.values.items() if value.strip())

    def error(self, path: str) -> str:
        return self.problems.get(path, "")

    def rows(self, table: str) -> list[int]:
        """The numbers of the rows of a table, with an empty one at the end where it is asked for or all there is."""
        steps = (
            path.removeprefix(f"{table}.").partition(".")[0] for path in self.values if path.startswith(f"{table}.")
        )
        found = sorted({int(step) for step in steps if step.isascii() and step.isdecimal() and len(step) < 6})
        return [*found, found[-1] + 1 if found else 0] if self.more == table or not found else found


def flat(form: Mapping[str, Any]) -> dict[str, str]:
    """The stored form as the fields of a page, by path: request.tasks.0.text; a tick is "on"."""
    return dict(_leaves("", form))


def _leaves(path: str, part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), value)
    elif isinstance(part, list | tuple):
        for number, value in enumerate(part):
            yield from _leaves(f"{path}.{number}", value)
    else:
        yield path, "on" if part is True else "" if part in (None, False) else str(part)


def as_typed(posted: Fields) -> dict[str, str]:
    """The posted fields as the values of a page; of boxes ticked beside an empty one, all of them."""
    found = {}
    for name in posted:
        first, *more = posted.getlist(name)
        found[name] = " ".join(more) if more and not first else posted[name]
    return found


def inputs_of(rows: Sequence[Action], posted: Fields) -> dict[str, Any]:
    """The asked inputs of an act, the drafter's reasons and the decider's answers to warnings, by rule.

    `rows` are all rows of the act's name: what is read must not depend on where the case stands by now.
    """
    asked = {ask.name for row in rows for ask in row.asks if f"input.{ask.name}" in posted}
    # Where something may be chosen or written, the last that says something counts.
    said = {name: [text.strip() for text in posted.getlist(f"input.{name}")] for name in sorted(asked)}
    found: dict[str, Any] = {name: next(filter(None, reversed(texts)), "") for name, texts in said.items()}
    if any(row.weighs == "drafter" for row in rows):
        found["reasons"] = {n.removeprefix("reasons."): posted[n].strip() for n in posted if n.startswith("reasons.")}
    if any(row.weighs == "decider" for row in rows):
        rules = [n.removeprefix("confirm.") for n in posted if n.startswith("confirm.") and not n.endswith(".own")]
        own = {rule: posted.get(f"confirm.{rule}.own", "").strip() for rule in rules}
        accepted = {rule for rule in rules if posted[f"confirm.{rule}"] == "drafter"}
        # Where the drafter's reason is accepted, nothing of one's own is written.
        found["confirm"] = {
            rule: "" if rule in accepted else own[rule] for rule in rules if rule in accepted or own[rule]
        }
    return found


def key_of(posted: Fields) -> UUID:
    """The page's key bound to what was sent with it: the same form sent twice has one key, a changed one another.

    Raises `Trouble` where the page carried none.
    """
    return uuid5(page_key(posted), history.canonical([pair for pair in posted.multi_items() if pair[0] != "csrf"]))


def page_key(posted: Fields) -> UUID:
    """The key that the page was made with. Raises `Trouble` where it carried none."""
    try:
        return UUID(posted.get("key", ""))
    except ValueError:
        lacking = "画面の印が欠けています。画面を開き直してください。"
        raise Trouble(400, "送られた内容を読み取れませんでした", lacking, NOTHING_LOST, (HOME,)) from None


def number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def listed(problems: Sequence[Verdict], action: Action | None = None) -> list[dict[str, str]]:
    """The problems for the summary, each with the id of its field."""
    anchor = environment().filters["anchor"]
    inputs = {ask.name for ask in action.asks} if action else set()
    unique = {v.sentence: v for v in problems}

    def place(v: Verdict) -> str:
        if action and (v.field in inputs or v.field.startswith(("reasons.", "confirm."))):
            date = any(ask.kind == "date" and ask.name == v.field for ask in action.asks)
            return (
                anchor(f"input.{v.field}")
                if date
                else f"{action.name}-{v.field.partition('.')[2] if '.' in v.field else v.field}"
            )
        return str(anchor(v.field)) if v.field else ""

    return [{"id": place(v), "sentence": v.sentence} for v in unique.values()]
