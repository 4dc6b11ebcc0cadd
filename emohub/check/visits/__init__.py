"""Scripts that fresh processes run, by path: what they see is what a user sees."""
