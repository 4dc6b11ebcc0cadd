"""Embeddings and predictions, on one machine or many."""
