"""Scripts that run in fresh processes, where emohub is not importable; each has a `main` whose result is JSON."""
