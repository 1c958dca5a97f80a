"""The engine: cases, their history, and the doors through which people and programs reach them."""

__version__ = "0.1.0"
