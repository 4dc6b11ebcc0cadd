"""What the benchmarks are made of: label sets, ratings, splits, media."""
