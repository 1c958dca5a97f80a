"""Words that must go, found in whatever was written, and the same writing with them blacked out (黒塗り).

A word is found however it was spelled: 髙橋 for 高橋, ﾀｶﾊｼ for タカハシ, with or without a blank between the names. Keys, numbers
and the choices of a form stay: nobody types them. The stand-in of an erased content row has the row's kind behind `redacted:seq.ord:`; a field
group that still stands is simply written anew.
"""

import json
import re
import unicodedata
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from states.text import search_key

BLACK = "■■■"  # always as long, so that it does not tell how long the word was
STAND_IN = "redacted:"
MOST_WORDS, LONGEST_WORD = 20, 100
AROUND = 24  # characters shown on either side of a word

# What belongs to the character before it: marks, selectors, joiners.
_TRAILING = re.compile("[\u0300-\u036f\u3099\u309a\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]+")


@dataclass(frozen=True)
class Words:
    """The words that are looked for, the longest first, so that one inside another leaves nothing of it.

    `codes` are texts that no one typed: the keys of a form's choices.
    """

    words: tuple[str, ...]
    codes: frozenset[str] = frozenset()

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key for key in map(search_key, self.words) if key))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the words stand in a text, from and to, in order and apart from each other."""
        found = [span for word in self.words for span in _exact(text, word)]
        if self._keys:
            whole = search_key(text)
            found += [span for key in self._keys if key in whole for span in _otherwise(text, key)]
        joined: list[tuple[int, int]] = []
        for start, last in sorted(found):
            trailing = _TRAILING.match(text, last)
            end = trailing.end() if trailing else last
            if joined and start < joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        return joined

    def within(self, value: Any) -> bool:
        """Whether any of the words stands anywhere in a value."""
        return any(self.spans(text) for text in texts(value, self.codes))

    def black(self, value: Any) -> Any:
        """The value with the words blacked out wherever they stand in it."""
        if isinstance(value, Mapping):
            return {key: self.black(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.black(part) for part in value]
        return self._blacked(value) if isinstance(value, str) and value not in self.codes else value

    def _blacked(self, text: str) -> str:
        kept, at = [], 0
        for start, end in self.spans(text):
            kept += [text[at:start], BLACK]
            at = end
        return "".join([*kept, text[at:]]) if kept else text

    def excerpts(self, value: Any) -> list[tuple[str, str, str]]:
        """Each place in a value where a word stands: what comes before it, the word as written, what comes behind."""
        found = []
        for text in texts(value, self.codes):
            for start, end in self.spans(text):
                before = ("…" if start > AROUND else "") + text[max(0, start - AROUND) : start]
                after = text[end : end + AROUND] + ("…" if len(text) > end + AROUND else "")
                found.append((before, text[start:end], after))
        return found


def read(typed: str) -> Words:
    """The words of a field, one a line; blank lines and repetitions left out."""
    lines = dict.fromkeys(line.strip() for line in typed.splitlines())
    return Words(tuple(sorted(filter(None, lines), key=len, reverse=True)))


def texts(value: Any, codes: Container[str] = ()) -> Iterator[str]:
    """Everything in a value that somebody may have typed."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from texts(part, codes)
    elif isinstance(value, str) and value and value not in codes:
        yield value


def _exact(text: str, word: str) -> Iterator[tuple[int, int]]:
    at = text.find(word)
    while at >= 0:
        yield at, at + len(word)
        at = text.find(word, at + len(word))


def _otherwise(text: str, key: str) -> Iterator[tuple[int, int]]:
    """Where a text says the key in whatever spelling: the shortest pieces that fold to it."""
    longest, at = 3 * len(key) + 2, 0
    while at < len(text):
        end = _end_of(text, at, key, longest) if _begins(text, at, key) else 0
        if end:
            yield at, end
        at = end or at + 1


def _begins(text: str, at: int, key: str) -> bool:
    """Whether the character here, by itself or with a mark behind it, may be the key's first."""
    if text[at].isspace() or unicodedata.combining(text[at]):
        return False
    return any(first and key.startswith(first) for first in (search_key(text[at]), search_key(text[at : at + 2])))


def _end_of(text: str, start: int, key: str, longest: int) -> int:
    for end in range(start + 1, min(start + longest, len(text)) + 1):
        said = search_key(text[start:end])
        if said == key:
            return end
        if len(said) > len(key) + 1:
            break
    return 0


# ── stand-ins ───────────────────────────────────────────────────────────────────────────────────────────────────────


def stand_in(seq: int, order: int, kind: str) -> str:
    """The kind of the row that stands in for an erased one."""
    return f"{STAND_IN}{seq}.{order}:{kind.removeprefix(STAND_IN).partition(':')[2] if kind.startswith(STAND_IN) else kind}"


def plain(kind: str) -> str:
    """The kind of a content row as its readers know it: a stand-in is read by whoever read what it stands for."""
    return kind.removeprefix(STAND_IN).partition(":")[2] if kind.startswith(STAND_IN) else kind


def filled(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The content rows of a case with the words of its stand-in in an erased one; `erased_by` still names the event.

    Rows come with seq, ord, kind and data, in order.
    """
    erasures = {row["seq"]: _said(row) for row in rows if row["kind"] == "erasure"}
    ways: dict[tuple[int, int], Mapping[str, Any]] = {}
    by_kind = {(row["seq"], row["kind"]): row for row in rows}
    for row in rows:
        if row["data"] is None:
            for seq, said in erasures.items():
                if [row["seq"], row["ord"]] in said.get("replaced", ()):
                    kind = stand_in(row["seq"], row["ord"], row["kind"])
                    found = by_kind.get((seq, kind)) or by_kind.get((seq, plain(row["kind"])))
                    if found is not None:
                        ways[row["seq"], row["ord"]] = found
    return [dict(row) | ({"data": data} if (data := _followed(row, ways)) is not None else {}) for row in rows]


def _followed(row: Mapping[str, Any], ways: Mapping[tuple[int, int], Mapping[str, Any]]) -> bytes | None:
    """What stands at the end of the way from an erased row, which may have been blacked out more than once."""
    here: Mapping[str, Any] | None = row
    while here is not None and here["data"] is None:
        here = ways.get((here["seq"], here["ord"]))
    return here["data"] if here is not None and here is not row else None


def _said(row: Mapping[str, Any]) -> Mapping[str, Any]:
    said: Mapping[str, Any] = json.loads(bytes(row["data"])) if row["data"] is not None else {}
    return said
