"""Spleeter's arithmetic in C: the sources, how they are compiled, and the library as Python calls it."""
