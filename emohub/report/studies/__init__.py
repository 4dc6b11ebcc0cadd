"""What a report can be about: one file for each kind of study."""
