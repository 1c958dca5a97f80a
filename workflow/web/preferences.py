"""The page on which everybody says how they want to be told by mail."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.dates import short
from workflow import preferences, queries
from workflow.deadlines import TOKYO, calendar
from workflow.preferences import AT_ONCE, MORNING, TWICE, Preference
from workflow.settings import settings
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

WAYS = (
    (AT_ONCE, "そのつど受け取る", "知らせがあるたびに、1件ずつ届きます。"),
    (MORNING, "朝に1通にまとめる", "業務日の8:45に、その時に残っているものだけが1通で届きます。"),
    (TWICE, "朝と昼の2通にまとめる", "業務日の8:45と13:00に届きます。"),
)
UNKNOWN = "受け取り方を選んでください。"


@router.get("/preferences")
def show(request: Request, conn: Connection, signed: SignedIn, done: str = "") -> Response:
    return _page(request, conn, signed, done=bool(done))


@router.post("/preferences")
def choose(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Keep the choice; a way that there is not changes nothing."""
    wanted = Preference(posted.get("mail", ""), posted.get("informed") == "yes")
    if wanted.mail not in {way for way, _, _ in WAYS}:
        return _page(request, conn, signed, problem=UNKNOWN)
    preferences.choose(conn, signed.actor.person_id, wanted)
    return RedirectResponse("/preferences?done=1", 303)


def _page(request: Request, conn: Connection, signed: Signed, *, done: bool = False, problem: str = "") -> Response:
    person = signed.actor.person_id
    now, home = queries.database_now(conn), signed.actor.home
    chosen = preferences.chosen(conn, [person])[person]
    slot = preferences.next_slot(chosen.mail, calendar(conn, home.org_code if home else ""), now)
    following = ""
    if chosen.mail != AT_ONCE and slot:
        local = slot.astimezone(TOKYO)
        following = f"{short(local.date())} {local.hour}:{local.minute:02}"
    found = conn.execute("SELECT mail FROM person WHERE id = %s", (person,), prepare=True).fetchone()
    return page(
        request, signed, "preferences.html", status=422 if problem else 200, ways=WAYS, chosen=chosen, following=following,
        address=found[0].strip() if found else "", burst=settings().mail_burst, done=done, problem=problem,
    )  # fmt: skip
