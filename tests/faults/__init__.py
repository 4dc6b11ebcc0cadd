"""Seeded runs of `emohub publish` in which something goes wrong: `python -m tests.faults`."""
