"""The drawing of a process: nothing is missing, nothing is crossed out by a line, and it can be read without eyes."""

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest

from states import catalogue
from states.kernel import Process
from states.terms import STAY
from workflow import diagram

PROCESSES = pytest.mark.parametrize("process", catalogue.all_versions().values(), ids=lambda process: process.key)
SVG = "{http://www.w3.org/2000/svg}"


def ways(process: Process) -> set[tuple[str, str]]:
    return {(s, row.dest) for row in process.table for s in row.source if row.dest not in (STAY, s)}


def drawn(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


@PROCESSES
def test_every_state_has_a_box_of_its_own(process: Process) -> None:
    boxes = diagram.plan(process).boxes
    assert list(boxes) == [state.name for state in process.states]
    for one, other in combinations(boxes.values(), 2):
        apart = (
            one.x + one.width < other.x
            or other.x + other.width < one.x
            or one.y + one.height < other.y
            or other.y + other.height < one.y
        )
        assert apart, (one.state.label, other.state.label)


@PROCESSES
def test_every_way_is_drawn_from_rim_to_rim(process: Process) -> None:
    plan = diagram.plan(process)
    assert set(plan.ways) == ways(process)
    for (source, dest), line in plan.ways.items():
        for name, (x, y) in ((source, line.points[0]), (dest, line.points[-1])):
            box = plan.boxes[name]
            assert x in (box.x, box.x + box.width) or y in (box.y, box.y + box.height), (source, dest)
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(line.points)), "only right angles"


@PROCESSES
def test_no_way_runs_through_a_box(process: Process) -> None:
    plan = diagram.plan(process)
    for way, line in plan.ways.items():
        for a, b in pairwise(line.points):
            left, right, top, bottom = min(a[0], b[0]), max(a[0], b[0]), min(a[1], b[1]), max(a[1], b[1])
            for name, box in plan.boxes.items():
                inside = left < box.x + box.width and right > box.x and top < box.y + box.height and bottom > box.y
                assert not inside, (way, name)


@PROCESSES
def test_ways_to_different_states_share_no_stretch(process: Process) -> None:
    def stretches(dest: str) -> set[tuple[int, int, str]]:
        found = set()
        for way, line in diagram.plan(process).ways.items():
            if way[1] == dest:
                for a, b in pairwise(line.points):
                    found |= {(x, a[1], "h") for x in range(min(a[0], b[0]), max(a[0], b[0]))}
                    found |= {(a[0], y, "v") for y in range(min(a[1], b[1]), max(a[1], b[1]))}
        return found

    for one, other in combinations([state.name for state in process.states], 2):
        assert not stretches(one) & stretches(other), (one, other)


@PROCESSES
def test_final_states_stand_in_a_lane_of_their_own(process: Process) -> None:
    plan = diagram.plan(process)
    ends = plan.lanes[-1]
    assert ends.holder == ""
    for state in process.states:
        assert (plan.boxes[state.name].y >= ends.y) == state.final


@PROCESSES
def test_the_map_marks_the_position_and_the_way_taken(process: Process) -> None:
    first = process.initial.name
    second = next(dest for source, dest in sorted(ways(process)) if source == first)
    root = drawn(str(diagram.svg(process, second, [first, second])))
    assert root.get("role") == "img"
    told = {root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")}
    assert f"{process.label}の業務フロー" in told
    assert any(process.state(second).label in (text or "") for text in told)
    nodes = {"".join(g.itertext()): g.get("class") for g in root.iter(f"{SVG}g")}
    assert [text.startswith("▶") for text, kind in nodes.items() if kind == "node node--now"] == [True]
    assert nodes[process.initial.label] == "node"
    assert len([p for p in root.findall(f"{SVG}path") if p.get("class") == "way"]) == 1
    assert len([p for p in root.findall(f"{SVG}path") if p.get("class") == "way way--next"]) == len(ways(process)) - 1


@PROCESSES
def test_the_map_has_no_style_and_escapes_what_it_says(process: Process) -> None:
    markup = str(diagram.svg(process, process.initial.name, [], {"municipality": "<b>"}))
    assert "style" not in markup
    assert "<b>" not in markup


@PROCESSES
def test_a_label_fits_into_its_box(process: Process) -> None:
    for box in diagram.plan(process).boxes.values():
        assert "".join(box.lines) == box.state.label
        assert all(len(line) <= diagram.LONGEST_LINE + 1 for line in box.lines)


@PROCESSES
def test_the_steps_are_done_up_to_here_and_open_after_it(process: Process) -> None:
    for state in process.states:
        kinds = [step.kind for step in diagram.step_bar(process, state.name)]
        assert kinds == sorted(kinds, key=["done", "now", "ended", "next", "off"].index)
        assert kinds.count("now") == (not state.final)
        assert ("off" in kinds) == ("ended" in kinds)
        assert ("next" in kinds) <= (not state.final)


@PROCESSES
def test_mermaid_names_every_state_and_every_action(process: Process) -> None:
    text = diagram.mermaid(process)
    assert text.startswith("stateDiagram-v2\n")
    for state in process.states:
        assert f'state "{state.label}" as {state.name}' in text
    for row in process.table:
        assert row.label in text
    arrows = set(re.findall(r"^    (\w+) --> (\w+):", text, re.MULTILINE))
    assert {(a, b) for a, b in arrows if a != b} == ways(process)
