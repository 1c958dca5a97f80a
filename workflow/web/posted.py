"""The body of a form, read strictly: UTF-8 or nothing, so many fields and no more, no NUL.

A date field has three boxes on the page, `name~y`, `name~m` and `name~d`, and is one field `name` from here on, as typed.
What else a page offers beside its fields (`ticks`) becomes ordinary fields here, too.
"""

import re
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.datastructures import ImmutableMultiDict

from workflow.web.ticks import settled

Fields = ImmutableMultiDict[str, str]  # `[name]` and `get` give the last of several values, `getlist` all of them

MOST_FIELDS = 2000
_BOXES = ("~y", "~m", "~d")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class BadForm(Exception):
    """A form that cannot be read; the message says why, in Japanese."""


async def fields_of(request: Request) -> Fields:
    """The fields of a posted form; none for GET. A body is read once: who asks after a failure is told so again.

    Raises `BadForm`.
    """
    found = getattr(request.state, "fields", None)
    if found is None:
        request.state.fields = BadForm("画面から送られた内容を、最後まで受け取れませんでした。")
        request.state.fields = found = read_fields(request.headers.get("content-type", ""), await request.body())
    if isinstance(found, BadForm):
        raise found
    assert isinstance(found, ImmutableMultiDict)
    return found


Posted = Annotated[Fields, Depends(fields_of)]


def read_fields(content_type: str, body: bytes) -> Fields:
    """The fields of an urlencoded body; line breaks come as LF. Raises `BadForm`."""
    if not body:
        return Fields()
    kind, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/x-www-form-urlencoded" or charset not in ("", "utf-8"):
        raise BadForm("画面の様式(application/x-www-form-urlencoded、UTF-8)で送られていません。")
    if _BROKEN_ESCAPE.search(body):
        raise BadForm("途中で切れたか、書き換わった文字(% の後)があるため、読み取れません。")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError as error:
        raise BadForm("文字コードが UTF-8 でないため、読み取れません。") from error
    except ValueError as error:
        raise BadForm(f"項目が{MOST_FIELDS}を超えています。") from error
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise BadForm("使えない文字(NUL)が入っています。その文字を消して、もう一度送ってください。")
    return Fields(settled(_join_dates([(name, value.replace("\r\n", "\n")) for name, value in pairs])))


def _join_dates(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    boxes = {name: value.strip() for name, value in pairs if name.endswith(_BOXES)}
    joined = []
    for name, value in pairs:
        if not name.endswith(_BOXES):
            joined.append((name, value))
        elif name.endswith("~y"):
            whole = name.removesuffix("~y")
            parts = [boxes.get(whole + box, "") for box in _BOXES]
            joined.append((whole, ".".join(filter(None, parts))))
    return joined
