"""Files and remarks for tests: small files of every type, and the way that each takes into a case."""

import io
import zipfile
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from workflow import comments
from workflow.access import Actor, actor
from workflow.arriving import Arriving
from workflow.db import Database, driver

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def packed(*entries: tuple[str, bytes], stored: Iterable[str] = ()) -> bytes:
    """A zip of these entries; those named in `stored` are not compressed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in entries:
            kind = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name, (2026, 10, 14, 9, 0, 0)), data, kind)
    return made.getvalue()


def office(folder: str, *more: tuple[str, bytes]) -> bytes:
    """A Word, Excel or PowerPoint file, as far as its directory tells."""
    return packed(("[Content_Types].xml", b"<Types/>"), (f"{folder}/document.xml", b"<x/>"), *more)


def open_document(kind: str, *more: tuple[str, bytes]) -> bytes:
    """An ODF file: the kind stands first and uncompressed."""
    said = f"application/vnd.oasis.opendocument.{kind}".encode()
    return packed(("mimetype", said), ("content.xml", b"<x/>"), *more, stored=["mimetype"])


def person(db: Database, person_id: int) -> Actor:
    """Somebody with the posts of today."""
    with db.connection() as conn:
        found = actor(conn, person_id)
    assert found is not None
    return found


def attach(
    db: Database, person_id: int, case_id: int, data: bytes | Iterable[bytes] = PDF, *, name: str = "要綱.pdf",
    scope: str = "shared", label: str = "", key: UUID | None = None,
) -> int:  # fmt: skip
    """Add a file to a case, piece by piece; its id."""
    who = person(db, person_id)
    with db.transaction() as session:
        arrives = Arriving(driver(session), who, case_id, name=name, scope=scope, label=label)
        for piece in [data] if isinstance(data, bytes) else data:
            arrives.add(piece)
        return arrives.finish(key or uuid4())


def remark(
    db: Database, person_id: int, case_id: int, body: str, *, scope: str = "shared", key: UUID | None = None
) -> int:
    """Write a remark on a case; its id."""
    with db.connection() as conn:
        return comments.add(conn, person(db, person_id), case_id, scope=scope, body=body, key=key or uuid4())


def rows(conn: Any, text: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a query finds."""
    found: list[tuple[Any, ...]] = conn.execute(text, values).fetchall()
    return found
