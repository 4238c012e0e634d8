"""Songs of which everything is known: composed from a seed, played by a soundfont, and taken apart badly."""

from tests.songs.composition import Composition, compose
from tests.songs.playing import Song, play
from tests.songs.separator import separated

__all__ = ["Composition", "Song", "compose", "play", "separated"]
