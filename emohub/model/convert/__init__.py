"""Loose heads and a SigLIP tower → one model repo, proven equal."""
