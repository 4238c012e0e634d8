"""What there is to hear in a song and its stems, from beats to curves. Knows samples, and nothing of AWS."""
