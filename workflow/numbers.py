"""Numbers without gaps: of cases, of incoming letters, of letters that go out; per organisation and fiscal year.

The read brings what each counter stands at, the write advances it by comparing and hangs the act on that.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from states.dates import fiscal_year_label
from states.places import Directory

FORMS = {"case": "{short}-{era}-{n:03d}", "receipt": "{short}収第{n}号", "letter": "{short}第{n}号"}
MARKED = "{short}-{mark}-{era}-{n:03d}"


def short_name(name: str) -> str:
    """「上川総合振興局」 → 「上川」; what stands before the kind of office."""
    for kind in ("総合振興局", "振興局", "総合支庁"):
        if name.endswith(kind) and name != kind:
            return name.removesuffix(kind)
    return name


def era(fiscal_year: int) -> str:
    """2026 → 「R8」."""
    label = fiscal_year_label(fiscal_year).removesuffix("年度")
    return label.replace("令和", "R").replace("平成", "H").replace("元", "1")


class Drawn(NamedTuple):
    """The next number of a kind: its counter and what that stands at, and the text. Without a counter nothing is counted."""

    counter: str
    seen: int
    text: str


def draw(
    kinds: Sequence[str], case: Any, directory: Directory, *, mark: str = "", parent: Mapping[str, Any] | None = None
) -> Mapping[str, Drawn]:
    """For each kind the next number.

    `mark` stands in the numbers of cases of one process and gives them a counter of their own. A `branch` is the number of
    the parent with the place of the case among those under it, which nobody else can take.
    """
    office = directory.office(case.lead)
    short = short_name(office.name if office else case.lead)
    seen, found = case.counters or {}, {}
    for kind in kinds:
        if kind == "branch":
            found[kind] = Drawn("", 0, f"{parent['number']}-{parent['place']}" if parent and parent["number"] else "")
            continue
        counter, form = (f"case:{mark}", MARKED) if kind == "case" and mark else (kind, FORMS[kind])
        text = form.format(short=short, mark=mark, era=era(case.fiscal_year), n=seen.get(counter, 0) + 1)
        found[kind] = Drawn(counter, seen.get(counter, 0), text)
    return found
