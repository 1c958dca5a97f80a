"""Figures of a decision in words: every figure that a process counts has a label, and no key is ever shown."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from states import catalogue, figures
from tests.states.dispatch.test_records import ANSWERS

LABELS = {
    "days": ("期間", "日間"), "last": ("最後の日", ""), "fits": ("収まるか", ""), "off": ("休日", ""), "years": ("年度", "年度"),
    "staff": ("職員", ""), "staff.#.role": ("職", ""), "staff.#.late": ("遅れたか", ""),
}  # fmt: skip


def test_each_kind_of_value_is_told_as_people_write_it() -> None:
    computed = {
        "days": 9, "last": "2026-11-08", "fits": True, "off": ["2026-10-12", "2026-11-03"], "years": [2026, 2027], "unknown": 1,
        "staff": [{"role": "主査", "late": False, "unknown": 1}, {"role": "", "late": True}],
    }  # fmt: skip
    assert list(figures.told(LABELS, computed)) == [
        ("期間", "9日間"), ("最後の日", "令和8年11月8日"), ("収まるか", "はい"), ("休日", "令和8年10月12日、令和8年11月3日"), ("年度", "2026年度、2027年度"),
        ("職員 1", "職 主査 ・ 遅れたか いいえ"), ("職員 2", "職 なし ・ 遅れたか はい"),
    ]  # fmt: skip
    assert list(figures.told(LABELS, {"off": [], "staff": [], "last": "まだ"})) == [("休日", "なし"), ("職員", "なし"), ("最後の日", "まだ")]  # fmt: skip


def keys(computed: Mapping[str, Any], under: str = "") -> Iterator[str]:
    for name, value in computed.items():
        yield under + name
        for row in value if isinstance(value, list) else ():
            if isinstance(row, Mapping):
                yield from keys(row, f"{name}.#.")


@pytest.mark.parametrize("record", ANSWERS)
def test_every_figure_that_a_dispatch_counts_has_a_label(record: str) -> None:
    computed = ANSWERS[record]["computed"] or {}
    labels = catalogue.newest()["dispatch"].wording.figures
    assert {name for name in keys(computed) if name not in labels} == set()
    assert len(list(figures.told(labels, computed))) == sum(len(v) if k == "staff" and v else 1 for k, v in computed.items())  # fmt: skip


def test_a_process_that_counts_names_what_it_counts() -> None:
    for process in catalogue.newest().values():
        assert bool(process.computed) == bool(process.wording.figures), process.key
