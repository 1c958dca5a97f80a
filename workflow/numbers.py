"""Numbers without gaps: of cases, of incoming letters, of letters that go out; per organisation and fiscal year.

The read brings what each counter stands at, the write advances it by comparing and hangs the act on that.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from states.dates import fiscal_year_label
from states.places import Directory

FORMS = {"case": "{short}-{era}-{n:03d}", "receipt": "{short}収第{n}号", "letter": "{short}第{n}号"}


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


def draw(kinds: Sequence[str], row: Any, directory: Directory) -> Mapping[str, tuple[int, str]]:
    """For each kind what the counter stands at and the text of the next number."""
    office = directory.office(row.lead)
    short = short_name(office.name if office else row.lead)
    seen = row.counters or {}
    return {
        kind: (seen.get(kind, 0), FORMS[kind].format(short=short, era=era(row.fiscal_year), n=seen.get(kind, 0) + 1))
        for kind in kinds
    }
