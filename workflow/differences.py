"""What differs between two versions of a form, field by field, in the words of the process."""

from collections.abc import Collection, Mapping
from typing import Any

from states.kernel import RESERVED
from workflow import merging
from workflow.called import Teller
from workflow.merging import Side

Line = tuple[str, str, str]  # what it is called, before, after


def between(
    told: Teller, before: Mapping[str, Any], after: Mapping[str, Any], groups: Collection[str] | None = None
) -> list[Line]:
    """Every field that is not the same, of these groups or of all, in the order of the form; the route is no field."""
    one, other = (_of(form, groups) for form in (before, after))
    paths = [path for path, side in merging.compared(other, one, None).items() if side is not Side.NOBODY]
    paths += [path for path, side in merging.compared(one, other, None).items() if side is not Side.NOBODY]
    lines = []
    for path in dict.fromkeys(paths):
        old, new = merging.value_at(one, path), merging.value_at(other, path)
        label, text = told(path, old)
        called, now = told(path, new)
        if text != now:
            lines.append((called or label, text, now))
    return lines


def _of(form: Mapping[str, Any], groups: Collection[str] | None) -> dict[str, Any]:
    """The parts of a form that are compared; what was erased says nothing any more."""
    return {
        group: part for group, part in form.items()
        if group not in RESERVED and set(part) != {"erased"} and (groups is None or group.partition(":")[0] in groups)
    }  # fmt: skip
