"""A PDF beside the decision, in a real browser: its own viewer shows the pages in a frame of the case, and no other origin may."""

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Frame, Page
from pypdf import PdfWriter

from tests import factory
from tests.papers import attach
from tests.workflow.web.browsing import browser_of
from tests.workflow.web.conftest import At, Web
from workflow.db import database, type_connection

pytestmark = pytest.mark.browser

PAGES = 3
WIDTHS = (1280, 390)


@pytest.fixture
def conn(web: Web) -> Iterator[type_connection]:
    with database().connection() as connection:
        yield connection


@pytest.fixture
def case(conn: type_connection, at: At) -> int:
    """A case that the office of `person` has on its desk, with a PDF of three pages that the municipality must not see."""
    who = factory.cast(conn)
    made = factory.opened(conn, who)
    factory.drive(conn, who, made, "submit", "receive")
    attach(database(), who.bureau, made, paper(), name="実施要綱.pdf", scope="internal")
    return made


def paper() -> bytes:
    """A real PDF."""
    writer, written = PdfWriter(), io.BytesIO()
    for _ in range(PAGES):
        writer.add_blank_page(300, 420)
    writer.write(written)
    return written.getvalue()


def officer_of(conn: type_connection, case: int) -> int:
    """Who added the file."""
    row = conn.execute("SELECT added_by FROM attachment WHERE case_id = %s", (case,)).fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def signed_in(web: Web, browser: Browser, conn: type_connection, case: int, address: str) -> Iterator[BrowserContext]:
    """The officer's browser."""
    session = browser_of(web, conn, officer_of(conn, case)).client.cookies["tobidashi"]
    context = browser.new_context(locale="ja-JP")
    context.add_cookies([{"name": "tobidashi", "value": session, "url": address}])
    yield context
    context.close()


class Bare(BaseHTTPRequestHandler):
    """A page that forbids nothing."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """It says nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Another origin on the same host, so that the session goes along."""
    with HTTPServer(("127.0.0.1", 0), Bare) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def viewer(frame: Frame) -> bool:
    """Whether a frame is the browser's own viewer."""
    return frame.url.startswith("chrome-extension://")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_pdf_is_seen_on_the_page_of_its_case(signed_in: BrowserContext, address: str, case: int, width: int) -> None:
    tab = signed_in.new_page()
    complaints: list[str] = []
    tab.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(f"{address}/cases/{case}")
    look = tab.locator("#files .papers__look").filter(has=tab.locator("iframe"))
    assert [frame.url for frame in tab.frames if "/view" in frame.url] == []  # nobody has asked for it yet
    with tab.expect_event("framenavigated", predicate=viewer):
        look.locator("summary").click()
    shown = next(frame for frame in tab.frames if viewer(frame))
    shown.locator("#pagelength").filter(has_text=str(PAGES)).wait_for(state="attached")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert look.get_by_role("link", name="別の画面で見る").get_attribute("href") == file_of(tab)
    found = Axe().run(tab, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == []
    assert complaints == []


def file_of(tab: Page) -> str:
    """The address of the file that stands in the frame."""
    return (tab.locator("#files iframe").get_attribute("src") or "").partition("#")[0]


def test_no_other_origin_may_hold_the_file_in_a_frame_and_nobody_a_page(
    signed_in: BrowserContext, address: str, elsewhere: str, case: int
) -> None:
    tab = signed_in.new_page()
    tab.goto(f"{address}/cases/{case}")
    file, own = f"{address}{file_of(tab)}", tab.url
    for page, framed, rule in ((elsewhere, file, "frame-ancestors 'self'"), (own, f"{address}/inbox", "frame-ancestors 'none'")):  # fmt: skip
        tab.goto(page)
        with tab.expect_event("console", predicate=lambda said: "Framing" in said.text) as said:
            tab.evaluate("src => document.body.append(Object.assign(document.createElement('iframe'), {src}))", framed)
        assert rule in said.value.text
        assert not any(viewer(frame) for frame in tab.frames)
