"""What was sent after the session had ended: it stays in the sender's browser, and goes on when the same person is back.

A form's token says for which session it was made and, as a digest, for whom. Nothing is kept on the server: whoever signs
in as somebody else gets nothing of it.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from workflow.web.posted import Fields

_NOT_SENT_AGAIN = frozenset({"csrf", "password"})
_MARKS = frozenset({"key", "version", "saves", "opened", "unheard", "met", "listed", "next", "do", "back", "scope"})
LONGEST = 1_000_000  # characters


def token_for(csrf: str, person_id: int) -> str:
    """The token of a person's forms: the session's own, and a digest that says whose it is."""
    return f"{csrf}.{_whose(csrf, person_id)}"


def same_person(token: str, person_id: int) -> bool:
    """Whether a form's token, of whichever session, was made for this person."""
    csrf, _, whose = token.partition(".")
    return bool(whose) and hmac.compare_digest(whose.encode(), _whose(csrf, person_id).encode())


def _whose(csrf: str, person_id: int) -> str:
    return hashlib.sha256(f"{csrf}:{person_id}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Held:
    """A form that was sent: where to, its fields, and the token that says whose it is."""

    to: str
    fields: Sequence[tuple[str, str]]
    token: str

    @property
    def texts(self) -> list[str]:
        """What a person wrote in words; codes, numbers and the page's own marks are not worth reading."""
        return [value for name, value in self.fields if name not in _MARKS and value.strip() and not value.isascii()]

    def text(self) -> str:
        """As one hidden field carries it."""
        return json.dumps([self.to, list(self.fields), self.token], ensure_ascii=False)


def held(request: Request, fields: Fields) -> Held | None:
    """What this request sent; None where the token does not say whose it is, where it is too much to carry, or with a file."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        return None
    token = fields.get("csrf", "")
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    found = Held(address, [pair for pair in fields.multi_items() if pair[0] not in _NOT_SENT_AGAIN], token)
    return found if "." in token and len(found.text()) <= LONGEST else None


def read(text: str) -> Held | None:
    """What a hidden field carried; None where it was not ours."""
    if not text or len(text) > LONGEST:
        return None
    try:
        to, fields, token = json.loads(text)
        pairs = [(name, value) for name, value in fields if isinstance(name, str) and isinstance(value, str)]
    except (ValueError, TypeError, RecursionError):
        return None
    ours = (
        isinstance(to, str) and to.startswith("/") and not to.startswith("//") and "\\" not in to and to.isprintable()
    )
    return Held(to, pairs, token) if ours and isinstance(token, str) else None
