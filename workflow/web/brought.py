"""A list that is brought as a file, shown with what it would do, and comes back in the next form to be taken in as it was shown."""

import base64
import binascii

from workflow.colleagues import NotTaken
from workflow.settings import settings
from workflow.web.posted import Fields
from workflow.web.uploads import Incoming

MOST = 1024 * 1024  # bytes of a file
AROUND = 16 * 1024  # bytes of a form beside the file that goes along in it
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def limit() -> int:
    """Bytes of a file that can also come back in the next form."""
    return min(MOST, (settings().body_limit - AROUND) * 3 // 4)


async def bytes_of(incoming: Incoming) -> bytes:
    """The file that was brought. Raises `NotTaken` for none, and for one that is too large."""
    data = bytearray()
    async for piece in incoming.pieces():
        data += piece
        if len(data) > limit():
            raise NotTaken({"file": f"ファイルが大きすぎます。{limit() // 1024:,} KB までにしてください。"})
    if not data:
        raise NotTaken({"file": "ファイルを選んでください。"})
    return bytes(data)


def kept(data: bytes) -> str:
    """The file as it goes along in a form."""
    return base64.urlsafe_b64encode(data).decode()


def again(posted: Fields) -> bytes:
    """The file that came back. Raises `NotTaken` where it did not."""
    try:
        return base64.urlsafe_b64decode(posted.get("file", "").encode())
    except (binascii.Error, ValueError):
        raise NotTaken({"file": "ファイルをもう一度選んでください。"}) from None
