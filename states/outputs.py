"""What a process tells beyond its own cases: what of them everybody may read once it is published, and its months in figures.

Both are declarations; the pages and files that are made of them know no process.
"""

from dataclasses import dataclass

PLACES = ("head", "text", "until", "on", "kind", "wrong")  # of a `Published` that are places of the form


@dataclass(frozen=True)
class Published:
    """What of a case every office and municipality may read while it stands in one of `states`, whoever its parties are.

    `head` and `text` are the places of its question and answer, `until` that of the last day on which it is true; in a state
    of `stale`, or after that day, it is true no more. `kind` is the choice that tells such cases apart, `told` are places
    that are shown besides, `wrong` says what was corrected, `on` when it was published. It is offered beside the forms of
    the processes in `beside`.
    """

    label: str
    states: frozenset[str]
    head: str
    text: str
    until: str
    on: str
    kind: str = ""
    wrong: str = ""
    told: tuple[str, ...] = ()
    stale: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()

    @property
    def groups(self) -> frozenset[str]:
        """The field groups that are given out."""
        places = (*(getattr(self, place) for place in PLACES), *self.told)
        return frozenset(place.partition(".")[0] for place in places if place)


@dataclass(frozen=True)
class Split:
    """A choice of the form by which the cases of a month are counted apart."""

    key: str
    label: str
    place: str
    choices: tuple[tuple[str, str], ...]
    none: str = "まだ決まっていない"


@dataclass(frozen=True)
class Monthly:
    """A process in figures, month by month (月次処理状況), and the list of what is not settled.

    A case belongs to the month of the day at `came`. It is settled on the day on which it comes to a state of `answered`, and
    has ended without one in a state of `void`; in every other it is open. `shows` are the places whose values stand in
    the list of the open ones.
    """

    label: str
    came: str
    answered: frozenset[str]
    void: frozenset[str]
    splits: tuple[Split, ...]
    shows: tuple[str, ...] = ()
