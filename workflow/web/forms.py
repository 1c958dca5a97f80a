"""Forms of a process: a new draft, its editing and confirmation, and the pages of acts that write field groups.

Saving always comes first and leads to a GET, so that typed text is never lost to a reload. What a page cannot store as
typed comes back as it was typed, with the sentence beside the field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states import catalogue
from states.kernel import Offer, Process, Refused
from states.places import Directory
from states.terms import Action, Facts, Verdict
from workflow import cases, colleagues, story
from workflow.cases import View
from workflow.db import type_connection
from workflow.deadlines import calendar
from workflow.loading import NotFound
from workflow.once import once
from workflow.web import evidence, offers, sheets
from workflow.web.offers import Typed
from workflow.web.posted import Fields, Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

ADD = "add:"  # value of the button that adds a row, before the name of its table


@router.get("/cases/new")
def new(request: Request, conn: Connection, signed: SignedIn, process: str = "", origin: str = "") -> Response:
    """The empty form; without process or origin, what this person may begin."""
    wanted = _opening(signed, process, origin)
    if wanted is None:
        return page(request, signed, "case_new.html", openings=_openings(signed))
    return _new_page(request, conn, signed, wanted, sheets.Sheet({}))


@router.post("/cases/new")
def begin(
    request: Request, conn: Connection, signed: SignedIn, posted: Posted, process: str = "", origin: str = ""
) -> Response:
    wanted = _opening(signed, process, origin)
    if wanted is None:
        raise NotFound
    office = _lead_office(conn, signed)
    try:
        form = _read(wanted, posted, {"request": {"origin": origin, "office_code": office}})
    except Refused as refusal:
        return _new_page(
            request, conn, signed, wanted, _sheet_of(posted, refusal.verdicts), refusal.verdicts, status=422
        )
    form = colleagues.fill_in(conn, office, form)
    person = signed.actor.person_id
    made = partial(cases.open_case, conn, person, wanted.key, origin, form)
    case_id = once(conn, person, sheets.key_of(posted), ["open", wanted.key, origin, form], made)
    return _onward(conn, signed, case_id, posted.get("do", ""))


@router.get("/cases/{case_id:int}/edit")
def edit(
    request: Request, conn: Connection, signed: SignedIn, case_id: RowId, check: str = "", add: str = ""
) -> Response:
    """The form of a draft; of a case in progress, the first act that writes field groups."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    if view.version:
        writing = next((o for o in view.offers if o.action.edits), None)
        return RedirectResponse(
            f"/cases/{case_id}/actions/{writing.action.name}" if writing else f"/cases/{case_id}", 303
        )
    return _draft_page(request, conn, signed, view, sheets.Sheet(sheets.flat(view.form), more=add), check=bool(check))


@router.post("/cases/{case_id:int}/edit")
def keep(
    request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId, action: str = ""
) -> Response:
    """Save a draft, or the working copy of an act, and go on to where the button leads."""
    person = signed.actor.person_id
    view = cases.look(conn, person, case_id)
    row = _row(view, action)
    try:
        groups = _read(view.process, posted, _base(view))
    except Refused as refusal:
        sheet = _sheet_of(posted, refusal.verdicts)
        if row is not None:
            typed = Typed(action, "", dict(posted), sheet.problems)
            return act_page(request, conn, signed, view, row, typed, sheet=sheet, problems=refusal.verdicts, status=422)
        return _draft_page(request, conn, signed, view, sheet, problems=refusal.verdicts, status=422)
    if row is not None:
        groups = {group: part for group, part in groups.items() if group.partition(":")[0] in row.action.edits}
    cases.save(
        conn, person, case_id, colleagues.fill_in(conn, view.lead, groups), sheets.number(posted.get("saves", ""))
    )
    return _onward(conn, signed, case_id, posted.get("do", ""), action)


@router.get("/cases/{case_id:int}/actions/{action}")
def open_act(
    request: Request, conn: Connection, signed: SignedIn, case_id: RowId, action: str, add: str = "", person: int = 0
) -> Response:
    """The page of an act: what it writes, what it brings about, its button."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    offer = _row(view, action)
    if offer is None:
        return RedirectResponse(f"/cases/{case_id}", 303)
    return act_page(
        request,
        conn,
        signed,
        view,
        offer,
        Typed(),
        sheet=sheets.Sheet(sheets.flat(working_form(view)), more=add),
        subject=person,
    )


@router.post("/cases/{case_id:int}/delete")
def drop(request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId) -> Response:
    """Drop a draft for good."""
    cases.delete_draft(conn, signed.actor.person_id, case_id)
    return RedirectResponse("/inbox", 303)


# --- what is posted --------------------------------------------------------------------------------------------------


def taken_over(conn: type_connection, view: View, action: Action, posted: Fields) -> dict[str, Any] | None:
    """The field groups that an act takes over: those of the page, else the working copy's. Raises `Refused`."""
    if not view.version or not action.edits:
        return None
    groups = _read(view.process, posted, _base(view)) or (view.working or {}).get("form") or {}
    return colleagues.fill_in(
        conn, view.lead, {g: part for g, part in groups.items() if g.partition(":")[0] in action.edits}
    )


def kept(conn: type_connection, person: int, view: View, groups: Mapping[str, Any], posted: Fields) -> bool:
    """Whether what was written with a refused act is now the office's working copy; another window's is not overwritten."""
    try:
        cases.save(conn, person, view.id, groups, sheets.number(posted.get("saves", "")))
    except (cases.SaveClash, Refused):
        return False
    return True


def _read(process: Process, posted: Fields, form: Mapping[str, Any]) -> dict[str, Any]:
    """The posted field groups, laid over `form`. Raises `Refused` for a value that a field cannot take."""
    return process.fields({name: posted.getlist(name) for name in posted}, form) if process.fields else {}


def _base(view: View) -> dict[str, Any]:
    """What a page's fields are laid over."""
    return {**view.facts.form, **((view.working or {}).get("form") or {})}


def working_form(view: View) -> dict[str, Any]:
    """What the reader may see of the form, with the office's working copy over it."""
    return {**view.form, **((view.working or {}).get("form") or {})}


def _sheet_of(posted: Fields, verdicts: Sequence[Verdict]) -> sheets.Sheet:
    return sheets.Sheet(dict(posted), {v.field: v.sentence for v in verdicts})


# --- where a button leads --------------------------------------------------------------------------------------------


def _onward(conn: type_connection, signed: Signed, case_id: int, do: str, action: str = "") -> Response:
    """After saving: a row more, the confirmation (or the form again with what is wrong), or the case."""
    here = f"/cases/{case_id}/actions/{action}" if action else f"/cases/{case_id}/edit"
    if do.startswith(ADD):
        table = do.removeprefix(ADD)
        return RedirectResponse(f"{here}?add={table}#{table.replace('.', '-')}", 303)
    if do == "look":
        return RedirectResponse(here, 303)
    if do == "confirm" and not action:
        view = cases.look(conn, signed.actor.person_id, case_id)
        main = _main(view.offers)
        if main is not None:
            return RedirectResponse(
                f"/cases/{case_id}/actions/{main.action.name}" if main.allowed else f"{here}?check=1", 303
            )
    return RedirectResponse(f"/cases/{case_id}?done=save", 303)


def _main(found: Sequence[Offer]) -> Offer | None:
    return next((o for o in found if o.action.main), next(iter(found), None))


def _row(view: View, action: str) -> Offer | None:
    return next((o for o in view.offers if o.action.name == action), None)


# --- pages -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opening:
    """Something that this person may begin."""

    process: Process
    origin: str
    label: str


def _openings(signed: Signed) -> list[Opening]:
    found = []
    for process in catalogue.newest().values():
        origins = offers.words(process)
        labels = getattr(origins, "origins", {})
        found += [Opening(process, o, labels.get(o, o)) for o, by in process.opens.items() if by & signed.actor.roles]
    return found


def _opening(signed: Signed, key: str, origin: str) -> Process | None:
    wanted = [o for o in _openings(signed) if o.process.key == key and o.origin == origin]
    return wanted[0].process if wanted else None


def _lead_office(conn: type_connection, signed: Signed) -> str:
    """The bureau that a draft of this person goes to: the writer's own, or the one of the writer's municipality."""
    home = signed.actor.home
    code = home.org_code if home else ""
    office = Directory.from_csv().office_of(code, cases.today(conn))
    return office.code if office else code


def judge(view: View, form: Mapping[str, Any]) -> tuple[Facts, Sequence[Offer]]:
    """What the process says of the case with this form: nothing is stored by asking."""
    facts = replace(view.facts, form=dict(form), read=view.process.read(form), inputs={}, memo={})
    return facts, view.process.actions(facts)


def _new_page(
    request: Request,
    conn: type_connection,
    signed: Signed,
    process: Process,
    sheet: sheets.Sheet,
    problems: Sequence[Verdict] = (),
    status: int = 200,
) -> Response:
    context = surroundings(conn, signed, process, request.query_params["origin"], _lead_office(conn, signed))
    blank = process.read({})
    return page(
        request, signed, "case_form.html", status=status, v=sheet, read=blank, view=None, verdicts=[], saves=0, action="", stored=False, key=str(uuid4()),
        problems=sheets.listed(problems), checked=bool(problems), post=str(request.url.path) + f"?{request.url.query}", **context,
    )  # fmt: skip


def _draft_page(
    request: Request, conn: type_connection, signed: Signed, view: View, sheet: sheets.Sheet,
    *, check: bool = False, problems: Sequence[Verdict] = (), status: int = 200,
) -> Response:  # fmt: skip
    facts, found = judge(view, view.facts.form)
    main = _main(found)
    verdicts = list(main.verdicts) if main else []
    if check and main:
        problems = main.refusals
    if problems:
        sheet = replace(sheet, problems={v.field: v.sentence for v in problems})
    context = surroundings(conn, signed, view.process, view.origin, view.lead)
    return page(
        request, signed, "case_form.html", status=status, v=sheet, read=facts.read, view=view, saves=view.saves, action="", stored=status == 200, key="",
        verdicts=offers.judged(verdicts, context["words"].clauses, {}), problems=sheets.listed(problems), checked=bool(problems),
        post=f"/cases/{view.id}/edit", **context,
    )  # fmt: skip


def act_page(
    request: Request, conn: type_connection, signed: Signed, view: View, offer: Offer, typed: Typed,
    *, sheet: sheets.Sheet, problems: Sequence[Verdict] = (), status: int = 200, subject: int = 0,
) -> Response:  # fmt: skip
    """The page of one act. A draft's is its confirmation; others hold the fields of the groups that the act writes."""
    facts, found = judge(view, _base(view))
    offer = next((o for o in found if o.action.name == offer.action.name), offer)
    context = surroundings(conn, signed, view.process, view.origin, view.lead)
    if problems:
        sheet = replace(sheet, problems={v.field: v.sentence for v in problems})
    person = _subject(view, signed, subject)
    saved = (view.working or {}).get("saves", 0) if view.version else view.saves
    return page(
        request, signed, _template(view, offer), status=status, v=sheet, read=facts.read, view=view, saves=saved, offer=offer,
        card=offers.card(view, offer, replace(typed, action=offer.action.name), facts), person=person, refused=offers.refused(view, [offer]),
        verdicts=offers.judged(offer.verdicts, context["words"].clauses, offers.reasons_of(view.form)), action=offer.action.name,
        problems=sheets.listed(problems, offer.action), checked=bool(problems), names=offers.names_of(view),
        told=_told(conn, view), parts=_parts(view.process, offer, context["words"].groups), post=f"/cases/{view.id}/edit?action={offer.action.name}", **context,
    )  # fmt: skip


def _told(conn: type_connection, view: View) -> dict[str, Any] | None:
    """What the act before this page said to its reader: the points to mend, the reason of a return."""
    last = next(iter(story.timeline(conn, view)), None) if view.version else None
    lines = [part["text"] for part in last["shown"] if part["text"]] if last else []
    if last is None or not lines or not last["moved"]:
        return None
    by = " ".join(filter(None, (last["org_name"], last["post_title"])))
    return {"label": f"「{last['action_label']}」で伝えられたこと", "lines": lines, "by": by, "at": last["at"]}


def _subject(view: View, signed: Signed, wanted: int) -> int:
    """Whose part is written: the wanted person's, one's own, else that of the first who has not written yet."""
    assigned = view.facts.registers.get("assigned", ())
    waiting = [person for person in assigned if not any(group.endswith(f":{person}") for group in view.form)]
    return next((p for p in (wanted, signed.actor.person_id, *waiting) if p in assigned), signed.actor.person_id)


def _template(view: View, offer: Offer) -> str:
    return "case_act.html" if view.version else "case_confirm.html"


def _parts(process: Process, offer: Offer, groups: Sequence[str]) -> list[str]:
    """The templates of the field groups that an act writes, in the order in which the process names its groups."""
    return [f"{process.key}/{group}.html" for group in groups if group in offer.action.edits]


def surroundings(conn: type_connection, signed: Signed, process: Process, origin: str, office: str) -> dict[str, Any]:
    """What every form of a process may refer to: its words, the writer's place, who works at the office."""
    day, home = cases.today(conn), signed.actor.home
    directory, days = Directory.from_csv(), calendar(conn, office)
    bureau = directory.office(office)
    own = directory.municipality(home.org_code, day) if home else None
    return {
        "process": process, "origin": origin, "words": offers.words(process), "today": day, "own": own, "home": home,
        "office_name": bureau.name if bureau else office, "area": directory.of_office(office, day),
        "staff": colleagues.of_office(conn, office) if own is None else [],
        "facts_part": [f"{process.key}/facts.html", "facts.html"],
        "municipality_called": lambda code: m.name if (m := directory.municipality(code, day)) else code,
        "grid_of": lambda rows, letter: evidence.day_grid(rows, letter, days),
    }  # fmt: skip
