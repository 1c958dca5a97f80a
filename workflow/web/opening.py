"""What a person may begin: the processes and origins open to the posts held today, and the draft of a new form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from states import catalogue
from states.kernel import Process
from states.places import Directory
from workflow import cases, colleagues
from workflow.db import type_connection
from workflow.once import once
from workflow.web import offers, sheets
from workflow.web.posted import Fields
from workflow.web.render import Signed


@dataclass(frozen=True)
class Opening:
    """Something that this person may begin."""

    process: Process
    origin: str
    label: str
    lead: str = ""


def by_process(found: Sequence[Opening]) -> list[tuple[str, list[Opening]]]:
    """The same in groups: what a process is called, and what of it may be begun."""
    return [(label, [*group]) for label, group in groupby(found, key=lambda one: one.process.label)]


def openings(signed: Signed) -> list[Opening]:
    found = []
    for process in catalogue.newest().values():
        origins = offers.words(process)
        labels = getattr(origins, "origins", {})
        leads = getattr(origins, "lead", {})
        labels = {**labels, **getattr(origins, "heading", {})}
        mine = [origin for origin, by in process.opens.items() if by & signed.actor.roles]
        found += [Opening(process, one, labels.get(one, one), leads.get(one, "")) for one in mine]
    return found


def opening(signed: Signed, key: str, origin: str) -> Process | None:
    wanted = [o for o in openings(signed) if o.process.key == key and o.origin == origin]
    return wanted[0].process if wanted else None


def lead_office(conn: type_connection, signed: Signed) -> str:
    """The bureau that a draft of this person goes to: the writer's own, or the one of the writer's municipality."""
    home = signed.actor.home
    code = home.org_code if home else ""
    office = Directory.from_csv().office_of(code, cases.today(conn))
    return office.code if office else code


def new_form(conn: type_connection, signed: Signed, process: Process, origin: str, posted: Fields) -> dict[str, Any]:
    """What a new form holds. Raises `Refused` for a value that a field cannot take."""
    names = {name: posted.getlist(name) for name in posted}
    found = process.fields(names, of_this_writer(conn, signed, origin, {})) if process.fields else {}
    return colleagues.fill_in(conn, [lead_office(conn, signed)], found)


def of_this_writer(conn: type_connection, signed: Signed, origin: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """A form with what its opening alone decides: the origin, and the bureau that it goes to."""
    own = {"origin": origin, "office_code": lead_office(conn, signed)}
    return {**form, "request": {**(form.get("request") or {}), **own}}


def opened(
    conn: type_connection, signed: Signed, process: Process, origin: str, form: Mapping[str, Any], posted: Fields
) -> int:
    """The draft of a new form: made by whatever the form sends first, and found again by all that it sends later."""
    person = signed.actor.person_id
    made = partial(cases.open_case, conn, person, process.key, origin, form)
    return once(conn, person, sheets.page_key(posted), ["open", process.key, origin], made)
