"""From raw files to repos that the Hub can serve."""
