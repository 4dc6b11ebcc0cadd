"""Folders of datasets: which there are, how one is built, what its card says."""
