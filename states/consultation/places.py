"""Which municipality a name means: variants, readings, former towns, wards; where it may be two, it is asked and never guessed."""

import re
from dataclasses import dataclass
from datetime import date

from states.places import Directory, Municipality, code_problem
from states.text import narrow, search_key

_WARD = re.compile(r"^(.+?市)(.+区)$")
NORTHERN = "北方領土の村で、市町村の台帳に載せていません。派遣先や相手方には選べません。"


@dataclass(frozen=True, slots=True)
class Found:
    """The municipality, where it is plain; else why not, and who it may be. `note` keeps what was said where it is called otherwise."""

    municipality: Municipality | None = None
    note: str = ""
    problem: str = ""
    candidates: tuple[Municipality, ...] = ()
    of_code: bool = False  # what is wrong is the code


def found(directory: Directory, on: date, name: str, code: str = "", office: str = "") -> Found:
    """The municipality of a spoken or written name on a day; the office's own comes first, a code decides between two."""
    name, code = name.strip(), narrow(code)
    named = _by_name(directory, on, name, office)
    if code:
        return _with_code(directory, on, name, code, named)
    if not named:
        villages = {search_key(village) for village in directory.excluded.values()}
        if search_key(name) in villages:
            return Found(problem=f"「{name}」は{NORTHERN}")
        return Found(problem=f"「{name}」という市町村は台帳に見つかりません。名前を確かめてください。" if name else "")
    if len(named) > 1 or _also_outside(
        directory, named[0][0].name if search_key(name) == search_key(named[0][0].name) else ""
    ):
        return Found(
            problem=f"「{name}」は一つに決まりません({told(directory, [m for m, _ in named], on)})。どれかを相手に確かめ、市町村コードも書いてください。",
            candidates=tuple(m for m, _ in named),
        )
    return Found(named[0][0], named[0][1])


def told(directory: Directory, places: list[Municipality] | tuple[Municipality, ...], on: date) -> str:
    """Candidates with the office each belongs to; a village of the same name outside the register is said, too."""
    shown = []
    for place in places:
        office = directory.office_of(place.code, on)
        shown.append(f"{place.name} {place.code} {office.name if office else ''}".strip())
        shown += [f"{village} {code} 台帳の外" for code, village in directory.excluded.items() if village == place.name]
    return "、".join(shown)


def _also_outside(directory: Directory, name: str) -> bool:
    return bool(name) and name in directory.excluded.values()


def _by_name(directory: Directory, on: date, name: str, office: str) -> list[tuple[Municipality, str]]:
    """Who may be meant, each with the note that keeps the words; a full name that is one before a reading that is two."""
    if not name:
        return []
    known = directory.office(office)
    prefecture = known.prefecture_code if known else ""
    exact = [*directory.by_name(name, on, prefecture)]
    if exact:
        return [(m, "") for m in exact]
    if ward := _WARD.match(narrow(name)):
        return [(m, name) for m in directory.by_name(ward[1], on, prefecture)]
    for former in directory.former_by_name(name, on):
        if prefecture in ("", former.prefecture_code) and (now := directory.successor(former.code, on)):
            return [(now, name)]
    spoken = _spoken(name)
    return [
        (m, name)
        for m in directory.municipalities
        if m.in_force(on) and prefecture in ("", m.prefecture_code) and spoken and _spoken(m.kana) == spoken
    ]


def _spoken(name: str) -> str:
    """A reading without what kind of municipality it is: しべつ for しべつし and しべつちょう."""
    key = search_key(name)
    if not re.fullmatch("[ぁ-ゖァ-ヺー]+", key):
        return ""
    for kind in ("チョウ", "マチ", "ムラ", "ソン", "シ", "ちょう", "まち", "むら", "そん", "し"):
        if key.endswith(search_key(kind)) and len(key) > len(kind) + 1:
            return key.removesuffix(search_key(kind))
    return key


def _with_code(directory: Directory, on: date, name: str, code: str, named: list[tuple[Municipality, str]]) -> Found:
    right = f"「{name}」のコードは {named[0][0].code} です。" if len(named) == 1 else ""
    if code in directory.excluded:
        return Found(problem=f"「{directory.excluded[code]}」({code})は{NORTHERN}", of_code=True)
    ward = _WARD.match(narrow(name))
    if wrong := code_problem(code):
        return Found(problem=f"{wrong}{right}", candidates=tuple(m for m, _ in named), of_code=True)
    place = directory.municipality(code, on)
    if place is None and (now := directory.successor(code, on)):
        return Found(now, name if not directory.same_name(name, now) else code)
    if place is None and ward and len(named) == 1:
        return Found(named[0][0], name)
    if place is None:
        return Found(problem=f"市町村コード「{code}」は、その日の台帳にありません。{right}", of_code=True)
    if name and all(m.code != place.code for m, _ in named):
        return Found(
            problem=f"市町村コード {code} は{place.name}ですが、名前は「{name}」です。どちらが正しいか確かめてください。",
            candidates=(place, *(m for m, _ in named)),
        )
    return Found(place, {m.code: note for m, note in named}.get(place.code, ""))
