"""`make train-drums`: fetch sounds, make clips, train, choose thresholds, evaluate, and write the weights."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import typer

from analysis.drums import WEIGHTS, Model, bands_of, estimate, pack, unpack
from downloads.fetch import FetchError, file_sha256
from training import sources
from training.accompaniment import accompaniments
from training.clips import SECONDS, Clip, Family, clip
from training.copies import copies
from training.evaluation import SECONDS as PART_SECONDS
from training.evaluation import choose_thresholds, heard, parts, table
from training.network import train

CLIPS = 1000
EPOCHS = 7
SEEDS = (0, 1)
MUSIC = 48


def main(destination: Path = WEIGHTS, clips: int = CLIPS, epochs: int = EPOCHS) -> None:
    """Write new weights, and say what their sha256 is and how well they hear."""
    began = time.process_time()
    rng = np.random.default_rng(0)
    try:
        families = sources.learned(rng)
        choosing, unheard = sources.choosing(), sources.unheard()
        recorded = [kit for family in families for kit in family.kits if family.recorded]
        if found := copies(choosing + unheard, recorded):
            sys.exit("What is tested has been learned:\n" + "\n".join(found))
        _say(began, "No tested sound is a copy of a learned one.")
        made = make_clips(families, clips)
        _say(began, f"{clips} clips, {clips * SECONDS / 3600:.1f} hours")
        networks = [train(made, epochs, seed) for seed in SEEDS]
        _say(began, f"{len(networks)} networks of {epochs} epochs")
        music = accompaniments(sources.timgm(), 16, PART_SECONDS, np.random.default_rng(1))
    except FetchError as error:
        sys.exit(str(error))
    model = unpack(pack(Model(networks, np.full(7, 0.5, np.float32))))
    chosen_on = [*parts(choosing, [], range(4)), *parts(choosing, music, range(4))]
    thresholds = choose_thresholds([(part, estimate(model, bands_of(part.sound))) for part in chosen_on])
    with destination.open("wb") as file:
        np.savez(file, allow_pickle=False, **pack(Model(networks, thresholds)))
    _say(began, f"thresholds {thresholds}")

    model = Model(model.networks, thresholds)
    for name, others in (("true parts", []), ("separated parts", music)):
        print(f"\n{name}, of kits never heard\n{table(heard(model, parts(unheard, others, range(1, 4))))}")
    print(f"\n{destination}: {destination.stat().st_size} bytes, sha256 {file_sha256(destination)}")


def make_clips(families: Sequence[Family], count: int) -> list[Clip]:
    """So many clips, beside music that is learned from too."""
    music = accompaniments(sources.fluid(), MUSIC, SECONDS, np.random.default_rng(2))
    return [clip(families, music, np.random.default_rng([3, number])) for number in range(count)]


def _say(began: float, what: str) -> None:
    print(f"{time.process_time() - began:6.0f} s of the processor: {what}", flush=True)


if __name__ == "__main__":
    typer.run(main)
