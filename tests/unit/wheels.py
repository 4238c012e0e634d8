"""Wheels made for a test, and an environment in which pip finds nothing else."""

import os
import zipfile
from pathlib import Path

FUNCTION = Path(__file__).parents[2] / "functions" / "separate"


def offline(wheels: Path) -> dict[str, str]:
    """An environment where no address answers and pip finds only the wheels of a folder."""
    return {
        **os.environ,
        "PYTHONPATH": str(FUNCTION),
        "https_proxy": "http://127.0.0.1:9",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_CONFIG_FILE": os.devnull,
    }


def make_wheel(folder: Path, name: str, version: str, members: dict[str, Path]) -> None:
    information = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for member, path in members.items():
            wheel.write(path, member)
        wheel.writestr(
            f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{information}/RECORD", "")
