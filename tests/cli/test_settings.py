"""Which service is used, who the user is, and what is remembered."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, get_args

import pytest

from stempipe.jobs.config import JobConfig, Quality
from stempipe_client import Config, StempipeError
from stempipe_client import config as choices
from stempipe_client.command import login
from stempipe_client.command.resume import Memory
from stempipe_client.command.settings import Settings, announced, from_stack, resolve, write_config
from tests.cli.service import TOKEN, Service

NO_FLAGS: dict[str, str | None] = {"api_url": None, "websocket_url": None}


def test_flags_come_before_the_environment_before_the_file_before_the_local_cloud(
    home: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with announced({"api_url": service.url}):
        assert resolve(NO_FLAGS).api_url == service.url
        write_config({"api_url": "https://file"})
        assert resolve(NO_FLAGS).api_url == "https://file"
        monkeypatch.setenv("STEMPIPE_API_URL", "https://environment")
        assert resolve(NO_FLAGS).api_url == "https://environment"
        assert resolve(NO_FLAGS | {"api_url": "https://flag"}).api_url == "https://flag"


def test_one_services_websocket_is_none_of_anothers(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config({"api_url": "https://file", "websocket_url": "wss://file"})
    assert resolve(NO_FLAGS).websocket_url == "wss://file"
    monkeypatch.setenv("STEMPIPE_API_URL", "https://environment")
    assert resolve(NO_FLAGS).websocket_url is None


def test_a_flag_may_change_one_thing_of_the_file(home: Path) -> None:
    write_config({"api_url": "https://file", "client_id": "c"})
    settings = resolve(NO_FLAGS | {"websocket_url": "wss://flag"})
    assert (settings.api_url, settings.websocket_url, settings.client_id) == (
        "https://file",
        "wss://flag",
        "c",
    )


def test_a_local_cloud_that_was_killed_is_passed_over_whoever_has_its_port(
    home: Path, service: Service
) -> None:
    announces = f"""
import time
from stempipe_client.command.settings import announced
with announced({{"api_url": "{service.url}"}}):
    print(flush=True)
    time.sleep(60)
"""
    with Popen([sys.executable, "-c", announces], stdout=PIPE) as cloud:
        assert cloud.stdout
        cloud.stdout.readline()
        assert resolve(NO_FLAGS).api_url == service.url
        cloud.kill()
    with pytest.raises(StempipeError) as failure:
        resolve(NO_FLAGS)
    assert failure.value.code == "not_configured"
    assert service.requests == []


def test_a_local_cloud_takes_back_only_its_own_announcement(home: Path, service: Service) -> None:
    with announced({"api_url": "http://127.0.0.1:1"}):
        later = announced({"api_url": service.url})
        later.__enter__()
    assert resolve(NO_FLAGS).api_url == service.url


def test_a_stack_describes_itself() -> None:
    outputs = {
        "ApiUrl": "https://api",
        "LiveUrl": "wss://live",
        "UserPoolClientId": "c",
        "UserPoolId": "eu-west-1_abc",
        "JobsTable": "t",
    }
    described = {"Stacks": [{"Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()]}]}
    assert from_stack(described) == {
        "api_url": "https://api",
        "websocket_url": "wss://live",
        "client_id": "c",
        "login_url": "https://cognito-idp.eu-west-1.amazonaws.com/",
    }


@pytest.mark.parametrize("described", [None, {}, {"Stacks": []}, {"Stacks": [{}]}, {"Stacks": 3}])
def test_something_else_describes_no_stack(described: Any) -> None:
    with pytest.raises(StempipeError):
        from_stack(described)


def test_cognito_is_that_of_the_apis_region() -> None:
    settings = Settings("", api_url="https://abc.execute-api.eu-central-1.amazonaws.com")
    assert settings.cognito_url == "https://cognito-idp.eu-central-1.amazonaws.com/"
    assert Settings("", api_url="https://stems.example.com").cognito_url is None


# ---- logins ----------------------------------------------------------------------------------------


@pytest.fixture
def settings(home: Path, service: Service) -> Settings:
    return Settings("a test", api_url=service.url, login_url=service.url + "/", client_id="client")


def tokens(refresh: str | None, seconds: float) -> login.Tokens:
    return login.Tokens("old", refresh, time.time() + seconds)


def test_a_token_of_the_environment_is_taken_as_it_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMPIPE_TOKEN", "mine")
    assert login.token(settings)() == "mine"


def test_without_a_login_there_is_no_token(settings: Settings) -> None:
    with pytest.raises(StempipeError) as failure:
        login.token(settings)
    assert failure.value.code == "unauthorized"


def test_a_login_that_is_good_is_used(settings: Settings, service: Service) -> None:
    login.keep(settings, tokens("refresh", 3600))
    assert login.token(settings)() == "old"
    assert not service.logins


def test_a_login_that_ends_soon_is_renewed_once_and_kept(settings: Settings, service: Service) -> None:
    login.keep(settings, tokens("refresh", 30))
    source = login.token(settings)
    assert [source(), source()] == [TOKEN, TOKEN]
    (request,) = service.logins
    assert request["AuthFlow"] == "REFRESH_TOKEN_AUTH"
    assert request["AuthParameters"] == {"REFRESH_TOKEN": "refresh"}
    kept = login.kept(settings)
    assert kept is not None
    assert (kept.access, kept.refresh) == (TOKEN, "refresh")  # Cognito gives no new refresh token


@pytest.mark.parametrize("refresh", [None, "revoked"])
def test_a_login_that_cannot_be_renewed_has_expired(settings: Settings, refresh: str | None) -> None:
    login.keep(settings, tokens(refresh, 0))
    with pytest.raises(StempipeError, match="stempipe login") as failure:
        login.token(settings)()
    assert failure.value.code == "unauthorized"


def test_logins_are_for_the_users_eyes_alone(settings: Settings, home: Path) -> None:
    login.keep(settings, tokens("refresh", 3600))
    (file,) = (home / "config").rglob("logins.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    login.keep(settings, None)
    assert login.kept(settings) is None


def test_a_local_clouds_user_is_logged_in_when_needed(settings: Settings, service: Service) -> None:
    local = Settings(
        "", settings.api_url, login_url=settings.login_url, client_id="client", user="u", password="p"
    )
    assert login.token(local)() == TOKEN
    assert service.logins[0]["AuthParameters"] == {"USERNAME": "u", "PASSWORD": "p"}


# ---- memory ----------------------------------------------------------------------------------------


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "memory")


def test_a_songs_key_is_remembered_until_it_is_done(memory: Memory, song: Path) -> None:
    note = memory.note(song, Config())
    key = note.key("https://api")
    assert memory.note(song, Config()).key("https://api") == key
    note.forget("https://api")
    assert not list(memory.folder.iterdir())
    assert note.key("https://api") != key


def test_another_content_place_configuration_or_service_is_another_key(
    memory: Memory, tmp_path: Path, song: Path
) -> None:
    copy = tmp_path / "copy" / song.name
    copy.parent.mkdir()
    copy.write_bytes(song.read_bytes())
    keys = [
        memory.note(song, Config()).key("https://api"),
        memory.note(song, Config(output_format="mp3")).key("https://api"),
        memory.note(copy, Config()).key("https://api"),
        memory.note(song, Config()).key("https://other"),
    ]
    song.write_bytes(b"another")
    assert len({*keys, memory.note(song, Config()).key("https://api")}) == 5


def test_files_that_were_made_of_a_song_are_known_until_somebody_changes_them(
    memory: Memory, tmp_path: Path, song: Path
) -> None:
    mine, other = tmp_path / "mine.wav", tmp_path / "other.wav"
    for path in (mine, other):
        path.write_bytes(b"stem")
    memory.note(song, Config()).remember([mine])
    assert memory.note(song, Config()).may_replace(mine)
    assert not memory.note(song, Config()).may_replace(other)
    assert not memory.note(song, Config(bandwidth="16khz")).may_replace(mine)
    mine.write_bytes(b"mixed")
    assert not memory.note(song, Config()).may_replace(mine)


def test_what_nobody_came_back_for_is_forgotten(memory: Memory, song: Path) -> None:
    memory.note(song, Config()).key("https://api")
    memory.forget_old()
    (note,) = memory.folder.iterdir()
    os.utime(note, (0, 0))
    memory.forget_old()
    assert not list(memory.folder.iterdir())


# ---- the service's own words -----------------------------------------------------------------------


def test_the_client_offers_what_the_service_takes() -> None:
    offered = Config(
        model_variant="4stems",
        keep=("drums",),
        output_format="flac",
        sample_rate=48000,
        bit_depth=24,
        bandwidth="16khz",
        mask_extension="zeros",
    )
    taken = JobConfig.model_validate(offered.to_json())
    assert taken.kept == ("drums",)
    assert taken.model_dump(by_alias=True)["quality"] == {
        "outputFormat": "flac",
        "sampleRate": 48000,
        "bitDepth": 24,
        "bitrate": None,
    }
    JobConfig.model_validate(Config().to_json())
    JobConfig.model_validate(Config(output_format="mp3", bitrate=320).to_json())
    literals = {
        "model_variant": choices.ModelVariant,
        "bandwidth": choices.Bandwidth,
        "mask_extension": choices.MaskExtension,
    }
    for field, literal in literals.items():
        assert get_args(JobConfig.model_fields[field].annotation) == get_args(literal)
    assert get_args(Quality.model_fields["output_format"].annotation) == get_args(choices.OutputFormat)
    assert get_args(Quality.model_fields["sample_rate"].annotation) == get_args(choices.SampleRate)


def test_the_extra_for_this_machine_is_what_the_engine_needs(root: Path) -> None:
    import tomllib

    extra = tomllib.loads((root / "cli/pyproject.toml").read_text())["project"]["optional-dependencies"][
        "local"
    ]
    lines = (root / "requirements/separate.in").read_text().splitlines()
    needed = [line for line in lines if line and not line.startswith(("#", "-r"))]
    assert sorted(extra) == sorted(set(needed) - {"awslambdaric"})
    for package in ("media", "separation"):
        assert (root / "cli" / package).resolve() == root / "functions/separate" / package
