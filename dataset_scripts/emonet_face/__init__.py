"""Builders of EmoNet-Face: raw upstream files to rows."""
