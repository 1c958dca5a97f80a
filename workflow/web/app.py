"""The application: middleware, error pages, static files and the routers of the pages."""

from typing import Any

from fastapi import Depends, FastAPI
from starlette.datastructures import QueryParams
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from workflow.settings import settings
from workflow.web import (
    absences,
    administration,
    appointments,
    arrangements,
    attention,
    audit,
    availability,
    balance,
    boards,
    bulk,
    calendar_days,
    case_list,
    cases,
    copying,
    deadline_rules,
    decisions,
    drafts,
    errors,
    extending,
    feed,
    files,
    forms,
    health,
    inbox,
    intake,
    karte,
    mailbox,
    month,
    monthly,
    moving,
    people,
    plans,
    posts,
    preferences,
    published,
    recognitions,
    records,
    remarks,
    reports,
    retention,
    rollup,
    route,
    rungs,
    search,
    settled,
    shown,
    sign_in,
    staying,
    thread,
    turns,
    verbs,
    views,
)
from workflow.web.render import STATIC, mark
from workflow.web.security import BodyLimit, LastResort, SameOrigin, SecurityHeaders
from workflow.web.session import SentEarlier, SignInNeeded

PAGES = (
    sign_in,
    inbox,
    bulk,
    views,
    case_list,
    search,
    copying,
    drafts,
    forms,
    intake,
    cases,
    route,
    thread,
    shown,
    extending,
    staying,
    files,
    remarks,
    reports,
    rollup,
    recognitions,
    availability,
    people,
    posts,
    appointments,
    absences,
    balance,
    karte,
    turns,
    month,
    feed,
    audit,
    administration,
    retention,
    mailbox,
    health,
    arrangements,
    attention,
    preferences,
    rungs,
    calendar_days,
    settled,
    deadline_rules,
    moving,
    decisions,
    verbs,
    records,
    boards,
    plans,
    published,
    monthly,
)

# Open to everybody; any other route that does not depend on `session.current` fails a test.
# The feed is open to whoever has its address.
PUBLIC = frozenset({"/login", "/livez", "/readyz", "/static", "/feed/{token}.ics"})


def create_app() -> FastAPI:
    """The web application of this process."""
    app = FastAPI(
        title="Tobidashi",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[  # outermost first
            Middleware(SecurityHeaders),
            Middleware(LastResort),
            Middleware(SameOrigin),
            Middleware(
                BodyLimit, limit=settings().body_limit, seconds=settings().request_seconds, larger=(files.larger(),)
            ),
        ],
    )
    errors.install(app)
    app.add_exception_handler(SignInNeeded, sign_in.send_to_sign_in)
    app.add_exception_handler(SentEarlier, sign_in.ask_to_send_again)
    app.mount("/static", Static(directory=STATIC))
    for module in PAGES:
        app.include_router(module.router, dependencies=[Depends(search.keep_fresh, scope="function")])
    return app


class Static(StaticFiles):
    """Files that browsers keep for good when the address carries the mark of their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        asked: Any = QueryParams(scope["query_string"]).get("v")
        kept = response.status_code in (200, 304) and asked == mark(path)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        return response
