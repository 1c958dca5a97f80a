"""The directory of an archive, read from its end and held against the rules; nothing is unpacked.

Office files are archives, too. Only a small directory is read, whatever it says of itself.
"""

import io
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from states.kernel import Refused
from states.terms import block
from states.text import visible

FIELD = "file"
TAIL = 1_200_000  # bytes at the end of a file that hold its directory
LONGEST = TAIL // 2  # bytes of a directory
MOST_ENTRIES = 5000
BOMB_RATIO, BOMB_SIZE = 100, 100_000_000  # unpacks to so many times its size, and to so many bytes
END, END_64 = b"PK\x05\x06", b"PK\x06\x07"

MACROS = frozenset({"docm", "dotm", "xlsm", "xltm", "xlsb", "xlam", "pptm", "potm", "ppam", "ppsm"})
# What runs where it is opened, or hides what does.
RUNS = MACROS | {
    "exe", "com", "scr", "pif", "bat", "cmd", "ps1", "psm1", "vbs", "vbe", "js", "jse", "mjs", "wsf", "wsh", "hta", "lnk", "url",
    "scf", "reg", "msi", "msp", "msix", "appx", "dll", "cpl", "ocx", "sys", "jar", "class", "html", "htm", "xhtml", "shtml", "mht",
    "mhtml", "svg", "svgz", "swf", "iso", "img", "vhd", "vhdx", "dmg", "apk", "sh", "py", "php", "chm", "application",
}  # fmt: skip
PACKED = frozenset({"zip", "7z", "rar", "lzh", "lha", "gz", "tgz", "bz2", "xz", "zst", "tar", "cab", "arj", "z"})

HAS_MACROS = "マクロの入ったファイルは受け取れません。マクロのない形式(docx、xlsx、pptx)か PDF で保存し直して、添え直してください。"
LOCKED = "パスワードの付いたファイルは、中を確かめられないため受け取れません。パスワードを外して、添え直してください。"
BROKEN = "ファイルが壊れているか、途中までしかありません。元のファイルを開けるか確かめて、添え直してください。"


@dataclass(frozen=True)
class Rules:
    """What an archive is held against: the folder that makes it what it claims to be, where macros stand, loose files."""

    folder: str = ""
    macros: tuple[str, ...] = ()
    loose: bool = False


def refuse(sentence: str) -> Refused:
    """A file that is not taken, and why."""
    return Refused("guard", sentence, (block(sentence, FIELD),))


def extension_of(name: str) -> str:
    """What stands behind the last dot, in small letters."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def look_into(tail: bytes, size: int, rules: Rules) -> bool:
    """Whether the archive of `size` bytes that ends with `tail` is what it claims to be. Raises `Refused`."""
    entries = _entries(tail, size)
    names = [_name(entry) for entry in entries]
    small = [name.lower() for name in names]
    if any(entry.flag_bits & 1 for entry in entries):
        raise refuse(LOCKED)
    if any(name.endswith("vbaproject.bin") or name.startswith(rules.macros) for name in small):
        raise refuse(HAS_MACROS)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > BOMB_SIZE and unpacked > BOMB_RATIO * size:
        raise refuse("開くと、けた違いに大きくなるファイルです。作り直すか PDF などにして、添え直してください。")
    if rules.loose:
        _look_at_names(names)
    return not rules.folder or ("[content_types].xml" in small and any(name.startswith(rules.folder) for name in small))


def _entries(tail: bytes, size: int) -> list[zipfile.ZipInfo]:
    """The directory, read only where it says that it is small. Raises `Refused`."""
    place = tail.rfind(END)
    record = tail[place : place + 22] if place >= 0 else b""
    if len(record) < 22:
        raise refuse(BROKEN)
    entries, length = struct.unpack("<H", record[10:12])[0], struct.unpack("<L", record[12:16])[0]
    if entries > MOST_ENTRIES or length > LONGEST or tail[max(place - 20, 0) : place].startswith(END_64):
        raise refuse(f"中のファイルが多すぎます。{MOST_ENTRIES}個までになるように分けて、添え直してください。")
    try:
        with zipfile.ZipFile(_Tail(tail, size)) as archive:
            found = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError) as error:
        raise refuse(BROKEN) from error
    if not found or len(found) != entries:
        raise refuse(BROKEN)
    return found


class _Tail(io.RawIOBase):
    """The end of a file under its true places; before that there is nothing to read."""

    def __init__(self, kept: bytes, size: int) -> None:
        self._kept, self._first, self._size, self._place = kept, size - len(kept), size, 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        if place < 0:
            raise OSError
        self._place = place
        return place

    def read(self, size: int = -1) -> bytes:
        start = self._place - self._first
        found = b"" if start < 0 else self._kept[start:] if size < 0 else self._kept[start : start + size]
        self._place += len(found)
        return found


def _name(entry: zipfile.ZipInfo) -> str:
    """The name of an entry; one not marked as UTF-8 was most likely written by a Japanese Windows."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("cp932")
    except UnicodeError:
        return entry.filename


def _look_at_names(names: Sequence[str]) -> None:
    for name in names:
        plain = name.replace("\\", "/")
        if plain.startswith("/") or plain[1:2] == ":" or ".." in plain.split("/"):
            raise refuse(
                f"zip の中に、展開先を外へ変えるファイルがあります({visible(name)})。作り直して、添え直してください。"
            )
        if extension_of(plain.rpartition("/")[2].rstrip(". ")) in RUNS | PACKED:
            raise refuse(
                f"zip の中に、受け取れない種類のファイルがあります({visible(name)})。取り除いて、添え直してください。"
            )
