"""Damaged files, seeded: each ends in a clear error or in a result, in bounded time and memory. `make test-fuzz`."""
