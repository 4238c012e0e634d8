"""The configuration: its defaults, and every invalid combination refused by name."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from stempipe.errors import InvalidConfig
from stempipe.jobs.config import STEMS, JobConfig, ModelVariant


def test_defaults_are_spelled_out() -> None:
    assert json.loads(JobConfig().to_json()) == {
        "model": "spleeter",
        "modelVariant": "2stems",
        "stems": {"vocals": True, "accompaniment": True},
        "quality": {"sampleRate": 44100, "outputFormat": "wav", "bitDepth": 16},
        "bandwidth": "11khz",
        "maskExtension": "average",
        "player": False,
    }


def test_every_variant_has_stems() -> None:
    assert set(STEMS) == set(get_args(ModelVariant))


def test_all_stems_are_kept_unless_some_are_named() -> None:
    assert JobConfig.from_json('{"modelVariant": "5stems"}').kept == STEMS["5stems"]


def test_stems_left_out_are_not_kept() -> None:
    config = JobConfig.from_json('{"modelVariant": "4stems", "stems": {"bass": true, "vocals": true}}')
    assert config.kept == ("vocals", "bass")


def test_mp3_has_a_bitrate_by_default() -> None:
    assert JobConfig.from_json('{"quality": {"outputFormat": "mp3"}}').quality.bitrate == 192


@pytest.mark.parametrize(
    ("quality", "bit_depth"),
    [
        ({"outputFormat": "flac"}, 16),
        ({"outputFormat": "flac", "bitDepth": 24}, 24),
        ({"bitDepth": 24}, 24),
        ({"bitDepth": 32}, 32),
        ({"outputFormat": "mp3"}, None),
    ],
)
def test_formats_have_their_bit_depths(quality: dict[str, Any], bit_depth: int | None) -> None:
    assert JobConfig.from_json(json.dumps({"quality": quality})).quality.bit_depth == bit_depth


def test_a_configuration_survives_its_own_json() -> None:
    config = JobConfig.from_json(
        '{"quality": {"outputFormat": "mp3", "bitrate": 320}, "stems": {"vocals": true}}'
    )
    assert JobConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"model": "demucs"}, "config.model"),
        ({"modelVariant": "3stems"}, "config.modelVariant"),
        ({"stems": {"piano": True}}, "config.stems"),
        ({"modelVariant": "4stems", "stems": {"accompaniment": True}}, "config.stems"),
        ({"stems": {"vocals": False}}, "config.stems"),
        ({"stems": {"vocals": "yes"}}, "config.stems.vocals"),
        ({"stems": ["vocals"]}, "config.stems"),
        ({"quality": {"sampleRate": 96000}}, "config.quality.sampleRate"),
        ({"quality": {"sampleRate": "44100"}}, "config.quality.sampleRate"),
        ({"quality": {"outputFormat": "ogg"}}, "config.quality.outputFormat"),
        ({"quality": {"outputFormat": "wav", "bitrate": 192}}, "config.quality.bitrate"),
        ({"quality": {"outputFormat": "flac", "bitrate": 192}}, "config.quality.bitrate"),
        ({"quality": {"bitrate": 192}}, "config.quality.bitrate"),
        ({"quality": {"outputFormat": "mp3", "bitrate": 48}}, "config.quality.bitrate"),
        ({"quality": {"outputFormat": "mp3", "bitrate": 100}}, "config.quality.bitrate"),
        ({"quality": {"outputFormat": "mp3", "bitrate": 321}}, "config.quality.bitrate"),
        ({"quality": {"outputFormat": "mp3", "bitrate": 192.5}}, "config.quality.bitrate"),
        ({"quality": {"bitDepth": 20}}, "config.quality.bitDepth"),
        ({"quality": {"bitDepth": "16"}}, "config.quality.bitDepth"),
        ({"quality": {"bitDepth": 16.5}}, "config.quality.bitDepth"),
        ({"quality": {"outputFormat": "flac", "bitDepth": 32}}, "config.quality.bitDepth: 32 is for wav"),
        (
            {"quality": {"outputFormat": "mp3", "bitDepth": 16}},
            "config.quality.bitDepth: is for wav and flac",
        ),
        ({"bandwidth": "22khz"}, "config.bandwidth"),
        ({"maskExtension": "ones"}, "config.maskExtension"),
        ({"colour": "blue"}, "config.colour"),
        ({"quality": {"colour": "blue"}}, "config.quality.colour"),
        ({"quality": None}, "config.quality"),
        ([], "config"),
    ],
)
def test_an_invalid_configuration_is_refused_and_its_field_named(config: Any, field: str) -> None:
    with pytest.raises(InvalidConfig) as refusal:
        JobConfig.from_json(json.dumps(config))
    assert field in refusal.value.message


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidConfig):
        JobConfig.from_json("vocals please")


def test_a_model_that_is_not_installed_is_refused() -> None:
    with pytest.raises(InvalidConfig, match=r"config\.modelVariant.*2stems"):
        JobConfig.from_json('{"modelVariant": "4stems"}').check_available(["2stems"])
