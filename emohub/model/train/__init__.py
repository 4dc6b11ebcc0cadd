"""The published training recipes: embeddings and labels → a model repo."""
