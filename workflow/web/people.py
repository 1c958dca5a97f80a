"""When the staff of the office are away, and what each is good at: entered by the office, for its board."""

from collections.abc import Mapping
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from workflow import absences, cases, colleagues
from workflow.once import once
from workflow.web import sheets
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

NAMES = ("person", "from", "to")
SKILLS, WAS = "skills-", "was-"
DONE = {
    "entered": "不在を入れました。派遣ボードに「不」と出ます。",
    "dropped": "不在を取り消しました。",
    "skills": "得意なことを保存しました。",
}


@router.get("/people")
def show(request: Request, conn: Connection, signed: SignedIn) -> Response:
    return _page(request, conn, signed)


@router.post("/people/absences")
def enter(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Enter an absence; what was written stays on the page when something is wrong with it."""
    colleagues.own_office(signed.actor)
    typed = {name: posted.get(name, "") for name in NAMES}
    try:
        made = partial(absences.enter, conn, signed.actor, typed)
        once(conn, signed.actor.person_id, sheets.key_of(posted), ["absence", typed], made)
    except colleagues.NotTaken as refusal:
        return _page(request, conn, signed, typed, refusal.fields)
    return RedirectResponse("/people?done=entered", 303)


@router.post("/people/absences/{entry:int}/drop")
def drop(request: Request, conn: Connection, signed: SignedIn, entry: RowId) -> Response:
    """Take an absence back."""
    colleagues.own_office(signed.actor)
    try:
        absences.drop(conn, signed.actor, entry)
    except colleagues.NotTaken as refusal:
        return _page(request, conn, signed, None, refusal.fields)
    return RedirectResponse("/people?done=dropped", 303)


@router.post("/people/skills")
def keep(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Write the skills that are others than the page showed; somebody else's meanwhile stay."""
    colleagues.own_office(signed.actor)
    wrong: dict[str, str] = {}
    for name in posted:
        person = name.removeprefix(SKILLS)
        if name.startswith(SKILLS) and sheets.number(person) > 0 and posted[name] != posted.get(WAS + person, ""):
            try:
                colleagues.set_skills(conn, signed.actor, int(person), posted[name])
            except colleagues.NotTaken as refusal:
                wrong |= refusal.fields
    if wrong:
        return _page(request, conn, signed, dict(posted), wrong)
    return RedirectResponse("/people?done=skills", 303)


def _page(
    request: Request,
    conn: Connection,
    signed: Signed,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    office = colleagues.own_office(signed.actor)
    people = colleagues.of_offices(conn, [office])
    ids = [person.id for person in people]
    skills = {person: "、".join(own) for person, own in colleagues.skills(conn, ids).items()}
    name = next(post.org_name for post in signed.actor.posts if post.org_code == office)
    return page(
        request, signed, "people.html", status=422 if problems else 200, people=people, office_name=name, skills=skills,
        absences=absences.listed(conn, ids), called={person.id: person for person in people}, today=cases.today(conn),
        typed=typed or {}, problems=problems or {}, done=DONE.get(request.query_params.get("done", ""), ""), key=str(uuid4()),
    )  # fmt: skip
