"""A dispatch that begins from a voice: the draft of the director's own initiative, with what the other case knows already (要領2(3))."""

from typing import Any

from states.dispatch.parts import Request
from states.terms import Facts

LONGEST_TITLE = 60  # characters


def draft(facts: Facts, ground: str, *, title: str, purpose: str, place: str, source: str = "") -> dict[str, Any]:
    """The form of a dispatch that came of the case of these facts, on one of the director's grounds.

    `place` is the code of the municipality, `source` says in words which voice it was; without it the other case's
    number says so. Days, team and the director's instruction are for people to write.
    """
    request = Request().model_dump(by_alias=True)
    town = facts.directory.municipality(place, facts.today) if place else None
    line = " ".join(title.split())
    request |= {
        "origin": "director", "office_code": str(facts.registers.get("lead") or ""), "ground": ground,
        "title": line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1] + "…", "purpose": purpose,
        "source": source or facts.number or "",
    }  # fmt: skip
    request["destination"] |= {"municipality_code": place, "municipality_name": town.name if town else ""}
    return {"request": request}
