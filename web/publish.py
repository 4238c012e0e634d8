"""The built page into its bucket: ``python -m web.publish`` for a deployment, and `put` for the local cloud.

Needs boto3 alone. Nothing else writes to that bucket.
"""

from __future__ import annotations

import argparse
import json
import mimetypes
import sys
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "web/dist"
INDEX, CONFIG = "index.html", "config.json"
# Vite names what is below by its content: it never changes.
HASHED = "assets/"
FOR_EVER = "public, max-age=31536000, immutable"
FOR_AN_HOUR = "public, max-age=3600"
ASK_AGAIN = "no-cache"
# A page that is open goes on loading parts of the build that it came with.
OLD_BUILD = timedelta(days=7)
# What the system's own list may not have, or have otherwise.
TYPES = {
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}


class PublishError(Exception):
    """Something that whoever deploys can put right; the message says how."""


def put(s3: Any, bucket: str, config: Mapping[str, Any], built: Path = BUILT) -> int:
    """Upload the build and its configuration, the first page last; delete what is of builds long past.

    Parameters
    ----------
    s3
        A boto3 client.
    config
        Of the deployment; see web/src/api/config.ts.
    built
        The folder that ``make web`` writes.

    Returns
    -------
    int
        How many files the page has.

    Raises
    ------
    PublishError
        There is no build.
    """
    if not (built / INDEX).is_file():
        raise PublishError(f"There is no page in {built}. Try: make web")
    files = sorted(path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file())
    for name in files:
        if name not in (INDEX, CONFIG):
            _put(
                s3,
                bucket,
                name,
                (built / name).read_bytes(),
                FOR_EVER if name.startswith(HASHED) else FOR_AN_HOUR,
            )
    _put(s3, bucket, CONFIG, json.dumps(config).encode(), ASK_AGAIN)
    # It names the others: whoever gets it finds them there.
    _put(s3, bucket, INDEX, (built / INDEX).read_bytes(), ASK_AGAIN)
    for name in _long_past(s3, bucket, {*files, CONFIG}):
        s3.delete_object(Bucket=bucket, Key=name)
    return len({*files, CONFIG})


def _put(s3: Any, bucket: str, name: str, body: bytes, cache: str) -> None:
    kind = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    s3.put_object(Bucket=bucket, Key=name, Body=body, ContentType=kind, CacheControl=cache)


def _long_past(s3: Any, bucket: str, files: set[str]) -> Iterable[str]:
    before = datetime.now(UTC) - OLD_BUILD
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            if found["Key"] not in files and found["LastModified"] < before:
                yield found["Key"]


# ---- a deployment ------------------------------------------------------------------------------


def main() -> int:
    """Publish the page of a deployed stack; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m web.publish", description="Publish the page.")
    parser.add_argument("--stack", help="name of the stack (as samconfig.toml says)")
    parser.add_argument("--region", help="of the stack (as samconfig.toml says, or your profile)")
    options = parser.parse_args()
    said = sam_says(ROOT / "samconfig.toml")
    stack, region = options.stack or said.get("stack_name"), options.region or said.get("region")
    try:
        if not stack:
            raise PublishError("Which stack? Try: make publish STACK=<stack>")
        session = boto3.Session(region_name=region, profile_name=said.get("profile"))
        outputs = outputs_of(session.client("cloudformation"), stack)
        if missing := {"PageBucket", "PageConfig", "PageUrl"} - outputs.keys():
            raise PublishError(f"The stack {stack} has no {', '.join(sorted(missing))}. Deploy it first.")
        count = put(session.client("s3"), outputs["PageBucket"], json.loads(outputs["PageConfig"]))
    except (PublishError, BotoCoreError, ClientError) as error:
        print(f"The page was not published. {error}", file=sys.stderr)
        return 1
    print(f"The page, {count} files: {outputs['PageUrl']}")
    return 0


def outputs_of(cloudformation: Any, stack: str) -> dict[str, str]:
    """A stack's outputs."""
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def sam_says(path: Path) -> dict[str, Any]:
    """What sam has kept: parameters of its deployments, and where those say nothing, of all its commands."""
    commands = tomllib.loads(path.read_text(encoding="utf-8"))["default"] if path.is_file() else {}
    found: dict[str, Any] = {}
    for command in ("global", "deploy"):
        found |= commands.get(command, {}).get("parameters", {})
    return found


if __name__ == "__main__":
    sys.exit(main())
