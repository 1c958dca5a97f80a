"""The demonstration's mailbox: what would have been mailed, where no mail server is named. It exists nowhere else."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from workflow import queries
from workflow.loading import NotFound
from workflow.settings import settings
from workflow.web import lists
from workflow.web.render import page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

READS_ALL = "administrator"


@router.get("/mailbox")
def mailbox(request: Request, conn: Connection, signed: SignedIn, after: str = "") -> Response:
    """The person's mails; an administrator's page shows everybody's. 404 outside a demonstration."""
    row = conn.execute("SELECT demonstration FROM installation", prepare=True).fetchone()
    if settings().smtp_url or row is None or not row[0]:
        raise NotFound
    everybody = READS_ALL in signed.actor.roles
    with lists.place_in("/mailbox"):
        found = queries.messages(conn, signed.actor.person_id, everybody=everybody, after=after)
    return page(
        request, signed, "mailbox.html", everybody=everybody, messages=found.rows,
        next_href=lists.address("/mailbox", {}, after=found.next) if found.next else "",
        first_href="/mailbox" if after else "",
    )  # fmt: skip
