"""The commands of `emohub`: they parse and call."""
