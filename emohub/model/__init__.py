"""From upstream's loose head files to a model repo, and what such a model does at scale."""
