import pytest

from analysis.roles import role_named


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("drums", "drums"),
        ("Kick_In 02", "drums"),
        ("HiHat", "drums"),
        ("hi-hat L", "drums"),
        ("Bass Drum", "drums"),
        ("Supercollider Pad", "other"),
        ("Heartbeat Strings", "other"),
        ("beats", "drums"),
        ("Bass DI", "bass"),
        ("contrabass", "bass"),
        ("Bassoon", "other"),
        ("vocals", "vocals"),
        ("Lead Vox 2", "vocals"),
        ("Singer_double", "vocals"),
        ("Rising Pad", "other"),
        ("piano", "piano"),
        ("02_Keys", "piano"),
        ("Monkeys", "other"),
        ("accompaniment", "accompaniment"),
        ("Song (Instrumental)", "accompaniment"),
        ("no_vocals", "accompaniment"),
        ("other", "other"),
        ("重低音", "other"),
        ("", "other"),
    ],
)
def test_a_stem_is_what_its_name_says(name: str, role: str) -> None:
    assert role_named(name) == role
