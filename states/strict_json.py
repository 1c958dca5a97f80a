"""JSON read to the letter: no key twice, no NaN, nothing after the end; and the line on which every value stands."""

import json
import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from states.text import visible

Path = tuple[str | int, ...]

DEEPEST = 64
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_STRING = json.JSONDecoder()


class NotJsonError(ValueError):
    """Text that is not JSON to the letter; the message says why in Japanese, `line` is counted from 1."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True)
class Document:
    """A value and where its parts stand in the text."""

    value: Any
    text: str
    places: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest one around it that is there."""
        while path not in self.places and path:
            path = path[:-1]
        return bisect_left(self._line_ends, self.places[path]) + 1

    @cached_property
    def _line_ends(self) -> list[int]:
        """Where the lines end; a file with thousands of mistakes asks thousands of times."""
        return [found.start() for found in re.finditer("\n", self.text)]


def parse(source: str | bytes) -> Document:
    """Read UTF-8 bytes (with or without a byte order mark) or text. Raises `NotJsonError`."""
    text = _decoded(source) if isinstance(source, bytes) else source
    reader = _Reader(text)
    value, end = reader.value((), reader.skip(0))
    if end != len(text):
        raise reader.refusal("ファイルの終わりの後に、余分な文字があります。", end)
    return Document(value, text, reader.places)


def _decoded(source: bytes) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise NotJsonError("文字コードが UTF-8 ではありません。UTF-8 で保存し直してください。", line) from None


class _Reader:
    """One pass over the text; every method returns what it read and the place after it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.places: dict[Path, int] = {}

    def refusal(self, reason: str, place: int) -> NotJsonError:
        return NotJsonError(reason, self.text.count("\n", 0, place) + 1)

    def skip(self, place: int) -> int:
        match = _SPACE.match(self.text, place)
        return match.end() if match else place

    def value(self, path: Path, place: int) -> tuple[Any, int]:
        self.places[path] = place
        if len(path) > DEEPEST:
            raise self.refusal(f"入れ子が{DEEPEST}段を超えています。", place)
        start = self.text[place : place + 1]
        if start == "{":
            return self.object(path, place)
        if start == "[":
            return self.array(path, place)
        if start == '"':
            return self.string(place)
        for word, meant in _WORDS.items():
            if self.text.startswith(word, place):
                return meant, self.skip(place + len(word))
        return self.number(place)

    def string(self, place: int) -> tuple[str, int]:
        try:
            read, end = _STRING.raw_decode(self.text, place)
        except json.JSONDecodeError as error:
            raise self.refusal("文字列が正しく書かれていません。", min(error.pos, len(self.text))) from None
        return str(read), self.skip(end)

    def number(self, place: int) -> tuple[int | float, int]:
        match = _NUMBER.match(self.text, place)
        if match is None:
            found = self.text[place : place + 1]
            raise self.refusal(
                f"「{visible(found)}」は値の書き始めになりません。" if found else "ファイルが途中で終わっています。",
                place,
            )
        if len(match[0]) > 40:
            raise self.refusal("数のけたが多すぎます。", place)
        whole = match[1] is None and match[2] is None
        number = int(match[0]) if whole else float(match[0])
        if number in (float("inf"), float("-inf")):
            raise self.refusal("数が大きすぎます。", place)
        return number, self.skip(match.end())

    def array(self, path: Path, place: int) -> tuple[list[Any], int]:
        items: list[Any] = []

        def item(at: int) -> int:
            value, end = self.value((*path, len(items)), at)
            items.append(value)
            return end

        return items, self.members(place, "]", item)

    def object(self, path: Path, place: int) -> tuple[dict[str, Any], int]:
        items: dict[str, Any] = {}

        def item(at: int) -> int:
            if not self.text.startswith('"', at):
                raise self.refusal('項目名は " で囲んでください。', at)
            key, end = self.string(at)
            if key in items:
                raise self.refusal(f"項目「{visible(key)}」が2回書かれています。1つにしてください。", at)
            if not self.text.startswith(":", end):
                raise self.refusal(f"項目「{visible(key)}」の後に : がありません。", end)
            items[key], end = self.value((*path, key), self.skip(end + 1))
            return end

        return items, self.members(place, "}", item)

    def members(self, place: int, close: str, item: Callable[[int], int]) -> int:
        """Items between brackets with commas between them, none after the last."""
        at = self.skip(place + 1)
        if self.text.startswith(close, at):
            return self.skip(at + 1)
        while True:
            at = item(at)
            if self.text.startswith(close, at):
                return self.skip(at + 1)
            if not self.text.startswith(",", at):
                raise self.refusal(f"「,」か「{close}」がありません。", at)
            at = self.skip(at + 1)
