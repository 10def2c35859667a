"""The version of the drawing."""

DRAWING_VERSION = 2
"""Raise this by one whenever the same seed and index give other pixels or labels than before."""
