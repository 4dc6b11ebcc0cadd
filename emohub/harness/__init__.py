"""The benchmarks in other people's harnesses: our questions and metrics, their models, logs and limits."""
