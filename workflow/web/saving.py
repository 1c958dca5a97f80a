"""What a form page says of its own saving: which version is kept, by whom and when, and what of the page is not kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from states.terms import Verdict
from workflow.cases import TYPED, View
from workflow.merging import Side
from workflow.web.posted import Fields
from workflow.web.render import TOKYO, clock, environment
from workflow.web.written import Written, kept_saves

LONGEST_MET = 200  # characters


@dataclass(frozen=True)
class Saving:
    """The line at the foot of the form, and what stands above it until it is settled."""

    line: str
    unread: Sequence[str] = ()  # why fields could not be kept
    theirs: str = ""  # what somebody else changed and this page does not show
    both: str = ""  # what both changed: kept as theirs, chosen by the person
    address: str = ""  # of the page, opened anew
    post: str = ""  # where the form goes to be compared


def moment(at: datetime, now: datetime) -> str:
    """10:42, with the day where it is not today."""
    local = at.astimezone(TOKYO)
    return f"{local:%H:%M}" if local.date() == now.astimezone(TOKYO).date() else clock(at)


def writer(last: Mapping[str, Any], person_id: int) -> str:
    """Who saved: a person, or the reader in another window."""
    return "あなた" if last["person_id"] == person_id else f"{last['who']}さん"


def at_rest(view: View, last: Mapping[str, Any] | None, person_id: int) -> Saving:
    """What a page says that was just opened."""
    if last is None:
        return Saving("この操作の書きかけは、まだありません")
    when, who = moment(last["saved_at"], view.now), writer(last, person_id)
    return Saving(f"{when} に{who}が残した第{version(view)}版です")


def others(posted: Fields, found: Written, last: Mapping[str, Any] | None, person_id: int, now: datetime) -> str:
    """Whose changes the page has not taken in yet: 川下さん(10:42). It is told once and remembers that, as saves go on."""
    if not found.changed_elsewhere:
        return ""
    known = posted.get("met", "")[:LONGEST_MET]
    if last is None:
        return known or "ほかの方"
    who = "あなた(別の画面、" if last["person_id"] == person_id else f"{last['who']}さん("
    return known if found.seen and known else f"{who}{moment(last['saved_at'], now)})"


def after(
    view: View, last: Mapping[str, Any] | None, person_id: int, found: Written, unread: Sequence[Verdict], met: str, post: str,
    address: str,
) -> Saving:  # fmt: skip
    """What a page says when it has saved itself."""
    told = at_rest(view, last, person_id)
    if last and last["person_id"] == person_id:
        told = Saving(f"{moment(last['saved_at'], view.now)} に自動で残しました(第{version(view)}版)")
    theirs, both = (names(view, found.of(side)) for side in (Side.THEIRS, Side.BOTH))
    return Saving(
        told.line,
        [verdict.sentence for verdict in unread],
        f"{met}が書き換えた所があります: {theirs}" if theirs else "",
        f"{met}も同じ所を書き換えました: {both}" if both else "",
        address,
        post,
    )


def when_back(view: View, last: Mapping[str, Any] | None, person_id: int, address: str) -> Saving:
    """What a page says to which the reader comes back, when somebody has saved since."""
    told = at_rest(view, last, person_id)
    whose = f"{writer(last, person_id)}が {moment(last['saved_at'], view.now)} に書き足しました" if last else ""
    return Saving(told.line, theirs=whose or "書きかけは、ほかの方の操作に使われました", address=address)


def version(view: View) -> int:
    """The number of what is kept, as pages count: a draft is its first version from the beginning."""
    return kept_saves(view) + (0 if view.version else 1)


def names(view: View, paths: Sequence[str]) -> str:
    """The names of fields, each once."""
    return "、".join(dict.fromkeys(name_of(view, path) for path in paths))


def name_of(view: View, path: str) -> str:
    """What a field is called; beside the form, what the act asks for."""
    if not path.startswith(TYPED):
        return view.process.told(path, None)[0]
    action, _, name = path.removeprefix(TYPED).partition(".")
    kind, _, asked = name.partition("/")
    if kind != "input":
        return f"注意 {asked.partition('/')[0]} についての理由"
    asks = (ask for row in view.process.table if row.name == action for ask in row.asks)
    return next((ask.label for ask in asks if ask.name == asked), "尋ねられたこと")


def parts(told: Saving) -> dict[str, str]:
    """The pieces of the page that say so, by their ids."""
    macros: Any = environment().get_template("saving.html").module
    return {"save-line": str(macros.line(told)), "save-notice": str(macros.notice(told))}
