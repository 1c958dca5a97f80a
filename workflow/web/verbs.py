"""The verbs of a route as everybody signed in may read them: the table that also decides what is allowed."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from states import catalogue
from workflow import verb_table
from workflow.web.render import page
from workflow.web.session import SignedIn

router = APIRouter()


@router.get("/verbs")
def show(request: Request, signed: SignedIn) -> Response:
    """Who may do what, when, and what comes of it."""
    groups = [
        (process, matter, verb_table.of_process(process)[number][1])
        for process in catalogue.newest().values() for number, matter in enumerate(process.matters)
    ]  # fmt: skip
    return page(request, signed, "verbs.html", engine_lines=[("", line) for line in verb_table.engine()], groups=groups)
