"""Settings come from the environment, and from nowhere else."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from stempipe.settings import SeparateSettings

ENVIRONMENT = {
    "JOBS_TABLE": "jobs",
    "USAGE_TABLE": "usage",
    "UPLOADS_BUCKET": "uploads",
    "STEMS_BUCKET": "stems",
    "JOBS_QUEUE_URL": "https://queue",
}


def test_defaults_fill_what_the_template_leaves_out() -> None:
    settings = SeparateSettings.from_environment({**ENVIRONMENT, "PATH": "/bin"})
    assert settings.model_variants == ("2stems",)
    assert settings.max_song_seconds == 600
    assert settings.inference_precision == "float32"
    assert settings.endpoint is None


def test_lists_are_split_at_commas() -> None:
    settings = SeparateSettings.from_environment({**ENVIRONMENT, "MODEL_VARIANTS": "2stems,4stems"})
    assert settings.model_variants == ("2stems", "4stems")


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ValidationError, match="jobs_table"):
        SeparateSettings.from_environment({})


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ({"STORAGE_PROVIDER": "r2"}, "https://r2"),
        ({"STORAGE_PROVIDER": "r2", "AWS_ENDPOINT_URL": "http://local"}, "https://r2"),
        # As when a deployment has gone back from R2.
        ({"STORAGE_PROVIDER": "s3"}, None),
        ({"STORAGE_PROVIDER": "s3", "AWS_ENDPOINT_URL": "http://local"}, "http://local"),
    ],
)
def test_r2s_endpoint_is_for_r2_alone_and_goes_before_the_local_one(
    variables: dict[str, str], endpoint: str | None
) -> None:
    settings = SeparateSettings.from_environment(
        {**ENVIRONMENT, "STORAGE_ENDPOINT": "https://r2", **variables}
    )
    assert settings.endpoint == endpoint
