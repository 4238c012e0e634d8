"""Spleeter's models: where they come from, where they are kept, and how their weights are read."""
