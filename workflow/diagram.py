"""Every process can be drawn: a swim-lane map for pages, the step bar, and Mermaid text for the documents.

The map is laid out once for each version of a process. A lane is a holder, a column a distance from the beginning.
Ways run on a lattice of tracks between the boxes: they never touch a box that is not theirs, ways to different states
never share a track, and ways to one state join on theirs.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from markupsafe import Markup, escape

from states.kernel import STAY, Process, State

Point = tuple[int, int]  # pixels on the map, or indices on the lattice
Way = tuple[str, str]  # names of the states at its two ends
_Step = tuple[Point, int]  # a point of the lattice and the direction in which it was reached

HOLDERS = {
    "municipality": "市町村",
    "bureau": "振興局",
    "director": "局長",
    "headquarters": "本庁",
    "staff": "派遣職員",
    "clock": "日付",
}
ENDS = "終わり"  # lane of the states that nobody holds

NAMES_WIDTH, WIDTH = 84, 1200
BOX_WIDTH, BOX_HEIGHT, LINE = 92, 30, 18
PITCH, MARGIN, LANE_GAP = 8, 9, 4
TRACKS = 3  # ways side by side above and below the boxes of a lane
LONGEST_LINE = 6  # characters that fit into a box

STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # right, down, left, up; the number is the direction
BEND, CROSSING, JOINED = 14.0, 30.0, 0.2


@dataclass(frozen=True)
class Box:
    """One state on the map, pixels."""

    state: State
    x: int
    y: int
    width: int
    height: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Lane:
    """The strip of one holder, pixels."""

    holder: str
    y: int
    height: int


@dataclass(frozen=True)
class Line:
    """The corners of a way, pixels; `own` ends where it joins another way to the same state."""

    points: tuple[Point, ...]
    own: tuple[Point, ...]


@dataclass(frozen=True)
class Plan:
    """The map of a process without anybody's position on it."""

    width: int
    height: int
    lanes: tuple[Lane, ...]
    boxes: Mapping[str, Box]
    ways: Mapping[Way, Line]


def svg(process: Process, current: str, path: Sequence[str], holders: Mapping[str, str] = HOLDERS) -> Markup:
    """The map with the current state marked, the path taken solid and the rest dashed; no style attributes.

    `path` names the states in the order in which the case was in them.
    """
    drawing = plan(process)
    seen, taken = {*path, current}, set(pairwise(path))
    parts = [Markup('<title id="map-title">{}の業務フロー</title>').format(process.label)]
    parts.append(Markup('<desc id="map-words">{}</desc>').format(words(process, current, path, holders)))
    parts.append(Markup(_ARROWS))
    here = _lane_key(process.state(current)) if current else None
    for lane in drawing.lanes:
        kind = "lane lane--now" if lane.holder == here else "lane"
        size = f'y="{lane.y}" width="{drawing.width}" height="{lane.height}"'
        parts.append(Markup(f'<rect class="{kind}" x="0" {size}/>'))
        name = holders.get(lane.holder, lane.holder) if lane.holder else ENDS
        parts.append(Markup('<text class="lane-name" x="10" y="{}">{}</text>').format(lane.y + lane.height // 2 + 5, name))
    for way, line in drawing.ways.items():
        if way not in taken:
            # Two dashed lines on one track would look like a solid one: the second is drawn up to where it joins.
            mark = Markup(' marker-end="url(#map-next)"') if line.own == line.points else ""
            parts.append(Markup('<path class="way way--next"{} d="{}"/>').format(mark, _data(line.own)))
    for way in drawing.ways.keys() & taken:
        parts.append(Markup('<path class="way" marker-end="url(#map-taken)" d="{}"/>').format(_data(drawing.ways[way].points)))
    for name, box in drawing.boxes.items():
        kind = "node node--now" if name == current else "node" if name in seen else "node node--next"
        parts.append(_box(box, kind, name == current))
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-labelledby="map-title map-words">{}</svg>').format(
        drawing.width, drawing.height, Markup("").join(parts)
    )


def words(process: Process, current: str, path: Sequence[str], holders: Mapping[str, str] = HOLDERS) -> str:
    """What the map shows, in sentences: where the case is, the way it took, where it can go from here."""
    if not current:
        return "、".join(state.label for state in process.states) + "の間を進みます。"
    state = process.state(current)
    holder = holders.get(state.holder, state.holder)
    told = [f"いまの状態は「{state.label}」{f'で、手番は{holder}です' if holder and not state.final else 'です'}。"]
    if len(path) > 1:
        told.append(f"通った道は、{' → '.join(process.state(name).label for name in path)}。")
    following = list(dict.fromkeys(process.state(dest).label for source, dest in _ways(process) if source == current))
    if following:
        told.append(f"ここから進む先は、{'、'.join(following)}。")
    return "".join(told)


@dataclass(frozen=True)
class PublicStep:
    """One of the steps that everybody sees; `kind` is done, now, next, or off where the case ended before it."""

    word: str
    kind: str
    note: str = ""


def step_bar(process: Process, current: str, notes: Mapping[str, str] | None = None) -> tuple[PublicStep, ...]:
    """The public steps in the order of the process; `notes` gives a line for a step, by its word."""
    steps = list(dict.fromkeys(s.step for s in process.states if s.step))
    state = process.state(current)
    here = steps.index(state.step) if state.step in steps else len(steps)
    given = notes or {}

    def kind(index: int) -> str:
        if index < here:
            return "done"
        if index == here:
            return "done" if state.final and here == len(steps) - 1 else "now"
        return "off" if state.final else "next"

    return tuple(PublicStep(word, kind(index), given.get(word, "")) for index, word in enumerate(steps))


def mermaid(process: Process) -> str:
    """A stateDiagram-v2 of the whole table, one arrow for each pair of states with the labels of its actions."""
    lines = ["stateDiagram-v2", "    direction LR"]
    lines += [f'    state "{state.label}" as {state.name}' for state in process.states]
    lines.append(f"    [*] --> {process.initial.name}")
    labels: dict[Way, list[str]] = {}
    for row in process.table:
        for source in row.source:
            labels.setdefault((source, source if row.dest == STAY else row.dest), []).append(row.label)
    for (source, dest), found in labels.items():
        lines.append(f"    {source} --> {dest}: {' / '.join(dict.fromkeys(found))}")
    lines += [f"    {state.name} --> [*]" for state in process.states if state.final]
    return "\n".join(lines) + "\n"


# --- layout ----------------------------------------------------------------------------------------------------------


def plan(process: Process) -> Plan:
    """Lanes, boxes and ways of a process; the same for every case of it."""
    return _plan(process.states, _ways(process))


@lru_cache(maxsize=32)
def _plan(states: tuple[State, ...], ways: tuple[Way, ...]) -> Plan:
    labels = {state.name: _lines(state.label) for state in states}
    places = _places(states, ways)
    columns = max(column for _, column in places.values()) + 1
    rows: list[tuple[str, int]] = sorted({row for row, _ in places.values()}, key=lambda row: (_lane_order(row[0]), row[1]))
    pitch = max((WIDTH - NAMES_WIDTH) // columns, BOX_WIDTH + 2 * MARGIN + 2 * PITCH)
    tall = {row: max(len(labels[n]) for n, (r, _) in places.items() if r == row) for row in rows}
    named = {state.name: state for state in states}
    boxes: dict[str, Box] = {}
    lanes: list[Lane] = []
    y = 0
    for row in rows:
        box_height = BOX_HEIGHT + LINE * (tall[row] - 1)
        height = box_height + 2 * MARGIN + (TRACKS - 1) * PITCH
        for name, (place, column) in places.items():
            if place == row:
                x = NAMES_WIDTH + column * pitch + (pitch - BOX_WIDTH) // 2
                boxes[name] = Box(named[name], x, y + (height - box_height) // 2, BOX_WIDTH, box_height, labels[name])
        if lanes and lanes[-1].holder == row[0]:
            lanes[-1] = Lane(row[0], lanes[-1].y, lanes[-1].height + height)
        else:
            lanes.append(Lane(row[0], y, height))
        y += height + LANE_GAP
    width = max(WIDTH, NAMES_WIDTH + columns * pitch)
    ordered = {name: boxes[name] for name in named}
    return Plan(width, y - LANE_GAP, tuple(lanes), ordered, _route(ways, ordered, width, y - LANE_GAP))


def _ways(process: Process) -> tuple[Way, ...]:
    """Every pair of different states that some action joins, in the order of the table."""
    pairs = ((source, row.dest) for row in process.table for source in row.source if row.dest != STAY)
    return tuple(dict.fromkeys((source, dest) for source, dest in pairs if source != dest))


def _lane_key(state: State) -> str:
    return "" if state.final else state.holder


def _lane_order(holder: str) -> int:
    known = list(HOLDERS)
    return known.index(holder) if holder in known else len(known) + (holder == "")


def _places(states: Sequence[State], ways: Sequence[Way]) -> dict[str, tuple[tuple[str, int], int]]:
    """Lane, row within the lane and column of each state.

    A column is the longest way from the beginning along the order in which the process declares its states. Two states
    of one cell stand beside each other where the next columns are free, else in a second row.
    """
    order = {state.name: n for n, state in enumerate(states)}
    rank = dict.fromkeys(order, 0)
    for state in states:
        for source, dest in ways:
            if dest == state.name and order[source] < order[dest]:
                rank[dest] = max(rank[dest], rank[source] + 1)
    last = max(rank.values())
    taken: set[tuple[tuple[str, int], int]] = set()
    places: dict[str, tuple[tuple[str, int], int]] = {}
    for state in sorted(states, key=lambda s: (rank[s.name], order[s.name])):
        lane, wanted = _lane_key(state), rank[state.name]
        reach = last if state.final else wanted
        cells = ((row, column) for row in range(len(order)) for column in range(wanted, reach + 1))
        places[state.name] = next(((lane, row), column) for row, column in cells if ((lane, row), column) not in taken)
        taken.add(places[state.name])
    return places


def _lines(label: str) -> tuple[str, ...]:
    if len(label) <= LONGEST_LINE:
        return (label,)
    half = (len(label) + 1) // 2
    return (label[:half], label[half:])


# --- ways ------------------------------------------------------------------------------------------------------------


@dataclass
class _Lattice:
    """Coordinates of the tracks, points that boxes cover, and the ways that already run, by point and axis."""

    xs: list[int]
    ys: list[int]
    covered: dict[Point, str] = field(default_factory=dict)
    running: dict[tuple[Point, int], str] = field(default_factory=dict)

    def free(self, point: Point, axis: int, dest: str) -> bool:
        return self.running.get((point, axis), dest) == dest

    def ports(self, box: Box) -> Iterator[tuple[Point, int]]:
        """Points on the rim of a box with the direction that leads away from it; corners excluded."""
        left, right = self.xs.index(box.x), self.xs.index(box.x + box.width)
        top, bottom = self.ys.index(box.y), self.ys.index(box.y + box.height)
        for j in range(top + 1, bottom):
            yield (right, j), 0
            yield (left, j), 2
        for i in range(left + 1, right):
            yield (i, bottom), 1
            yield (i, top), 3


def _route(ways: Sequence[Way], boxes: Mapping[str, Box], width: int, height: int) -> dict[Way, Line]:
    """A line for every way: short ones choose first, ends come last because they join."""
    lattice = _lattice(boxes, width, height)

    def length(way: Way) -> tuple[bool, int]:
        a, b = boxes[way[0]], boxes[way[1]]
        return b.state.final, abs(a.x - b.x) + 2 * abs(a.y - b.y)

    return {way: _find(lattice, boxes[way[0]], boxes[way[1]]) for way in sorted(ways, key=length)}


def _lattice(boxes: Mapping[str, Box], width: int, height: int) -> _Lattice:
    xs: set[int] = set()
    ys: set[int] = set()
    for box in boxes.values():
        middle, centre = box.x + box.width // 2, box.y + box.height // 2
        xs |= {box.x, middle - 26, middle, middle + 26, box.x + box.width}
        ys |= {box.y, centre - 8, centre, centre + 8, box.y + box.height}
    for left, right in _gaps({(b.x, b.x + b.width) for b in boxes.values()}, NAMES_WIDTH, width):
        xs |= set(range(left + MARGIN, right - MARGIN + 1, PITCH))
    for top, bottom in _gaps({(b.y, b.y + b.height) for b in boxes.values()}, 0, height):
        ys |= set(range(top + MARGIN, bottom - MARGIN + 1, PITCH))
    lattice = _Lattice(sorted(xs), sorted(ys))
    for name, box in boxes.items():
        for i, x in enumerate(lattice.xs):
            for j, y in enumerate(lattice.ys):
                if box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height:
                    lattice.covered[i, j] = name
    return lattice


def _gaps(spans: set[tuple[int, int]], first: int, last: int) -> Iterator[Point]:
    """The stretches between spans that do not overlap each other, from first to last."""
    for begin, end in sorted(spans):
        yield first, begin
        first = end
    yield first, last


def _find(lattice: _Lattice, source: Box, dest: Box) -> Line:
    """The cheapest line from rim to rim: short, few bends and crossings, joining ways to the same state early."""
    name = dest.state.name
    goals = {point: direction for point, direction in lattice.ports(dest)}
    queue: list[tuple[float, _Step]] = []
    cost: dict[_Step, float] = {}
    back: dict[_Step, _Step] = {}
    middle = (source.x + source.width // 2, source.y + source.height // 2)
    for point, direction in lattice.ports(source):
        if lattice.free(point, direction % 2, name):
            off = abs(lattice.xs[point[0]] - middle[0]) if direction % 2 else abs(lattice.ys[point[1]] - middle[1])
            cost[point, direction] = off / 4
            heapq.heappush(queue, (off / 4, (point, direction)))
    while queue:
        spent, here = heapq.heappop(queue)
        point, direction = here
        if spent > cost[here]:
            continue
        if point in goals and lattice.covered.get(point) == name:
            return _drawn(lattice, here, back, name)
        for turn in (0, 1, 3):
            if turn and point in lattice.covered:
                continue  # a way leaves its box straight
            heading = (direction + turn) % 4
            axis = heading % 2
            there = (point[0] + STEPS[heading][0], point[1] + STEPS[heading][1])
            if not (0 <= there[0] < len(lattice.xs) and 0 <= there[1] < len(lattice.ys)):
                continue
            if there in lattice.covered and goals.get(there) != (heading + 2) % 4:
                continue  # a box is entered at its rim and straight
            if not (lattice.free(point, axis, name) and lattice.free(there, axis, name)):
                continue
            if turn and not lattice.free(point, 1 - axis, name):
                continue
            joined = lattice.running.get((point, axis)) == name == lattice.running.get((there, axis))
            far = abs(lattice.xs[there[0]] - lattice.xs[point[0]]) + abs(lattice.ys[there[1]] - lattice.ys[point[1]])
            more = spent + far * (JOINED if joined else 1) + (BEND if turn else 0)
            more += 0 if lattice.free(there, 1 - axis, name) else CROSSING
            if more < cost.get((there, heading), float("inf")):
                cost[there, heading] = more
                back[there, heading] = here
                heapq.heappush(queue, (more, (there, heading)))
    # No free track is left: a straight line says at least that the way exists.
    end = (dest.x + dest.width // 2, dest.y + dest.height // 2)
    return Line((middle, end), (middle, end))


def _drawn(lattice: _Lattice, here: _Step, back: Mapping[_Step, _Step], name: str) -> Line:
    """The way from its beginning; its points are marked as taken by ways to that state."""
    steps = [here]
    while here in back:
        here = back[here]
        steps.append(here)
    steps.reverse()
    joined = [lattice.running.get((a, h % 2)) == name == lattice.running.get((b, h % 2)) for (a, _), (b, h) in pairwise(steps)]
    apart = len(joined) - next((n for n, there in enumerate(reversed(joined)) if not there), len(joined))
    for (point, _), (there, heading) in pairwise(steps):
        lattice.running[point, heading % 2] = name
        lattice.running[there, heading % 2] = name
    return Line(_corners(lattice, steps), _corners(lattice, steps[: apart + 1]))


def _corners(lattice: _Lattice, steps: Sequence[_Step]) -> tuple[Point, ...]:
    bends = [point for (point, direction), (_, heading) in pairwise(steps) if direction != heading]
    points = dict.fromkeys([steps[0][0], *bends, steps[-1][0]])
    return tuple((lattice.xs[i], lattice.ys[j]) for i, j in points)


# --- drawing ---------------------------------------------------------------------------------------------------------

_ARROWS = (
    '<defs><marker id="map-taken" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
    'markerUnits="userSpaceOnUse" orient="auto"><path class="head" d="M0 0 8 4 0 8Z"/></marker>'
    '<marker id="map-next" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
    'markerUnits="userSpaceOnUse" orient="auto"><path class="head head--next" d="M0 0 8 4 0 8Z"/></marker></defs>'
)


def _data(points: Sequence[Point]) -> str:
    """Path data with corners rounded a little, so that a bend is not read as a crossing."""
    radius = 4
    told = f"M{points[0][0]} {points[0][1]}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        near = _towards(corner, before, radius)
        far = _towards(corner, after, radius)
        told += f"L{near[0]} {near[1]}Q{corner[0]} {corner[1]} {far[0]} {far[1]}"
    return f"{told}L{points[-1][0]} {points[-1][1]}"


def _towards(start: Point, end: Point, most: int) -> Point:
    dx, dy = end[0] - start[0], end[1] - start[1]
    step = min(most, (abs(dx) + abs(dy)) // 2)
    return start[0] + (step if dx > 0 else -step if dx else 0), start[1] + (step if dy > 0 else -step if dy else 0)


def _box(box: Box, kind: str, current: bool) -> Markup:
    corner = box.height // 2 if box.state.final else 4
    middle, centre = box.x + box.width / 2, box.y + box.height / 2
    size = f'x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="{corner}"'
    texts = Markup("").join(
        Markup('<text x="{:g}" y="{:g}">{}</text>').format(middle, centre + LINE * (n - (len(box.lines) - 1) / 2), line)
        for n, line in enumerate((f"▶ {box.lines[0]}", *box.lines[1:]) if current else box.lines)
    )
    return Markup(f'<g class="{escape(kind)}"><rect {size}/>{texts}</g>')
