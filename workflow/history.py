"""Append-only history: canonical bytes, content rows with their salt, the event body and its chain.

An event's body holds opaque ids and digests only, so the chain proves who acted even after content was erased.
A content row is known by (case, seq, ord) of the event that wrote it; an unchanged field group is referred to again.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA = 1
FORM = "form:"  # content kind of a field group


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no blanks, characters as they are. Refuses NaN and lone surrogates."""
    text = _ENCODER.encode(value)
    text.encode()
    return text


def keepable(value: Any) -> bool:
    """Whether a value has a canonical text that the database can hold: no NUL, no lone surrogate, no NaN, nothing but JSON."""
    try:
        text = canonical(value)
    except (TypeError, ValueError):
        return False
    return "\\u0000" not in text or not _has_nul(value)


def _has_nul(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_nul(part) for pair in value.items() for part in pair)
    if isinstance(value, (list, tuple)):
        return any(_has_nul(part) for part in value)
    return isinstance(value, str) and "\0" in value


@dataclass(frozen=True, slots=True)
class Content:
    """One row of content: what an event refers to by digest."""

    seq: int
    ord: int
    kind: str
    digest: bytes
    salt: bytes
    data: bytes

    @property
    def ref(self) -> list[Any]:
        return [self.seq, self.ord, self.kind, self.digest.hex()]


def content_digest(salt: bytes, kind: str, data: bytes) -> bytes:
    """sha256(salt ‖ kind ‖ bytes)."""
    return hashlib.sha256(salt + kind.encode() + data).digest()


def contents(seq: int, parts: Sequence[tuple[str, Any]]) -> list[Content]:
    """Content rows of one event; `parts` are (kind, JSON value)."""
    rows = []
    for number, (kind, value) in enumerate(parts):
        salt, data = secrets.token_bytes(32), canonical(value).encode()
        rows.append(Content(seq, number, kind, content_digest(salt, kind, data), salt, data))
    return rows


def references(before: Sequence[Sequence[Any]], new: Sequence[Content]) -> list[list[Any]]:
    """What the case consists of after an event: standing groups not written anew, then the event's own rows."""
    written = {row.kind for row in new}
    standing = [list(ref) for ref in before if _stands(ref[2]) and ref[2] not in written]
    return standing + [row.ref for row in new]


def _stands(kind: str) -> bool:
    """Field groups and parties describe the case until they are written anew; the rest belongs to its own event."""
    return kind.startswith(FORM) or kind == "parties"


def event_hash(previous: bytes | None, body: str) -> bytes:
    """sha256(coalesce(previous, '') ‖ utf8(body))."""
    return hashlib.sha256((previous or b"") + body.encode()).digest()


def event_body(
    *, case: int, seq: int, at: int, action: str, source: str, dest: str, process: tuple[str, int, str], actor: str, post: str,
    office: str, lead: str, round_no: int, number: str | None, content: Sequence[Sequence[Any]], acting_for: str | None = None,
) -> str:  # fmt: skip
    """Canonical body of one event. `at` is the database's time in microseconds since 1970 UTC."""
    return canonical(
        {
            "v": SCHEMA,
            "case": case,
            "seq": seq,
            "at": at,
            "action": action,
            "from": source,
            "to": dest,
            "process": process[0],
            "process_version": process[1],
            "process_digest": process[2],
            "actor": actor,
            "acting_for": acting_for,
            "post": post,
            "office": office,
            "lead": lead,
            "round": round_no,
            "number": number,
            "content": content,
        }
    )


def form_of(refs: Sequence[Sequence[Any]]) -> Mapping[str, Sequence[Any]]:
    """Field group → reference, of the references in a body."""
    return {ref[2].removeprefix(FORM): ref for ref in refs if ref[2].startswith(FORM)}


def opened(origin: str, by: int, at: int, parent: int | None) -> tuple[str, dict[str, Any]]:
    """What the first event says of how the case came about: ids only, so that it is never erased."""
    return "opened", {"origin": origin, "by": by, "at": at, "parent": parent}


def disposed_title(seq: int) -> str:
    """What a case is called of which nothing is kept any more: the event that took it."""
    return f"廃棄(記録{seq}号)"


def disposed(form: Mapping[str, Any], title: str) -> int:
    """The event that took everything of a case; 0 for a case that still says something."""
    if not title.startswith("廃棄("):  # nearly every case, and asked with every act
        return 0
    erased = {part.get("erased") if isinstance(part, Mapping) else None for part in form.values()}
    (seq,) = erased if len(erased) == 1 else (None,)
    return seq if isinstance(seq, int) and title == disposed_title(seq) else 0
