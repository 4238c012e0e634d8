"""Which kits are learned from, which choose thresholds, and which are but tested on; see docs/drums.md."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from analysis.events import Drum
from downloads.directory import models_directory
from downloads.fetch import Wheel, file_sha256, require_sha256, unpack_wheel
from training import packages
from training.clips import Family
from training.kits import Kit, from_files, from_hydrogen, from_soundfont
from training.packages import unpacked
from training.synthesis import synthesised

SYNTHESISED = 200

# Those of Sonic Pi's samples that its copyright file lists as CC0.
_SONIC_PI: Mapping[Drum, str] = {
    "kick": "bd_808 bd_ada bd_boom bd_fat bd_gas bd_haus bd_klub bd_pure bd_sone bd_tek bd_zome bd_zum "
    "drum_bass_hard drum_bass_soft drum_heavy_kick elec_hollow_kick elec_soft_kick",
    "snare": "drum_snare_hard drum_snare_soft elec_filt_snare elec_hi_snare elec_lo_snare elec_mid_snare "
    "elec_snare sn_dolf sn_dub sn_zome",
    "closed_hat": "drum_cymbal_closed drum_cymbal_pedal",
    "open_hat": "drum_cymbal_open",
    "tom": "drum_tom_hi_hard drum_tom_hi_soft drum_tom_lo_hard drum_tom_lo_soft drum_tom_mid_hard "
    "drum_tom_mid_soft elec_fuzz_tom",
    "crash": "drum_cymbal_hard drum_cymbal_soft drum_splash_hard drum_splash_soft elec_cymbal",
}

_TIMGM_WHEEL = Wheel("pretty_midi==0.2.11.post0", "pretty_midi")
_TIMGM_SHA256 = "82475b91a76de15cb28a104707d3247ba932e228bada3f47bba63c6b31aaf7a1"


def fluid() -> Path:
    """FluidR3Mono, a soundfont under MIT's licence."""
    return unpacked(packages.FLUID) / "FluidR3Mono_GM.sf3"


def timgm() -> Path:
    """TimGM6mb, a soundfont under the GPL: for tests alone."""
    path = models_directory() / "tests" / "TimGM6mb.sf2"
    if not path.exists() or file_sha256(path) != _TIMGM_SHA256:
        path.parent.mkdir(parents=True, exist_ok=True)
        unpack_wheel(_TIMGM_WHEEL, [path.name], path.parent)
        require_sha256(path, _TIMGM_SHA256)
    return path


def learned(rng: np.random.Generator) -> list[Family]:
    """Kits that are learned from, under MIT's licence, CC0, or of nobody but us."""
    hydrogen, sonic_pi = unpacked(packages.HYDROGEN_KITS), unpacked(packages.SONIC_PI)
    musescore = unpacked(packages.MUSESCORE) / "MuseScore_General_Lite.sf3"
    samples = {
        drum: [sonic_pi / f"{name}.flac" for name in names.split()] for drum, names in _SONIC_PI.items()
    }
    return [
        Family(from_soundfont(fluid(), (0, 8, 16, 24, 25, 32, 40)), 0.2),
        Family(from_soundfont(musescore, (0, 8, 16, 24, 25, 26, 32, 40)), 0.2),
        Family([from_hydrogen(hydrogen / "Audiophob")], 0.06),
        Family([from_files("Sonic Pi", samples)], 0.14),
        Family([synthesised(number, rng) for number in range(SYNTHESISED)], 0.4, recorded=False),
    ]


def choosing() -> list[Kit]:
    """Kits that thresholds are chosen on: seven numbers, and nothing else of them is in the weights."""
    hydrogen = unpacked(packages.HYDROGEN_KITS)
    names = ("HardElectro1", "Millo_MultiLayered2", "Millo_MultiLayered3", "Millo-Drums_v.1")
    kits = [from_hydrogen(hydrogen / name) for name in names]
    return kits + from_soundfont(unpacked(packages.AVL) / "Red_Zeppelin_4_LV2.sf2", (0,), bank=0)


def unheard() -> list[Kit]:
    """Kits for tests."""
    hydrogen = unpacked(packages.HYDROGEN_KITS)
    kits = from_soundfont(timgm(), (0, 8, 16, 24, 25, 32, 40))
    kits += [
        from_hydrogen(hydrogen / name) for name in ("ColomboAcousticDrumkit", "BJA_Pacific", "VariBreaks")
    ]
    kits += [from_hydrogen(unpacked(packages.HYDROGEN) / name) for name in ("GMRockKit", "TR808EmulationKit")]
    return kits + from_soundfont(unpacked(packages.AVL) / "Black_Pearl_4_LV2.sf2", (0,), bank=0)
