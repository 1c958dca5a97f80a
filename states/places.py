"""The directory of bureaus and municipalities, with dates: who had which code, name and bureau on a given day.

Facts come from the tables in `states/data`; blank `valid_from` means since before 1970, blank `valid_to` means still.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path

from states.text import narrow, search_key

_TABLES = Path(__file__).with_name("data")
_WEIGHTS = (6, 5, 4, 3, 2)


@dataclass(frozen=True, slots=True)
class Office:
    """A bureau of a prefecture (振興局, 総合支庁)."""

    code: str
    prefecture_code: str
    prefecture: str
    sort: int
    name: str
    kana: str
    kind: str
    location: str
    region: str
    predecessor: str
    valid_from: date | None
    valid_to: date | None

    def in_force(self, on: date) -> bool:
        return _within(self.valid_from, self.valid_to, on)


@dataclass(frozen=True, slots=True)
class Municipality:
    """A city, town or village under one code and name; a former one names its successor and what happened."""

    code: str
    prefecture_code: str
    prefecture: str
    office_code: str
    name: str
    kana: str
    kind: str
    county: str
    valid_from: date | None
    valid_to: date | None
    successor_code: str = ""
    event: str = ""

    def in_force(self, on: date) -> bool:
        return _within(self.valid_from, self.valid_to, on)


def check_digit(five: str) -> str:
    """The sixth digit of a local public body code: weights 6, 5, 4, 3, 2 and modulus 11 (総務省 全国地方公共団体コード)."""
    total = sum(int(digit) * weight for digit, weight in zip(five, _WEIGHTS, strict=True))
    return str(11 - total % 11 if total >= 11 else 11 - total)[-1]


@lru_cache(maxsize=4096)
def code_problem(code: str) -> str:
    """Why a municipal code cannot be one, or nothing; full-width digits are read."""
    plain = narrow(code)
    if not (len(plain) == 6 and plain.isascii() and plain.isdigit()):
        return f"市町村コード「{plain}」は6けたの数字ではありません。検査数字を含む6けたで書いてください。"
    if plain[5] != check_digit(plain[:5]):
        return f"市町村コード「{plain}」は検査数字が合いません。打ち間違いがないか確かめてください。"
    return ""


@dataclass(frozen=True)
class Directory:
    """Every bureau and municipality of the tables, looked up by code or name on a date."""

    offices: tuple[Office, ...]
    municipalities: tuple[Municipality, ...]
    excluded: Mapping[str, str]  # code -> name of villages that are never a destination

    @classmethod
    def from_csv(cls) -> "Directory":
        """The directory of the tables shipped with the program; read once."""
        return _shipped()

    def office(self, code: str, on: date | None = None) -> Office | None:
        """The bureau with that code, in force on the day if one is given."""
        found = self._offices.get(code)
        return found if found and (on is None or found.in_force(on)) else None

    def municipality(self, code: str, on: date) -> Municipality | None:
        """The municipality that has this code on that day; full-width digits are read, a bad check digit finds nothing."""
        if code_problem(code):
            return None
        return next((m for m in self._by_code.get(narrow(code), ()) if m.in_force(on)), None)

    def former(self, code: str, on: date) -> Municipality | None:
        """The last municipality that had this code and ended before that day."""
        ended = [m for m in self._by_code.get(narrow(code), ()) if m.valid_to and m.valid_to < on]
        return max(ended, key=lambda m: m.valid_to or date.min, default=None)

    def successor(self, code: str, on: date) -> Municipality | None:
        """Who has taken the place of an obsolete code by that day, through any number of mergers."""
        ended = self.former(code, on)
        for _ in range(len(self.municipalities)):
            if ended is None:
                return None
            current = self.municipality(ended.successor_code, on)
            if current:
                return current
            ended = self.former(ended.successor_code, on)
        return None

    def by_name(self, name: str, on: date, prefecture_code: str = "") -> tuple[Municipality, ...]:
        """Municipalities so called on that day; county or prefecture may stand before the name, kana may stand for it.

        Width, half-width kana and compatibility ideographs do not matter. The result is in order of code.
        """
        found = self._by_name.get(search_key(name), ())
        return tuple(m for m in found if m.in_force(on) and prefecture_code in ("", m.prefecture_code))

    def former_by_name(self, name: str, on: date) -> tuple[Municipality, ...]:
        """Municipalities so called that ended before that day, the latest first."""
        ended = [m for m in self._by_name.get(search_key(name), ()) if m.valid_to and m.valid_to < on]
        return tuple(sorted(ended, key=lambda m: m.valid_to or date.min, reverse=True))

    def same_name(self, written: str, municipality: Municipality) -> bool:
        """Whether a written name means this municipality, leaving width and forms of characters aside."""
        return search_key(written) in _keys(municipality)

    def office_of(self, code: str, on: date) -> Office | None:
        """The bureau in whose area the municipality lies on that day."""
        found = self.municipality(code, on)
        return self.office(found.office_code, on) if found else None

    def of_office(self, office_code: str, on: date) -> tuple[Municipality, ...]:
        """The municipalities of a bureau's area on that day, in order of code (建制順)."""
        return tuple(m for m in self.municipalities if m.office_code == office_code and m.in_force(on))

    def of_prefecture(self, prefecture_code: str, on: date) -> tuple[Municipality, ...]:
        """The municipalities of a prefecture on that day, in order of code (建制順)."""
        return tuple(m for m in self.municipalities if m.prefecture_code == prefecture_code and m.in_force(on))

    @cached_property
    def _offices(self) -> dict[str, Office]:
        return {office.code: office for office in self.offices}

    @cached_property
    def _by_code(self) -> dict[str, list[Municipality]]:
        return _grouped((m.code, m) for m in self.municipalities)

    @cached_property
    def _by_name(self) -> dict[str, list[Municipality]]:
        return _grouped((key, m) for m in self.municipalities for key in _keys(m))


@lru_cache(maxsize=4096)
def _keys(m: Municipality) -> frozenset[str]:
    """Every way to write the name: alone, after the county, after the prefecture, in kana."""
    county = m.county + m.name
    return frozenset(search_key(key) for key in (m.name, county, m.prefecture + m.name, m.prefecture + county, m.kana))


def _grouped(pairs: Iterable[tuple[str, Municipality]]) -> dict[str, list[Municipality]]:
    groups: dict[str, list[Municipality]] = {}
    for key, municipality in pairs:
        groups.setdefault(key, []).append(municipality)
    return groups


def _within(first: date | None, last: date | None, on: date) -> bool:
    return (first is None or first <= on) and (last is None or on <= last)


@lru_cache(maxsize=1)
def _shipped() -> Directory:
    offices = tuple(
        Office(
            row["office_code"], row["prefecture_code"], row["prefecture"], int(row["sort_order"]), row["name"], row["kana"],
            row["kind"], row["location"], row["region"], row["predecessor"], _day(row["valid_from"]), _day(row["valid_to"]),
        )
        for row in _rows("offices.csv")
    )  # fmt: skip
    places = [
        _municipality(row) for table in ("municipalities.csv", "municipalities_history.csv") for row in _rows(table)
    ]
    places.sort(key=lambda m: (m.code, m.valid_to or date.max))
    excluded = {row["code"]: row["name"] for row in _rows("municipalities_excluded.csv")}
    return Directory(offices, tuple(places), excluded)


def _municipality(row: Mapping[str, str]) -> Municipality:
    return Municipality(
        row["code"], row["prefecture_code"], row["prefecture"], row["office_code"], row["name"], row["kana"], row["kind"],
        row.get("county", ""), _day(row["valid_from"]), _day(row["valid_to"]), row.get("successor_code", ""), row.get("event", ""),
    )  # fmt: skip


def _rows(table: str) -> Iterator[dict[str, str]]:
    with _TABLES.joinpath(table).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _day(written: str) -> date | None:
    return date.fromisoformat(written) if written else None
