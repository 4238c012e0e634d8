"""What a process may no longer do, enforced by the kernel: FFmpeg opens files and sockets in C, where no
hook of Python's sees it.

Linux on x86-64; no privilege is needed, and nothing but the C library.
"""

import ctypes
import os
import platform
import struct

_SYSTEM_CALLS = {
    "open": 2,
    "socket": 41,
    "connect": 42,
    "fork": 57,
    "vfork": 58,
    "execve": 59,
    "creat": 85,
    "openat": 257,
    "open_by_handle_at": 304,
    "execveat": 322,
    "io_uring_setup": 425,
    "openat2": 437,
}

# linux/filter.h, linux/seccomp.h, linux/audit.h, linux/prctl.h
_LOAD, _IF_EQUAL, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _THIRD_ARGUMENT = 0, 4, 16 + 2 * 8
_X86_64 = 0xC000_003E
_KILL, _ALLOW = 0x8000_0000, 0x7FFF_0000
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def open_nothing_more() -> None:
    """From here on the kernel kills this process (SIGSYS) if it opens a file that it does not create, opens
    a socket, or starts a program.

    Threads that run already are not confined; those started later are.
    """
    if platform.machine() != "x86_64":
        raise NotImplementedError(f"No numbers of system calls for {platform.machine()}.")
    library = ctypes.CDLL(None, use_errno=True)
    instructions = _instructions()
    buffer = ctypes.create_string_buffer(instructions)
    program = _Program(len(instructions) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    for arguments in (
        (_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0),
        (_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0),
    ):
        if library.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "The kernel refused to confine this process")


def _instructions() -> bytes:
    """A filter in the kernel's own bytecode; jumps count instructions ahead, if so and if not."""
    forbidden = [number for name, number in _SYSTEM_CALLS.items() if name != "openat"]
    count = len(forbidden)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 0, count + 5, _X86_64),
        (_LOAD, 0, 0, _NUMBER),
        (_IF_EQUAL, count + 1, 0, _SYSTEM_CALLS["openat"]),
        *((_IF_EQUAL, count + 2 - place, 0, number) for place, number in enumerate(forbidden)),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _THIRD_ARGUMENT),
        (_IF_ANY_BIT, 1, 0, os.O_CREAT),
        (_RETURN, 0, 0, _KILL),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
