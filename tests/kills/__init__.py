"""Commands that are killed (kill -9) at random moments: the rerun equals an undisturbed run, and nothing is left."""
