"""`python -m benchmarks [act|doorbell|inbox|route|scale|sweep|turns|verify …]`: one line a figure, ratios of one run, median with range."""

import sys

from benchmarks import act, doorbell, inbox_size, route, scale, sweep, turns, verifying

FIGURES = {
    "act": act.measure,
    "scale": scale.measure,
    "verify": verifying.measure,
    "turns": turns.measure,
    "doorbell": doorbell.measure,
    "route": route.measure,
    "inbox": inbox_size.measure,
    "sweep": sweep.measure,
}


def main(names: list[str]) -> int:
    met = True
    for name in names or list(FIGURES):
        for figure, ratio, low, high, target in FIGURES[name]():
            reached = ratio >= target
            met &= reached
            print(
                f"{figure}: ratio {ratio:.2f} [{low:.2f}-{high:.2f}] target >= {target} {'met' if reached else 'NOT MET'}",
                flush=True,
            )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
