"""Endings of files, and whether there is a song to be expected in them."""

ENDINGS = frozenset(
    "aac aif aifc aiff bwf caf flac m4a m4b m4r m4v mka mkv mov mp2 mp3 mp4 oga ogg opus qta w64 wav wave"  # noqa: SIM905
    " weba webm 3g2 3gp".split()
)
"""Of songs and films that can be decoded, in lower case. Some may hold a codec that cannot."""

UNREADABLE = frozenset(
    "ac3 amr ape asf au avi dff dsf dts eac3 flv mid midi mpc mpeg mpg ra ram tta wma wmv wv".split()  # noqa: SIM905
)
"""Of songs and films that cannot."""
