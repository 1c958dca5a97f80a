"""What the tests of hostile input send, and what a browser would: texts that hurt, the forms of a page, bodies that hold anything."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import quote_from_bytes

# Shown exactly as typed, wherever they come out: marks of a page, formulas, kanji outside the first plane, emoji.
HARMLESS = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'; DROP TABLE cases; --", "{{ 7*7 }}{% raw %}", "${7*7} %(person)s %s",
    "=HYPERLINK(\"http://x\",\"y\")", "+1+1", "-1+1", "@SUM(A1)", "＝1", "&amp; &lt; </w:t>", "a & b < c > d", "../../etc/passwd",
    "𠮷野家の髙﨑", "🏳️‍🌈👩‍👩‍👧", "辻󠄀", "e\u0301", "一行目\n二行目",
)  # fmt: skip
# May be refused, or shown with what hides written out.
HIDING = ("\u202e逆", "\u200bゼロ幅", "\ufeff頭", "\x07\x1b[31m", "\x85\x9f", "\ufffe\uffff", "\x0b\x0c")
# Never text: refused before anybody reads it.
BROKEN = ("\x00", "a\x00b", "\ud800", "\udfff\ud800")
HUGE = (
    "9" * 400,
    "1e400",
    "-" + "9" * 5000,
    "0" * 4400,
    "NaN",
    "-Infinity",
    "²",
    "٣",
    "一",
    "1.5",
    "99999999999",
    "-1",
)
DATES = (
    "令和99年99月99日",
    "R8.2.30",
    "9999-12-31",
    "0000-00-00",
    "11/9-11、" * 300,
    "2026-12-01〜1900-01-01",
    "12/1午前、12/1午前",
)
LONG = ("あ" * 11_000, "a" * 100_000, "\n" * 3000, "(" * 3000, "・" * 3000)
CHOICES = ("", " ", "on", "yes", "approve", "add:team.members", "add:" + "x" * 500, "[]", "{}", "null", "true")
EVERYTHING = (*HARMLESS, *HIDING, *BROKEN, *HUGE, *DATES, *LONG, *CHOICES)

# Names that no page has, beside those that the pages themselves use.
NAMES = (
    "", ".", "..", "request", "request.", "request.title.x", "request.tasks.x.text", "request.tasks.-1.text", "request.tasks.².text",
    "request.tasks.99999999999.text", f"request.tasks.{'9' * 5000}.text", "request.period", "team.members", "team.members.0", "team.members.².person",
    "report:0.findings", "report:².findings", f"report:{'9' * 400}.findings", "report:.x", "decision.number", "drafting.reasons.D-08",
    "input.reason", "input.", "reasons.", "confirm.D-08", "confirm.D-08.own", "version", "saves", "key", "csrf", "do", "action", "rows", "ground",
    "a" * 5000, "request.title~y", "request.period.from~y", "~y", "~m", "__proto__", "status", "approved_by", "request.tasks.0",
)  # fmt: skip


@dataclass
class Form:
    """A form of a page as a browser would send it: where to, which fields, which buttons."""

    method: str = "get"
    action: str = ""
    upload: bool = False
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # name, value, another address


class _Forms(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: Form | None = None
        self._text: list[str] | None = None  # of the textarea that is open
        self._name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(told.get("method", "get"), told.get("action", ""), "multipart" in told.get("enctype", ""))
            self.found.append(self._open)
        elif self._open is None:
            return
        elif tag == "button":
            self._open.buttons.append((told.get("name", ""), told.get("value", ""), told.get("formaction", "")))
        elif tag == "textarea":
            self._name, self._text = told.get("name", ""), []
        elif tag == "select":
            self._name = told.get("name", "")
            self._open.fields.append((self._name, ""))
        elif tag == "option" and "selected" in told:
            self._open.fields[-1] = (self._name, told.get("value", ""))
        elif (
            tag == "input" and told.get("name") and (told.get("type") not in ("radio", "checkbox") or "checked" in told)
        ):
            self._open.fields.append((told["name"], told.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea" and self._open is not None and self._text is not None:
            self._open.fields.append((self._name, "".join(self._text)))
            self._text = None


def forms_of(page: str) -> list[Form]:
    """Every form of the page that sends something."""
    reader = _Forms()
    reader.feed(page)
    return [form for form in reader.found if form.method == "post"]


def encoded(fields: Iterable[tuple[str, str]]) -> bytes:
    """The fields as a body that holds anything, lone surrogates too."""
    return b"&".join(_quoted(name) + b"=" + _quoted(value) for name, value in fields)


def _quoted(text: str) -> bytes:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="").encode()
