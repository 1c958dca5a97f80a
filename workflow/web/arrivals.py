"""How a case came and who entered it, what may be the same as it, and what can be chosen in the acts on it.

Whoever receives a case sees others like it before he goes on; closing it as one of them is a click away and an act of his.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from states.dates import short
from states.places import Directory
from states.terms import Input
from workflow import duplicates
from workflow.access import TODAY
from workflow.cases import View
from workflow.duplicates import Linked, Twin
from workflow.loading import Connection
from workflow.web import offers
from workflow.web.offers import Choices, Typed
from workflow.web.render import Signed

CASE, OFFICE, PARTNER = "case", "office", "partner"  # kinds of inputs that are chosen from what is there

_NOW = f"({{0}}.valid_from IS NULL OR {{0}}.valid_from <= {TODAY}) AND ({{0}}.valid_to IS NULL OR {{0}}.valid_to >= {TODAY})"
NAMES = "SELECT data FROM content WHERE case_id = %s AND seq = 1 AND kind = 'names'"


def came(conn: Connection, view: View, inner: bool) -> str:
    """紙で到着 11月13日(金) ・ 代理入力 川上: the way and the true day of what did not come by the screen, and who entered it."""
    arrival = view.process.arrival(view.form) if view.version else None
    if arrival is None or not arrival.entered_by:
        return ""
    day = f" {short(arrival.day)}" if arrival.day else ""
    return f"{arrival.way}で到着{day} ・ 代理入力 {_enterer(conn, view, inner)}"


def original(view: View) -> str:
    """What a file of this draft most likely is: of a request that is entered for somebody, the paper that came."""
    on_behalf = not view.version and offers.inside(view) and view.process.arrival(view.form) is not None
    return "原本の写し" if on_behalf else ""


def _enterer(conn: Connection, view: View, inner: bool) -> str:
    """The person for the offices, the office for everybody else, both as they were called on the day."""
    row = conn.execute(NAMES, (view.id,), prepare=True).fetchone()
    if row is None or row[0] is None:
        return "消去済み"
    names = json.loads(bytes(row[0]))
    return str(names["actor"] if inner else names["office"])


@dataclass(frozen=True)
class Same:
    """Cases that may be the same as this one, and the act that closes it as one of them."""

    twins: Sequence[Twin]
    label: str = ""  # of the act, where it can be done
    act: str = ""

    @property
    def plain(self) -> bool:
        return any(twin.plain for twin in self.twins)


def same(conn: Connection, signed: Signed, view: View) -> Same:
    """What is shown to who receives the case, or is about to send it."""
    asking = _asking(view)
    if not view.offers or (view.version and asking is None):
        return Same(())
    return Same(duplicates.of_case(conn, signed.actor.person_id, view), *(asking[:2] if asking else ()))


def _asking(view: View) -> tuple[str, str, Input] | None:
    """Label and name of the first act on offer that ties this case to another one, and the input that names it."""
    return next(
        ((o.action.label, o.action.name, ask) for o in view.offers for ask in o.action.asks if ask.kind == CASE and o.allowed),
        None,
    )  # fmt: skip


def picked(view: View, number: str) -> Typed:
    """The page with that act opened and the other case chosen."""
    asking = _asking(view)
    return Typed(asking[1], "", {f"input.{asking[2].name}": number}) if asking and number else Typed()


def linked(conn: Connection, signed: Signed, view: View) -> Linked:
    """The cases that were found to be the same as this one."""
    now = view.version and not view.ended
    return duplicates.linked(conn, signed.actor.person_id, view.id) if now else Linked(None, ())


AREA = f"""SELECT b.code, b.name, o.name, o.valid_from FROM organisation o JOIN organisation b ON b.code = o.office AND {_NOW.format("b")}
WHERE o.code = %s AND {_NOW.format("o")}"""


@dataclass(frozen=True)
class Elsewhere:
    """The bureau in whose area the place of a case lies today, where another one leads the case and may pass it on."""

    place: str
    office_code: str
    office: str
    since: date | None
    label: str
    act: str


def elsewhere(conn: Connection, view: View) -> Elsewhere | None:
    """Whether the municipality belongs to another bureau by now; the case stays until somebody passes it on."""
    passing = next(
        (o.action for o in view.offers if o.action.leads and any(a.kind == OFFICE for a in o.action.asks)), None
    )
    row = conn.execute(AREA, (view.process.place(view.facts.form),), prepare=True).fetchone() if passing else None
    if row is None or passing is None or row[0] == view.lead:
        return None
    return Elsewhere(row[2], row[0], row[1], row[3], passing.label, passing.name)


def choices(view: View, found: Same, right: str = "") -> Mapping[str, Choices]:
    """What can be chosen in inputs of these kinds: value and label, and what is chosen at first."""
    asked = {ask.kind for offer in view.offers for ask in offer.action.asks}
    made: dict[str, Choices] = {}
    if OFFICE in asked:
        made[OFFICE] = _offices(view, right)
    if PARTNER in asked:
        named = [(str(p["org_code"]), str(p["org_name"])) for p in view.parties if p["part"] == PARTNER]
        made[PARTNER] = Choices(named)
    if CASE in asked:
        twins = [twin for twin in found.twins if twin.number]
        made[CASE] = Choices([(str(twin.number), _called(twin)) for twin in twins])
    return made | picked_from(view)


def picked_from(view: View) -> dict[str, Choices]:
    """What is picked from the lists that the facts bring."""
    lists: Mapping[str, Mapping[str, str]] = view.facts.registers.get("offered") or {}
    return {kind: Choices([*listed.items()]) for kind, listed in lists.items()}


def _offices(view: View, right: str) -> Choices:
    """The other bureaus of the prefecture; the right one is chosen at first."""
    directory, today = Directory.from_csv(), view.facts.today
    here = directory.office(view.lead)
    others = [
        office
        for office in directory.offices
        if here
        and office.prefecture_code == here.prefecture_code
        and office.code != here.code
        and office.in_force(today)
    ]
    return Choices([(office.code, office.name) for office in sorted(others, key=lambda o: o.sort)], right)


def _called(twin: Twin) -> str:
    way = f"{twin.arrival.way}で到着 " if twin.arrival else ""
    return f"{twin.number} {twin.title}({way}{short(twin.arrived_on)})"
