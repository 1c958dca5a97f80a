"""Ways between boxes, drawn on a lattice of tracks.

A way never touches a box that is not its own; ways to different boxes never share a track, ways to one box join on
theirs, and where two lines cross both run straight on.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from states.terms import State

Point = tuple[int, int]  # pixels on the map, or indices on the lattice
Way = tuple[str, str]  # names of the states at its two ends
_Step = tuple[Point, int]  # a point of the lattice and the direction in which it was reached

PITCH, MARGIN = 7, 9  # pixels between two tracks, and between a track and a box
STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # right, down, left, up; the number is the direction
BEND, CROSSING, JOINED = 14.0, 30.0, 0.2  # what they cost, in pixels; a shared stretch costs this part of its length


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
class Line:
    """The corners of a way, pixels; `own` ends where it joins another way to the same state."""

    points: tuple[Point, ...]
    own: tuple[Point, ...]


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


def route(ways: Sequence[Way], boxes: Mapping[str, Box], left: int, width: int, height: int) -> dict[Way, Line]:
    """A line for every way: short ones choose first, ends come last because they join.

    The map is `width` × `height` pixels; nothing runs left of `left`.
    """
    lattice = _lattice(boxes, left, width, height)

    def length(way: Way) -> tuple[bool, int]:
        a, b = boxes[way[0]], boxes[way[1]]
        return b.state.final, abs(a.x - b.x) + 2 * abs(a.y - b.y)

    return {way: _find(lattice, boxes[way[0]], boxes[way[1]]) for way in sorted(ways, key=length)}


def _lattice(boxes: Mapping[str, Box], start: int, width: int, height: int) -> _Lattice:
    xs: set[int] = set()
    ys: set[int] = set()
    for box in boxes.values():
        middle, centre = box.x + box.width // 2, box.y + box.height // 2
        xs |= {box.x, middle - 26, middle, middle + 26, box.x + box.width}
        ys |= {box.y, centre - 8, centre, centre + 8, box.y + box.height}
    for left, right in _gaps({(b.x, b.x + b.width) for b in boxes.values()}, start, width):
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
    goals = dict(lattice.ports(dest))
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
    joined = [
        lattice.running.get((a, h % 2)) == name == lattice.running.get((b, h % 2)) for (a, _), (b, h) in pairwise(steps)
    ]
    apart = len(joined) - next((n for n, there in enumerate(reversed(joined)) if not there), len(joined))
    for (point, _), (there, heading) in pairwise(steps):
        lattice.running[point, heading % 2] = name
        lattice.running[there, heading % 2] = name
    return Line(_corners(lattice, steps), _corners(lattice, steps[: apart + 1]))


def _corners(lattice: _Lattice, steps: Sequence[_Step]) -> tuple[Point, ...]:
    bends = [point for (point, direction), (_, heading) in pairwise(steps) if direction != heading]
    points = dict.fromkeys([steps[0][0], *bends, steps[-1][0]])
    return tuple((lattice.xs[i], lattice.ys[j]) for i, j in points)
