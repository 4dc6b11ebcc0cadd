"""Seeded fault injection for `emohub publish`: `python -m tests.faults`."""
