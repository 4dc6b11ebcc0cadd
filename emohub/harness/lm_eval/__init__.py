"""What lm-eval loads by `--include_path`: a task file, and the functions that it names."""
