"""How a dispatch is told on paper, by report and letter alike: labels, places as they were called, pieces of work, days."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby

from states.dates import HALVES, month_day
from states.dispatch.labels import CHOICES
from states.documents import Line, Matter, erased, rows, written
from states.places import Directory


def choice_of(line: Line | Matter, path: str) -> str:
    """The label of a chosen code; what is no code of ours stays as it stands."""
    code = line.text(path)
    return CHOICES[path].get(code, code)


def place_called(form: Mapping[str, object], directory: Directory, on: date, group: str) -> tuple[str, str]:
    """Code and name of a municipality as it was called on that day, else as it was written."""
    code, name = written(form, f"{group}.municipality_code"), written(form, f"{group}.municipality_name")
    known = directory.municipality(code, on)
    if known is None and not code.strip() and name.strip():
        called = directory.by_name(name, on)
        known = called[0] if len(called) == 1 else None
    return (known.code, known.name) if known else (code, name)


def body_of(line: Line | Matter) -> str:
    return (
        line.text("request.destination.organization_name")
        if line.text("request.destination.type") == "organization"
        else ""
    )


def tasks_of(line: Line | Matter) -> str:
    """The pieces of work, one a line; where there are several they are numbered."""
    texts = [text for task in rows(line.form, "request.tasks") if (text := str(task.get("text") or "").strip())]
    if gone := erased(line.form.get("request")):
        return gone
    return texts[0] if len(texts) == 1 else "\n".join(f"({number}) {text}" for number, text in enumerate(texts, 1))


def spans(days: Sequence[date], halves: Mapping[date, Sequence[int]] | None = None) -> str:
    """11月9日〜11日、12月3日午前: whole days in a row are joined, a half one stands alone."""
    halved = halves or {}
    runs = [
        [day for _, day in run]
        for _, run in groupby(
            enumerate(days), key=lambda pair: (pair[1].toordinal() - pair[0], pair[1] if pair[1] in halved else None)
        )
    ]
    told = []
    for run in runs:
        first, last = run[0], run[-1]
        end = "" if first == last else f"〜{last.day}日" if first.month == last.month else f"〜{month_day(last)}"
        told.append(month_day(first) + end + "".join(HALVES[half] for half in halved.get(first, ())))
    return "、".join(told)
