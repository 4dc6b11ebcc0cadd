"""Protocols of rating: one file each, which defines a class `Protocol`; `_…` files are shared."""
