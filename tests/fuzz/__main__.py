"""`make fuzz`: every target for some seconds, from its seeds and from what earlier runs have found.

Ends with 1, and says what to run to see it again, if one found an input that breaks it.
"""

import hashlib
import importlib
import os
import subprocess
import sys
from pathlib import Path

TARGETS = ("events", "configs", "media", "midi")
STATE = Path(".fuzz")
# Of libFuzzer. Seconds for one input; MB of memory; bytes of an input.
LIMITS = ("-timeout=20", "-rss_limit_mb=2048", "-max_len=20000")


def fuzz(target: str, seconds: int) -> bool:
    """Run one target; whether nothing broke it."""
    known, broken = STATE / target, STATE / "broken"
    known.mkdir(parents=True, exist_ok=True)
    broken.mkdir(exist_ok=True)
    before = set(broken.iterdir())
    for seed in importlib.import_module(f"tests.fuzz.{target}").seeds():
        (known / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    arguments = [f"-max_total_time={seconds}", f"-artifact_prefix={broken}/{target}-", *LIMITS, str(known)]
    print(f"Fuzzing {target} for {seconds} s", flush=True)
    with (STATE / f"{target}.log").open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-m", f"tests.fuzz.{target}", *arguments], stdout=log, stderr=subprocess.STDOUT
        )
    if done.returncode == 0:
        return True
    print("".join(Path(log.name).read_text(errors="replace").splitlines(keepends=True)[-40:]))
    for found in sorted(set(broken.iterdir()) - before):
        print(f"See it again with: make fuzz AGAIN={found}")
    return False


def again(found: Path) -> bool:
    """Run one input through the target that it broke."""
    target = found.name.partition("-")[0]
    return subprocess.run([sys.executable, "-m", f"tests.fuzz.{target}", str(found)]).returncode == 0


if __name__ == "__main__":
    if path := os.environ.get("AGAIN"):
        sys.exit(not again(Path(path)))
    passed = [fuzz(target, int(sys.argv[1]) // len(TARGETS)) for target in TARGETS]
    sys.exit(not all(passed))
