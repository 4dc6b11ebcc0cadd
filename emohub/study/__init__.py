"""Annotation studies: a dataset's items become a study, the Space in `spaces/annotation` runs it."""
