"""Measured claims. `make bench` prints one line a figure: name, ratio, target, met or not. Ratios of one run only."""
