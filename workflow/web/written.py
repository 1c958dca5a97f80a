"""What a page sent, held against what is kept by now: read as fields, compared field by field, kept outside history.

A page writes only what was changed on it. What somebody else changed meanwhile stays; what both changed is never decided
here, but by the person, who is shown both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from states.kernel import Refused
from states.terms import Verdict
from workflow import cases, colleagues, merging
from workflow.cases import TYPED, View
from workflow.db import type_connection
from workflow.merging import Marks, Side
from workflow.web import sheets
from workflow.web.posted import Fields

MINE, THEIRS = "mine", "theirs"
CHOICE = "take:"  # before a field's path: whose value the person chose for it
ALL = "take"  # the same for every field that was shown
LISTED = "listed"  # the paths of the fields that were shown side by side, with blanks between
_BESIDE = ("input.", "reasons.", "confirm.")
_UNKNOWN = "?"  # the mark of a field of which nobody knows what the page was opened with
TRIES = 5


@dataclass(frozen=True)
class Written:
    """Field groups as a page has them and as they are kept, and who changed which field since the page was opened."""

    mine: Mapping[str, Any]
    theirs: Mapping[str, Any]
    opened: Marks | None
    sides: Mapping[str, Side]
    saves: int  # the count of what is kept
    seen: bool  # whether the page knew of the last save

    def of(self, *sides: Side) -> list[str]:
        return [path for path, side in self.sides.items() if side in sides]

    @property
    def changed_elsewhere(self) -> list[str]:
        return self.of(Side.THEIRS, Side.BOTH)

    def marks(self) -> Marks:
        """The marks of the page after its own changes were kept: where it shows an old value, the old mark."""
        found = merging.marks(self.mine)
        for path in self.changed_elsewhere:
            table, _, row = path.rpartition(".")
            if self.opened is None:
                found[path] = _UNKNOWN
            elif isinstance(found.get(table), list):
                found[table][int(row)] = self.opened[table][int(row)]
            else:
                found[path] = self.opened.get(path, "")
        return found


def kept_saves(view: View) -> int:
    """How often what is kept was saved: the draft, or the office's working copy."""
    return int((view.working or {}).get("saves", 0)) if view.version else view.saves


def behind(view: View, posted: Fields) -> bool:
    """Whether the page was opened before the case's last act."""
    return "version" in posted and sheets.number(posted["version"]) != view.version


def base(view: View) -> dict[str, Any]:
    """What a page's fields are laid over."""
    return {**view.facts.form, **((view.working or {}).get("form") or {})}


def working_form(view: View) -> dict[str, Any]:
    """What the reader may see of the form, with the office's working copy over it."""
    return {**view.form, **((view.working or {}).get("form") or {})}


def typed_beside(view: View, action: str) -> dict[str, str]:
    """What was typed for an act beside its fields, by the names of the page."""
    return {name.replace("/", "."): text for name, text in _typed(view, action).items()}


def _typed(view: View, action: str) -> Mapping[str, str]:
    found: Mapping[str, str] = ((view.working or {}).get("typed") or {}).get(TYPED + action) or {}
    return found


def opened_marks(view: View, edits: frozenset[str], action: str) -> str:
    """The marks that a page carries of the groups it may write."""
    groups = {group: part for group, part in working_form(view).items() if group.partition(":")[0] in edits}
    return merging.written(merging.marks({**groups, TYPED + action: _typed(view, action)}))


def read(conn: type_connection, view: View, posted: Fields, edits: frozenset[str]) -> dict[str, Any]:
    """The posted field groups laid over what is kept, names and posts filled in. Raises `Refused` for an unreadable value."""
    names = {name: posted.getlist(name) for name in posted}
    groups = view.process.fields(names, base(view)) if view.process.fields else {}
    mine = {group: part for group, part in groups.items() if group.partition(":")[0] in edits}
    return colleagues.fill_in(conn, colleagues.offices_of(view.lead, view.parties), mine)


def read_what_can_be(
    conn: type_connection, view: View, posted: Fields, edits: frozenset[str]
) -> tuple[dict[str, Any], tuple[Verdict, ...]]:
    """The same, with the fields that cannot be read left as they are kept, and why. Raises `Refused` where none is named."""
    unread: dict[str, Verdict] = {}
    while True:
        rest = Fields([pair for pair in posted.multi_items() if pair[0] not in unread])
        try:
            return read(conn, view, rest, edits), tuple(unread.values())
        except Refused as refusal:
            named = {verdict.field: verdict for verdict in refusal.verdicts if verdict.field in rest}
            if not named:
                raise
            unread |= named


def beside(view: View, action: str, posted: Fields) -> dict[str, Any]:
    """What was typed with an act beside the fields of its page, as a group of its own; nothing for a draft."""
    found = {name.replace(".", "/"): posted[name] for name in posted if name.startswith(_BESIDE)}
    if not view.version or not action or not found:
        return {}
    return {TYPED + action: {**_typed(view, action), **found}}


def compared(
    view: View, mine: Mapping[str, Any], posted: Fields, person_id: int, last: Mapping[str, Any] | None
) -> Written:
    """Who changed what since the page was opened. `last` is who saved last.

    A page without readable marks is taken to show what is kept, if it knows of the last save. So is a page that says
    (`unheard`) it sent one save more than it was answered, where the last save is this person's and just that one; and the
    page whose key made the draft, while nothing else was saved.
    """
    stored = base(view) | ((view.working or {}).get("typed") or {})
    theirs = {group: stored.get(group) or {} for group in mine}
    theirs = {group: {} if set(part) == {"erased"} else part for group, part in theirs.items()}
    count, saves = kept_saves(view), sheets.number(posted.get("saves", "0"))
    opened = merging.read(posted.get("opened", ""))
    own = bool(posted.get("unheard")) and saves + 1 == count and (last or {}).get("person_id") == person_id
    own = own or ("key" in posted and not view.version and not count)
    if own or (opened is None and saves == count):
        opened = merging.marks(theirs)
    return Written(mine, theirs, opened, merging.compared(mine, theirs, opened), count, own or saves == count)


def last_saved(conn: type_connection, view: View) -> Mapping[str, Any] | None:
    """Who saved last what is kept, and when: `who`, `person_id`, `saved_at`."""
    return view.working if view.version else cases.last_saved(conn, view.id)


def chosen(posted: Fields, found: Written) -> tuple[list[str], list[str]]:
    """The fields for which their value was chosen, and those for which nothing was chosen yet."""
    choices = {path: posted.get(ALL) or posted.get(CHOICE + path, "") for path in posted.get(LISTED, "").split()}
    there = {path: choice for path, choice in choices.items() if found.sides.get(path, Side.NOBODY) is not Side.NOBODY}
    return [p for p, choice in there.items() if choice == THEIRS], [
        p for p, c in there.items() if c not in (MINE, THEIRS)
    ]


def keep(conn: type_connection, person_id: int, view: View, found: Written, take_theirs: Sequence[str] = ()) -> int:
    """Keep what was written, with their value in these fields and wherever they changed something.

    What is kept already makes no new version. Returns the count; raises `SaveClash`, `Conflict`, `Refused`.
    """
    taken = {*take_theirs, *found.changed_elsewhere}
    if not set(found.of(Side.MINE)) - taken:
        return found.saves
    return cases.save(conn, person_id, view.id, merging.merged(found.mine, found.theirs, taken), found.saves)


def keep_by_itself(
    conn: type_connection, person_id: int, case_id: int, action: str, posted: Fields
) -> tuple[View, Written, tuple[Verdict, ...], Mapping[str, Any] | None]:
    """Keep of a page whatever can be kept without overwriting anybody's words.

    Returns the case as it is then, what was compared, the fields that could not be read, and who had saved before. Raises
    `Refused`, `NotFound`, `Conflict`, and `SaveClash` where somebody was faster again and again.
    """
    for tried in range(TRIES):
        view = cases.look(conn, person_id, case_id)
        edits = edits_of(view, action)
        if not edits:
            raise Refused("role", "この内容は、いまは書き換えられません。最新の画面を開いてください。")
        mine, unread = read_what_can_be(conn, view, posted, edits)
        last = last_saved(conn, view)
        found = compared(view, mine | beside(view, action, posted), posted, person_id, last)
        try:
            kept = keep(conn, person_id, view, found)
        except cases.SaveClash:
            if tried == TRIES - 1:
                raise
            continue
        return view if kept == found.saves else cases.look(conn, person_id, case_id), found, unread, last
    raise AssertionError


def edits_of(view: View, action: str) -> frozenset[str]:
    """The groups that a page may write: a draft's all, an act's its own; none where the act is not open to the person."""
    if not action:
        return view.editable if not view.version else frozenset()
    return next((offer.action.edits for offer in view.offers if offer.action.name == action), frozenset())
