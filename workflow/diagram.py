"""Every process can be drawn: a swim-lane map for pages, the step bar, and Mermaid text for the documents.

The map is laid out once for each version of a process. A lane is a holder, a column a distance from the beginning.
`tracks` leads the ways around the boxes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from markupsafe import Markup

from states.kernel import Process
from states.terms import STAY, State
from workflow import tracks
from workflow.tracks import MARGIN, PITCH, Box, Line, Point, Way

HOLDERS = {
    "municipality": "市町村",
    "municipality_head": "市町村の決裁者",
    "partner": "共同の市町村",
    "bureau": "振興局",
    "co_office": "関係する振興局",
    "director": "局長",
    "headquarters": "本庁",
    "department": "本庁各部",
    "personnel": "人事担当",
    "body": "団体",
    "staff": "派遣職員",
    "clock": "日付",
}
ENDS = "終わり"  # lane of the states that nobody holds

NAMES_WIDTH, WIDTH = 84, 1200
BOX_WIDTH, BOX_HEIGHT, LINE = 106, 30, 18
LANE_GAP = 4
TRACKS = 4  # ways side by side above and below the boxes of a lane
LONGEST_LINE = 6  # characters that fit into a box


@dataclass(frozen=True)
class Lane:
    """The strip of one holder, pixels."""

    holder: str
    y: int
    height: int


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
    parts.append(_ARROWS)
    here = _lane_key(process.state(current)) if current else None
    for lane in drawing.lanes:
        kind = "lane lane--now" if lane.holder == here else "lane"
        strip = Markup('<rect class="{}" x="0" y="{}" width="{}" height="{}"/>')
        parts.append(strip.format(kind, lane.y, drawing.width, lane.height))
        name = holders.get(lane.holder, lane.holder) if lane.holder else ENDS
        parts.append(
            Markup('<text class="lane-name" x="10" y="{}">{}</text>').format(lane.y + lane.height // 2 + 5, name)
        )
    for way, line in drawing.ways.items():
        if way not in taken:
            # Two dashed lines on one track would look like a solid one: the second is drawn up to where it joins.
            mark = Markup(' marker-end="url(#map-next)"') if line.own == line.points else ""
            parts.append(Markup('<path class="way way--next"{} d="{}"/>').format(mark, _data(line.own)))
    solid = Markup('<path class="way" marker-end="url(#map-taken)" d="{}"/>')
    parts.extend(solid.format(_data(line.points)) for way, line in drawing.ways.items() if way in taken)
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
    """One of the steps that everybody sees; `kind` is done, now, next; or ended, and off after it."""

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
            return "now" if not state.final else "done" if here == len(steps) - 1 else "ended"
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
    rows: list[tuple[str, int]] = sorted(
        {row for row, _ in places.values()}, key=lambda row: (_lane_order(row[0]), row[1])
    )
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
    return Plan(
        width, y - LANE_GAP, tuple(lanes), ordered, tracks.route(ways, ordered, NAMES_WIDTH, width, y - LANE_GAP)
    )


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


# --- drawing ---------------------------------------------------------------------------------------------------------

_ARROWS = Markup(
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
    rim = Markup('<rect x="{}" y="{}" width="{}" height="{}" rx="{}"/>').format(
        box.x, box.y, box.width, box.height, corner
    )
    texts = Markup("").join(
        Markup('<text x="{:g}" y="{:g}">{}</text>').format(middle, centre + LINE * (n - (len(box.lines) - 1) / 2), line)
        for n, line in enumerate((f"▶ {box.lines[0]}", *box.lines[1:]) if current else box.lines)
    )
    return Markup('<g class="{}">{}{}</g>').format(kind, rim, texts)
