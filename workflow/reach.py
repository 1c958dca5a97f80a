"""How far a reader looks beside a case: what is kept inside the offices, and up to which event.

Files and remarks lie beside the form, so the process's `reads` alone does not guard them: who stands outside the offices
never has what is internal, whatever a process says, and an ended party has nothing newer than the event that ended it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from workflow.access import NARROW, OUTSIDE

SHARED, INTERNAL = "shared", "internal"
READERS = frozenset({"auditor", "records", "administrator", "personnel"})  # who adds nothing to a case


@dataclass(frozen=True, slots=True)
class Reach:
    """What one reader may see beside one case, and whether he may add to it."""

    remarks: bool  # internal remarks
    files: bool  # internal files
    until: int | None  # the last event that an ended party reads
    adds: bool
    hears: bool = True  # remarks that are shared

    @property
    def remark_scopes(self) -> tuple[str, ...]:
        """The scopes in which the reader may write remarks."""
        return _scopes(self.adds and self.hears, self.remarks)

    @property
    def file_scopes(self) -> tuple[str, ...]:
        """The scopes in which the reader may add files."""
        return _scopes(self.adds, self.files)


def _scopes(adds: bool, internal: bool) -> tuple[str, ...]:
    return () if not adds else (SHARED, INTERNAL) if internal else (SHARED,)


def reach(roles: frozenset[str], may_read: Callable[[str], bool], until: int | None = None) -> Reach:
    """How far a reader looks, by the roles that he has on the case and by what its process lets them read.

    `until` is the event that ended the part of his organisation: he adds nothing any more.
    """
    inside = bool(roles - OUTSIDE - NARROW)
    return Reach(
        remarks=inside,
        files=inside and may_read(f"{INTERNAL}:file:"),
        until=until,
        adds=bool(roles - READERS) and until is None,
        hears=not roles or bool(roles - NARROW),
    )
