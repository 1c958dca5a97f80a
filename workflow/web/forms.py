"""Forms of a process: a new draft, its editing and confirmation, and the pages of acts that write field groups.

Saving always comes first and leads to a GET, so that typed text is never lost to a reload. What a page cannot store as
typed comes back as it was typed, with the sentence beside the field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.kernel import Offer, Process, Refused
from states.terms import Action, Facts, Verdict
from workflow import cases, colleagues, foreseen, intake, story, telling
from workflow.cases import View
from workflow.db import type_connection
from workflow.loading import NotFound, load
from workflow.merging import Side
from workflow.rounds import KIND
from workflow.web import (
    arrivals,
    copying,
    declared,
    offers,
    opening,
    papers,
    queue,
    saving,
    sheets,
    thread,
    written,
)
from workflow.web.around import surroundings
from workflow.web.clashes import Clash, clash_page
from workflow.web.offers import Typed
from workflow.web.posted import Fields, Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn
from workflow.web.ticks import AGAIN
from workflow.web.written import Written

router = APIRouter()

PREFILL = "prefill"  # value of the button that fills a table from a few quick fields
QUICK = "quick."
FILES = "files"  # value of the button that leads to the page of files
ADD = "add:"  # value of the button that adds a row, before the name of its table


@router.get("/cases/new")
def new(request: Request, conn: Connection, signed: SignedIn, process: str = "", origin: str = "") -> Response:
    """The empty form; without process or origin, what this person may begin."""
    wanted = opening.opening(signed, process, origin)
    if wanted is None:
        takes_files = any(by & signed.actor.roles for by in intake.takers().values())
        return page(
            request,
            signed,
            "case_new.html",
            openings=opening.by_process(opening.openings(signed)),
            takes_files=takes_files,
        )
    return _new_page(request, conn, signed, wanted, sheets.Sheet({}))


@router.post("/cases/new")
def begin(
    request: Request, conn: Connection, signed: SignedIn, posted: Posted, process: str = "", origin: str = ""
) -> Response:
    wanted = opening.opening(signed, process, origin)
    if wanted is None:
        raise NotFound
    try:
        form = opening.new_form(conn, signed, wanted, origin, posted)
    except Refused as refusal:
        sheet = _sheet_of(posted, refusal.verdicts)
        return _new_page(
            request, conn, signed, wanted, sheet, refusal.verdicts, status=422, key=str(sheets.page_key(posted))
        )
    case_id = opening.opened(conn, signed, wanted, origin, form, posted)
    return _kept(request, conn, signed, posted, case_id)


@router.get("/cases/{case_id:int}/edit")
def edit(
    request: Request,
    conn: Connection,
    signed: SignedIn,
    case_id: RowId,
    check: str = "",
    add: str = "",
    copied: int = 0,
) -> Response:
    """The form of a draft; of a case in progress, the first act that writes field groups."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    if view.version:
        writing = next((o for o in view.offers if o.action.edits), None)
        there = f"/cases/{case_id}/actions/{writing.action.name}" if writing else f"/cases/{case_id}"
        return RedirectResponse(queue.along(there, request, signed.actor), 303)
    sheet = sheets.Sheet(sheets.flat(view.form), more=add)
    more = copying.told(conn, signed, view, copied) or thread.told(conn, signed, view)
    return draft_page(request, conn, signed, view, sheet, check=bool(check), more=more)


@router.post("/cases/{case_id:int}/edit")
def keep(
    request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId, action: str = ""
) -> Response:
    """Save a draft, or the working copy of an act, and go on to where the button leads."""
    return _kept(request, conn, signed, posted, case_id, action)


def _kept(
    request: Request, conn: type_connection, signed: Signed, posted: Fields, case_id: int, action: str = ""
) -> Response:
    person, request.state.case_id = signed.actor.person_id, case_id
    for _ in range(written.TRIES):
        view = cases.look(conn, person, case_id)
        row, edits = _row(view, action), written.edits_of(view, action)
        if row is None and (view.version if not action else written.behind(view, posted)):
            raise cases.conflict(conn, load(conn, case_id, person))  # somebody acted on what was being written
        if not edits:
            raise Refused("role", "この内容は、いまは書き換えられません。最新の画面を開いてください。")
        try:
            mine = _filled(conn, view, posted, written.read(conn, view, posted, edits))
        except Refused as refusal:
            sheet = _sheet_of(posted, refusal.verdicts)
            if row is None or not view.version:
                return draft_page(request, conn, signed, view, sheet, problems=refusal.verdicts, status=422)
            typed = Typed(action, "", dict(posted), sheet.problems)
            return act_page(request, conn, signed, view, row, typed, sheet=sheet, problems=refusal.verdicts, status=422)
        last = written.last_saved(conn, view)
        found = written.compared(view, mine | written.beside(view, action, posted), posted, person, last)
        theirs, unchosen = written.chosen(posted, found)
        if unchosen or found.of(Side.BOTH) or (found.changed_elsewhere and not found.seen):
            return clash(request, conn, signed, view, found, posted, action)
        try:
            written.keep(conn, person, view, found, theirs)
        except cases.SaveClash:
            continue
        there = _onward(conn, signed, case_id, posted.get("do", ""), action)
        return RedirectResponse(queue.along(there, request, signed.actor), 303)
    return clash(request, conn, signed, view, found, posted, action)


def _filled(conn: type_connection, view: View, posted: Fields, groups: dict[str, Any]) -> dict[str, Any]:
    """The groups with the table filled in from the quick fields, where that was the button."""
    if posted.get("do") != PREFILL or not view.process.prefill:
        return groups
    quick = {name.removeprefix(QUICK): posted[name].strip() for name in posted if name.startswith(QUICK)}
    filled = groups | view.process.prefill({**written.base(view), **groups}, quick)
    return colleagues.fill_in(conn, colleagues.offices_of(view.lead, view.parties), filled)


def clash(
    request: Request, conn: type_connection, signed: Signed, view: View, found: Written, posted: Fields, action: str
) -> Response:
    """The page that shows what somebody else changed meanwhile beside what was typed here."""
    post, address = (
        queue.along(one, request, signed.actor) for one in (_post(view.id, action), page_of(view.id, action))
    )
    return clash_page(
        request, conn, signed, view, found, posted, post=post, do=posted.get("do", AGAIN), address=address
    )


@router.get("/cases/{case_id:int}/actions/{action}")
def open_act(
    request: Request, conn: Connection, signed: SignedIn, case_id: RowId, action: str, add: str = "", person: int = 0
) -> Response:
    """The page of an act: what it writes, what it brings about, its button."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    offer = _row(view, action)
    if offer is None:
        return RedirectResponse(queue.along(f"/cases/{case_id}", request, signed.actor), 303)
    return act_page(
        request,
        conn,
        signed,
        view,
        offer,
        Typed(action, "", written.typed_beside(view, action)),
        sheet=sheets.Sheet(sheets.flat(_first(view, offer)), more=add),
        subject=person,
    )


def _first(view: View, offer: Offer) -> dict[str, Any]:
    """What stands on the page of an act when it is opened: what is kept, and where nothing is, what the act begins with."""
    kept_groups = (view.working or {}).get("form") or {}
    return declared.begun(offer.action, view, written.working_form(view), kept_groups)


@router.post("/cases/{case_id:int}/delete")
def drop(request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId) -> Response:
    """Drop a draft for good."""
    cases.delete_draft(conn, signed.actor.person_id, case_id)
    return RedirectResponse("/inbox", 303)


# --- what is posted --------------------------------------------------------------------------------------------------


def taken_over(
    conn: type_connection, signed: Signed, view: View, action: Action, posted: Fields
) -> dict[str, Any] | None:
    """The field groups that an act takes over: those of the page, else the working copy's. Raises `Refused`, `Clash`."""
    if not view.version or not action.edits:
        return None
    mine = written.read(conn, view, posted, action.edits)
    if not mine:
        kept_groups = (view.working or {}).get("form") or {}
        return {group: part for group, part in kept_groups.items() if group.partition(":")[0] in action.edits}
    beside = written.beside(view, action.name, posted)
    found = written.compared(view, mine | beside, posted, signed.actor.person_id, written.last_saved(conn, view))
    if found.changed_elsewhere:
        raise Clash(found)
    return mine


def kept(
    conn: type_connection, person: int, view: View, action: str, groups: Mapping[str, Any], posted: Fields
) -> bool:
    """Whether what was written with a refused act is now the office's working copy; another window's is not overwritten."""
    try:
        cases.save(conn, person, view.id, {**groups, **written.beside(view, action, posted)}, written.kept_saves(view))
    except (cases.SaveClash, Refused):
        return False
    return True


def _sheet_of(posted: Fields, verdicts: Sequence[Verdict]) -> sheets.Sheet:
    return sheets.Sheet(sheets.as_typed(posted), {v.field: v.sentence for v in verdicts})


# --- where a button leads --------------------------------------------------------------------------------------------


def _onward(conn: type_connection, signed: Signed, case_id: int, do: str, action: str = "") -> str:
    """After saving: a row more, the confirmation (or the form again with what is wrong), or the case."""
    here = page_of(case_id, action)
    if do.startswith(ADD):
        table = do.removeprefix(ADD)
        return f"{here}?add={table}#{table.replace('.', '-')}"
    if do in (AGAIN, PREFILL):
        return here
    if do == FILES:
        return f"/cases/{case_id}/files"
    if do == "confirm" and not action:
        view = cases.look(conn, signed.actor.person_id, case_id)
        main = _main(view.offers)
        if main is not None:
            return f"/cases/{case_id}/actions/{main.action.name}" if main.allowed else f"{here}?check=1"
    return f"/cases/{case_id}?done=save"


def page_of(case_id: int, action: str = "") -> str:
    """The page on which a draft, or the working copy of an act, is written."""
    return f"/cases/{case_id}/actions/{action}" if action else f"/cases/{case_id}/edit"


def _post(case_id: int, action: str = "") -> str:
    return f"/cases/{case_id}/edit" + (f"?action={action}" if action else "")


def _main(found: Sequence[Offer]) -> Offer | None:
    return next((o for o in found if o.action.main), next(iter(found), None))


def _row(view: View, action: str) -> Offer | None:
    return next((o for o in view.offers if o.action.name == action), None)


# --- pages -----------------------------------------------------------------------------------------------------------


def judge(view: View, form: Mapping[str, Any]) -> tuple[Facts, Sequence[Offer]]:
    """What the process says of the case with this form: nothing is stored by asking."""
    facts = replace(view.facts, form=dict(form), read=view.process.reading(form), inputs={}, memo={})
    return facts, view.process.actions(facts)


def _new_page(
    request: Request,
    conn: type_connection,
    signed: Signed,
    process: Process,
    sheet: sheets.Sheet,
    problems: Sequence[Verdict] = (),
    status: int = 200,
    key: str = "",
) -> Response:
    context = surroundings(conn, signed, process, request.query_params["origin"], opening.lead_office(conn, signed))
    blank = process.read({})
    asked = f"process={process.key}&origin={context['origin']}"
    return page(
        request, signed, "case_form.html", status=status, v=sheet, read=blank, view=None, same=None, files=None, verdicts=[], saves=0, action="", stored=False,
        key=key or str(uuid4()), opened="{}", saving=saving.Saving("まだ残していません"), autosave=f"/cases/new/autosave?{asked}", more=None,
        problems=sheets.listed(problems), checked=bool(problems), post=f"/cases/new?{asked}",
        draft_groups=declared.groups_of_draft(process, context["origin"], declared.writes(process)), **context,
    )  # fmt: skip


def draft_page(
    request: Request, conn: type_connection, signed: Signed, view: View, sheet: sheets.Sheet,
    *, check: bool = False, problems: Sequence[Verdict] = (), status: int = 200, more: copying.Notice | thread.Notice | None = None,
) -> Response:  # fmt: skip
    """The form of a draft, with what its main act would say of it now. `more` is said above it."""
    facts, found = judge(view, view.facts.form)
    main = _main(found)
    verdicts = list(main.verdicts) if main else []
    if check and main:
        problems = main.refusals
    if problems:
        sheet = replace(sheet, problems={v.field: v.sentence for v in problems})
    context = surroundings(conn, signed, view.process, view.origin, view.lead, view)
    return page(
        request, signed, "case_form.html", status=status, v=sheet, read=facts.read, view=view, saves=view.saves, action="", stored=status == 200, key="",
        files=papers.files(conn, signed, view, back="list"), same=arrivals.same(conn, signed, view),
        verdicts=offers.judged(verdicts, context["words"].clauses, {}), problems=sheets.listed(problems), checked=bool(problems),
        opened=written.opened_marks(view, view.editable, ""), autosave=queue.along(f"/cases/{view.id}/autosave", request, signed.actor), more=more,
        saving=saving.at_rest(view, written.last_saved(conn, view), signed.actor.person_id), post=queue.along(_post(view.id), request, signed.actor),
        draft_groups=declared.groups_of_draft(view.process, view.origin, view.editable), **context,
    )  # fmt: skip


def act_page(
    request: Request, conn: type_connection, signed: Signed, view: View, offer: Offer, typed: Typed,
    *, sheet: sheets.Sheet, problems: Sequence[Verdict] = (), status: int = 200, subject: int = 0,
) -> Response:  # fmt: skip
    """The page of one act. A draft's is its confirmation; others hold the fields of the groups that the act writes."""
    facts, found = judge(view, written.base(view))
    offer = next((o for o in found if o.action.name == offer.action.name), offer)
    context = surroundings(conn, signed, view.process, view.origin, view.lead, view)
    if problems:
        sheet = replace(sheet, problems={v.field: v.sentence for v in problems})
    person = _subject(view, signed, subject)
    addresses = (page_of(view.id, offer.action.name), _post(view.id, offer.action.name), f"/cases/{view.id}/autosave?action={offer.action.name}", page_of(view.id))  # fmt: skip
    carried, post, autosave, rewrite = (queue.along(one, request, signed.actor) for one in addresses)
    return page(
        request, signed, _template(view, offer), status=status, v=sheet, read=facts.read, view=view, saves=written.kept_saves(view), offer=offer,
        card=offers.card(view, offer, replace(typed, action=offer.action.name), facts, choices=arrivals.picked_from(view), told=_will_be_told(conn, signed, view, offer), turn=_turn_after(conn, signed, view, offer)), person=person, refused=offers.refused(view, [offer]),
        verdicts=offers.judged(offer.verdicts, context["words"].clauses, offers.reasons_of(view.form)), action=offer.action.name,
        problems=sheets.listed(problems, offer.action), checked=bool(problems), names=offers.names_of(view),
        told=_told(conn, view), same=None if view.version else arrivals.same(conn, signed, view), difference=view.process.difference(written.base(view)), parts=_parts(signed, view, offer, context["words"].groups, person),
        opened=written.opened_marks(view, offer.action.edits, offer.action.name), autosave=autosave, carried=carried, rewrite=rewrite,
        saving=saving.at_rest(view, written.last_saved(conn, view), signed.actor.person_id), post=post, **context,
    )  # fmt: skip


def _will_be_told(conn: type_connection, signed: Signed, view: View, offer: Offer) -> str:
    return telling.before(conn, signed.actor.person_id, view.id, [offer]).get(offer.action.name, "")


def _turn_after(conn: type_connection, signed: Signed, view: View, offer: Offer) -> str:
    """Whose turn a route will make it, for the offices."""
    if not (offers.inside(view) and view.may_read(KIND)):
        return ""
    return foreseen.turns(conn, signed.actor.person_id, view.id, [offer]).get(offer.action.name, "")


def _told(conn: type_connection, view: View) -> dict[str, Any] | None:
    """What the act before this page said to its reader: the points to mend, the reason of a return."""
    # A file added or a letter filed meanwhile takes nothing back of what was said.
    last = next((line for line in story.timeline(conn, view) if line["moved"]), None) if view.version else None
    lines = [part for part in last["shown"] if part["text"]] if last else []
    if last is None or not lines:
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


def _parts(signed: Signed, view: View, offer: Offer, groups: Sequence[str], person: int) -> list[declared.Part]:
    """The field groups that an act writes; of one that each has, the person's where persons are assigned, else the office's."""
    home = signed.actor.home
    who = str(person) if view.process.assigned else home.org_code if home else ""
    return declared.parts(view.process, offer.action, groups, who)
