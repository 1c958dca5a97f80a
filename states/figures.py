"""The figures that a decision was shown with, in words: a label each, dates as dates, yes and no for what holds or not."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from states.dates import wareki


def told(
    labels: Mapping[str, tuple[str, str]], computed: Mapping[str, Any], under: str = ""
) -> Iterator[tuple[str, str]]:
    """Label and text of every figure that has a label, in their own order.

    `labels` holds label and unit by the figure's name; what stands in the rows of a list is named as in a form,
    `staff.#.days`, and each row becomes one line.
    """
    for name, value in computed.items():
        label, unit = labels.get(under + name, ("", ""))
        if not label:
            continue
        if isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
            for number, row in enumerate(value, start=1):
                yield (
                    f"{label} {number}",
                    " ・ ".join(f"{what} {text}" for what, text in told(labels, row, f"{name}.#.")),
                )
        else:
            yield label, _said(value, unit)


def _said(value: Any, unit: str) -> str:
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    if value is None or value in ("", []):
        return "なし"
    if isinstance(value, list):
        return "、".join(_said(one, unit) for one in value)
    try:
        return wareki(date.fromisoformat(value)) if isinstance(value, str) else f"{value}{unit}"
    except ValueError:
        return f"{value}{unit}"
