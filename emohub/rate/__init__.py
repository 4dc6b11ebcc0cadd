"""Ratings of a dataset by any rater: a model, a vision-language model behind a server, a baseline, a table.

`run.rate_dataset` is the whole; `raters/` and `protocols/` hold one file for each rater and each protocol, found by
name. Every raw answer goes to a journal first (`journal`), and the tables are read from there (`outputs`).
"""
