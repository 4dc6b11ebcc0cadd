"""A results dataset: one JSON per rater, protocol and revision of a dataset, as a leaderboard reads it.

Layout of its folder: `entries/STUDY/REVISION/RATER.json`, and where the ratings are given
`ratings/STUDY/REVISION/RATER.parquet`.
"""
