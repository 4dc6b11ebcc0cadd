"""Raters: one file each, which defines a class `Rater`; `_…` files are shared."""
