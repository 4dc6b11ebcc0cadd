"""Builders of Chehre: raw upstream files to rows."""
