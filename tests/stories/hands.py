"""What a person does with a page: sign in, open a case, write into fields, press buttons. By labels and words only."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page

from tests.stories.system import PASSWORD, System

SHOTS = Path(__file__).parents[2] / "test-results"
DESK, PHONE = 1280, 390


@dataclass
class Visits:
    """Browsers of one story. Each visit is a browser of its own in which somebody has signed in."""

    browser: Browser
    system: System
    open: list[tuple[str, BrowserContext]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __call__(self, login: str, *, width: int = DESK, script: bool = True) -> Page:
        page = self.nobody(login, width=width, script=script)
        page.goto(f"{self.system.address}/login")
        sign_in(page, login)
        return page

    def nobody(self, label: str = "nobody", *, width: int = DESK, script: bool = True, scale: float = 1) -> Page:
        """A browser in which nobody has signed in yet."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 900}, locale="ja-JP", timezone_id="Asia/Tokyo", java_script_enabled=script,
            base_url=self.system.address, device_scale_factor=scale,
        )  # fmt: skip
        context.set_default_timeout(20_000)
        self.open.append((f"{len(self.open)}-{label}-{width}", context))
        page = context.new_page()
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def keep(self, name: str) -> list[str]:
        """Pictures of every page that is open, for whoever looks into a failure."""
        SHOTS.mkdir(exist_ok=True)
        kept = []
        for label, context in self.open:
            for number, page in enumerate(context.pages):
                path = SHOTS / f"{name}-{label}-{number}.png"
                page.screenshot(path=path, full_page=True)
                kept.append(f"{path} ({page.url})")
        return kept

    def close(self) -> None:
        for _, context in self.open:
            context.close()


def quiet(complaints: list[str]) -> list[str]:
    """What the browser complained of, without the answers of 400 and more and the broken lines that a story asks for."""
    asked_for = ("status of 4", "net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED")
    return [c for c in complaints if not any(words in c for words in asked_for)]


def sign_in(page: Page, login: str) -> None:
    page.get_by_label("ログイン名").fill(login)
    page.get_by_label("パスワード").fill(PASSWORD)
    page.get_by_role("button", name="ログインする").click()


def open_case(page: Page, title: str) -> None:
    """From the inbox into the case of that title."""
    page.get_by_role("link", name="受信箱").first.click()
    page.get_by_role("link", name=title).first.click()
    page.get_by_role("heading", level=1, name=title).wait_for()


def look_up(page: Page, title: str) -> None:
    """From the list of cases into the case of that title, also where nothing waits for this person."""
    page.get_by_role("link", name="案件", exact=True).first.click()
    page.get_by_role("link", name=title).first.click()
    page.get_by_role("heading", level=1, name=title).wait_for()


def group(page: Page | Locator, legend: str) -> Locator:
    """The set of fields under a legend."""
    return page.get_by_role("group", name=legend).locator("visible=true").first


def choose(page: Page | Locator, legend: str, choice: str) -> None:
    group(page, legend).get_by_label(choice).check()


def write_date(page: Page | Locator, legend: str, year: str, month: str, day: str) -> None:
    boxes = group(page, legend)
    for label, text in (("年", year), ("月", month), ("日", day)):
        boxes.get_by_label(label, exact=True).fill(text)


def card(page: Page, label: str) -> Locator:
    """The card of an act, opened."""
    words = re.compile(f"^{re.escape(label)}$")
    found = page.locator("details", has=page.locator("summary strong", has_text=words))
    if found.get_attribute("open") is None:
        found.locator("summary").first.click()
    return found


def press(where: Page | Locator, label: str, *, stays: bool = False) -> None:
    """Press the button and wait for the page that answers: a form whose script saves first leaves only after the click.

    `stays`: nothing answers, because the line is down or what comes is a file.
    """
    page = where if isinstance(where, Page) else where.page
    button = where.get_by_role("button", name=label, exact=True).locator("visible=true")
    with nullcontext() if stays else page.expect_event("domcontentloaded"):
        button.click()


def act(page: Page, label: str, **fields: str) -> None:
    """Open the card, fill its fields (by the beginning of their labels), press its button; the page says that it was done."""
    opened = card(page, label)
    for name, text in fields.items():
        opened.get_by_label(name).fill(text)
    press(opened, label)
    done(page, label)


def done(page: Page, label: str) -> None:
    page.get_by_text(f"「{label}」を行いました").wait_for()


def open_act(page: Page, label: str) -> None:
    """The page of an act that writes parts of the form."""
    card(page, label).get_by_role("link", name=f"「{label}」の画面を開く").click()
    page.get_by_role("heading", level=1, name=label).wait_for()


def told(page: Page) -> str:
    """The words of the page, for a person who reads all of it."""
    return re.sub(r"\s+", " ", page.locator("main").inner_text())


@contextmanager
def until_shown(page: Page, text: str, tries: int = 60) -> Iterator[None]:
    """Look at the page again and again until it says so."""
    for _ in range(tries):
        if page.get_by_text(text).locator("visible=true").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    assert page.get_by_text(text).locator("visible=true").count(), f"「{text}」が出ません: {told(page)[:1500]}"
    yield


def named(book: Any, name: str) -> Any:
    """What stands in a named cell."""
    return named_rows(book, name)[0][0]


def named_rows(book: Any, name: str) -> list[list[Any]]:
    ((sheet, area),) = book.defined_names[name].destinations
    found = book[sheet][area.replace("$", "")]
    rows = found if isinstance(found, tuple) else ((found,),)
    return [[cell.value for cell in row] for row in rows]
