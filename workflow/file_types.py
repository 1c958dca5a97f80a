"""What a file may be called and what it may be: the extension says what it claims to be, and its bytes must agree.

Macros, programs, pages that run in a browser and what is locked by a password are refused: nobody here could look into
them, and whoever downloads them would open them. Nothing is opened or unpacked here; no virus scanner is built in.
"""

from collections.abc import Callable
from dataclasses import dataclass

from states.kernel import Refused
from states.text import problems, visible
from workflow import archives
from workflow.archives import refuse

LONGEST_NAME = 200  # characters; file systems take 255 bytes or units
HEAD = 512  # bytes that tell a type


def name_of(sent: str) -> str:
    """The name of a file without the path that a browser may have sent. Raises `Refused`."""
    name = sent.replace("\\", "/").rpartition("/")[2].strip()
    if not sent:
        raise refuse("ファイルが選ばれていません。ファイルを選んでから、もう一度押してください。")
    wrong = problems(name)
    if wrong:
        raise refuse(f"ファイルの名前に使えない文字があります({'、'.join(wrong)})。名前を変えて、添え直してください。")
    told = "".join(f"⟦U+{ord(c):04X}⟧" if c in "\t\r\n" else c for c in visible(name))
    if told != name:
        raise refuse(
            f"ファイルの名前に、見えない文字か並びを変える文字があります({told})。名前を変えて、添え直してください。"
        )
    if len(name) > LONGEST_NAME:
        raise refuse(
            f"ファイルの名前が長すぎます({len(name)}文字)。{LONGEST_NAME}文字までに縮めて、添え直してください。"
        )
    if not name or name != name.rstrip(". "):
        raise refuse("ファイルの名前が読み取れません。「要綱.pdf」のような名前に変えて、添え直してください。")
    return name


@dataclass(frozen=True)
class FileType:
    """A kind of file that is taken: what it is called, how it is served, how its bytes begin, what its directory holds."""

    label: str
    media_type: str
    extensions: tuple[str, ...]
    begins: Callable[[bytes], bool]
    text: bool = False
    holds: archives.Rules | None = None  # of an archive


def _with(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(starts)


ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # old Office files, and new ones with a password
HEIF = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})
OPEN_XML = "application/vnd.openxmlformats-officedocument."
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
BYTES = "application/octet-stream"  # of a text nobody says in which characters it is written
PAGES = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?xml", b"<iframe")


def _open_document(kind: str) -> Callable[[bytes], bool]:
    said = b"mimetype" + (OPEN_DOCUMENT + kind).encode()
    return lambda head: head.startswith(ZIP) and head[30:].startswith(said)


def _plain(head: bytes) -> bool:
    """Whether this begins like no program, no page and none of the other types."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return not start.startswith((*PAGES, b"mz")) and not any(kind.begins(head) for kind in TYPES if not kind.text)


def _heif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in HEIF


_ODF = archives.Rules(macros=("basic/", "scripts/"))
TYPES = (
    FileType("PDF", "application/pdf", ("pdf",), _with(b"%PDF-")),
    FileType("Word", f"{OPEN_XML}wordprocessingml.document", ("docx",), _with(ZIP), holds=archives.Rules("word/")),
    FileType("Excel", f"{OPEN_XML}spreadsheetml.sheet", ("xlsx",), _with(ZIP), holds=archives.Rules("xl/")),
    FileType("PowerPoint", f"{OPEN_XML}presentationml.presentation", ("pptx",), _with(ZIP), holds=archives.Rules("ppt/")),
    FileType("ODF 文書", f"{OPEN_DOCUMENT}text", ("odt",), _open_document("text"), holds=_ODF),
    FileType("ODF 表", f"{OPEN_DOCUMENT}spreadsheet", ("ods",), _open_document("spreadsheet"), holds=_ODF),
    FileType("テキスト", BYTES, ("txt",), _plain, text=True),
    FileType("CSV", BYTES, ("csv",), _plain, text=True),
    FileType("PNG 画像", "image/png", ("png",), _with(b"\x89PNG\r\n\x1a\n")),
    FileType("JPEG 画像", "image/jpeg", ("jpg", "jpeg"), _with(b"\xff\xd8\xff")),
    FileType("HEIC 画像", "image/heic", ("heic",), _heif),
    FileType("TIFF 画像", "image/tiff", ("tif", "tiff"), _with(b"II*\0", b"MM\0*")),
    FileType("GIF 画像", "image/gif", ("gif",), _with(b"GIF87a", b"GIF89a")),
    FileType("zip", "application/zip", ("zip",), _with(ZIP), holds=archives.Rules(loose=True)),
)  # fmt: skip
BY_EXTENSION = {extension: kind for kind in TYPES for extension in kind.extensions}
TAKEN = "、".join(BY_EXTENSION)
OLD = frozenset({"doc", "xls", "ppt", "dot", "xlt", "pps"})


def type_of(name: str) -> FileType:
    """The type that a name claims. Raises `Refused`."""
    extension = archives.extension_of(name)
    found = BY_EXTENSION.get(extension)
    if found:
        return found
    if extension in archives.MACROS:
        raise refuse(archives.HAS_MACROS)
    if extension in OLD:
        raise refuse(
            f"古い形式の Office ファイル(.{extension})は受け取れません。docx、xlsx、pptx か PDF で保存し直して、添え直してください。"
        )
    if extension in archives.RUNS:
        raise refuse(
            f"この種類のファイル(.{extension})は、開くと動くおそれがあるため受け取れません。内容を PDF などにして、添え直してください。"
        )
    shown = f"(.{extension})" if extension else "(拡張子なし)"
    raise refuse(f"この種類のファイル{shown}は受け取れません。受け取れるのは {TAKEN} です。")


class Inspection:
    """Looks at a file as it passes: first bytes, forbidden bytes of a text, directory of an archive."""

    def __init__(self, kind: FileType) -> None:
        self.kind = kind
        self._head, self._tail = bytearray(), bytearray()
        self._size, self._begun = 0, False

    def add(self, piece: bytes) -> None:
        """Look at the next piece. Raises `Refused`."""
        self._size += len(piece)
        if not self._begun:
            self._head += piece[: HEAD - len(self._head)]
            if len(self._head) == HEAD:
                self._begin()
        if self.kind.text and len(piece.translate(None, _NOT_TEXT)) != len(piece):
            raise refuse(_NO_TEXT)
        if self.kind.holds:
            self._tail += piece
            del self._tail[: -archives.TAIL]

    def end(self) -> None:
        """Look at the whole. Raises `Refused`."""
        if not self._size:
            raise refuse("ファイルの中身が空です(0バイト)。元のファイルを確かめて、添え直してください。")
        if not self._begun:
            self._begin()
        if self.kind.holds and not archives.look_into(bytes(self._tail), self._size, self.kind.holds):
            raise self._another()

    def _begin(self) -> None:
        self._begun = True
        head = bytes(self._head)
        if self.kind.text and head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise refuse(_NO_TEXT)
        if not self.kind.begins(head):
            raise refuse(archives.LOCKED) if self.kind.holds and head.startswith(OLE) else self._another()

    def _another(self) -> Refused:
        label = self.kind.label
        return refuse(
            f"名前は{label}ですが、中身は{label}ではありません。正しい形式で保存し直して、添え直してください。"
        )


_NO_TEXT = "文字のファイルにない符号が入っています。UTF-8 か Shift_JIS の文字だけにして、添え直してください。"
_NOT_TEXT = bytes(code for code in range(0x20) if code not in b"\t\n\x0b\x0c\r\x1a\x1b") + b"\x7f"
