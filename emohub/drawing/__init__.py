"""Drawn faces whose parameters follow an emotion and demographics."""

from .draw import draw, draw_face

__all__ = ["draw", "draw_face"]
