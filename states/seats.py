"""Posts and who sits on them on a day: holders, absences, deputies in their order, the superior. Pure facts for a route."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from states.authority import OWN_SECTION, Address

MAIN, CONCURRENT, JOINT, CHARGE, ACTING = "main", "concurrent", "joint", "charge", "acting"
TENURES = {MAIN: "本務", CONCURRENT: "兼務", JOINT: "併任", CHARGE: "事務取扱", ACTING: "職務代理"}
STAND_INS = frozenset({CHARGE, ACTING})  # who holds a vacant post for its own time
ABSENCES = {"trip": "出張", "leave": "休暇", "illness": "病気", "other": "不在"}


@dataclass(frozen=True)
class Holder:
    """A person who holds a post today: by which tenure, and why absent, if so."""

    person: int
    name: str
    tenure: str = MAIN
    absent: str = ""  # ground of an absence


@dataclass(frozen=True)
class Seat:
    """A post as it is today."""

    post: int
    org: str
    org_name: str
    section: str
    title: str
    superior: int | None = None
    holders: tuple[Holder, ...] = ()
    deputies: tuple[int, ...] = ()  # posts, in their order

    @property
    def called(self) -> str:
        """Section and title."""
        return " ".join(filter(None, (self.section, self.title)))

    @property
    def sole(self) -> int | None:
        """The one person who holds it."""
        return self.holders[0].person if len(self.holders) == 1 else None

    @property
    def away(self) -> bool:
        """Whether everybody who holds it is absent; a vacant post is not absence."""
        return bool(self.holders) and all(holder.absent for holder in self.holders)


@dataclass(frozen=True)
class Seats:
    """The posts that a route may name, by id."""

    by_post: Mapping[int, Seat] = field(default_factory=dict)

    def get(self, post: int | None) -> Seat | None:
        return None if post is None else self.by_post.get(post)

    def at(self, address: Address, lead: str, section: str) -> Seat | None:
        """The post at an address; `section` is the drafter's. Of several the first by id, one of that very section before."""
        org, wanted = address.org or lead, section if address.section == OWN_SECTION else address.section
        found = [seat for seat in self.by_post.values() if seat.org == org and seat.title == address.title]
        found = [seat for seat in found if seat.section == wanted] if wanted else found
        return min(found, key=lambda seat: seat.post, default=None)

    def held_by(self, person: int) -> list[Seat]:
        return [seat for seat in self.by_post.values() if any(h.person == person for h in seat.holders)]

    def deputy(self, seat: Seat, person: int, barred: Iterable[int]) -> tuple[Seat | None, str]:
        """The post from which this person may act for the absent one, or why not; no deputy's deputy ever does.

        Absence is asked first: a vacant post has nobody to be absent, and its stand-in has no deputy.
        """
        if not seat.holders:
            return None, f"「{seat.called}」は空いています。代決ではなく、職務代理か事務取扱の発令が要ります。"
        if any(holder.tenure in STAND_INS for holder in seat.holders):
            return None, f"「{seat.called}」は職務代理・事務取扱の人が務めているので、さらに代わることはできません。"
        if not seat.away:
            return None, f"「{seat.called}」は不在ではないので、代わることはできません。"
        refused = set(barred)
        for post in seat.deputies:
            deputy = self.get(post)
            able = (
                [h for h in deputy.holders if h.tenure not in STAND_INS and not h.absent and h.person not in refused]
                if deputy
                else []
            )
            if deputy and any(h.person == person for h in able):
                return deputy, ""
            if deputy and able:
                return None, f"代わる順序が先の「{deputy.called}」がいるので、代わることはできません。"
        return None, f"「{seat.called}」の代わりを務める順序に、いまのあなたの職はありません。"


def seats_of(rows: Iterable[Iterable[Any]]) -> Seats:
    """Seats from rows: post, org, org name, section, title, superior, holders (person, name, tenure, absence), deputies."""
    found = {}
    for post, org, org_name, section, title, superior, holders, deputies in rows:
        people = tuple(Holder(person, name, tenure, absent or "") for person, name, tenure, absent in holders or ())
        found[post] = Seat(post, org, org_name, section, title, superior, people, tuple(deputies or ()))
    return Seats(found)
