"""Datasets: the registry, the build, the card, the folder of a repo."""
