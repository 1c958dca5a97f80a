"""How a long-lived process keeps its memory, so that collecting garbage does not hold people up."""

import gc

# An act makes some thousand short-lived objects and no cycles; a young collection for every 700 of them finds nothing.
YOUNG = 50_000


def settle() -> None:
    """Call once everything is loaded: what is there stays, and young objects are looked through less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
