"""What a process that reads a stranger's file may still ask of Linux: memory, threads, and what it has open.

It needs no privilege, and nothing but the C library. `seccomp` has the kernel run a small program before each
system call. It sees the call's number and arguments, but nothing that these point to: it can refuse to open a
file, and cannot tell which. So what is needed is opened first, and then nothing is.
"""

import ctypes
import errno
import os
import struct

# What decoding asks for, and its numbers on x86-64 and 64-bit ARM (asm/unistd_64.h, asm-generic/unistd.h).
# None takes a file's name or reaches another process.
_ALLOWED = {
    "read": (0, 63),
    "write": (1, 64),
    "writev": (20, 66),  # the C library's last words
    "close": (3, 57),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),  # how many threads are worth starting
    "set_robust_list": (273, 99),  # this and the next by each thread for itself
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "getrandom": (318, 278),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_CLONE_THREAD = 0x0001_0000  # linux/sched.h
_ARCHITECTURES = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}  # linux/audit.h

# linux/bpf_common.h: load a word of what is known of the call, jump, return
_LOAD, _IF_EQUAL, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
# linux/seccomp.h: struct seccomp_data, the lower half of an argument first; and what may be returned
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW = 0x7FFF_0000
KILL = 0x8000_0000
REFUSE = 0x0005_0000 | errno.ENOSYS  # as if the kernel had no such call, for which libraries are prepared
# linux/prctl.h
_SET_DUMPABLE, _SET_SECCOMP, _SET_NO_NEW_PRIVILEGES = 4, 22, 38
_FILTER = 2


class _Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def forbid_inspection() -> None:
    """From here on other processes of the same user can neither trace this one nor read its memory or
    environment, in /proc either. Nor can a debugger that is attached.

    Raises
    ------
    OSError
        The kernel has no such thing.
    """
    _prctl("PR_SET_DUMPABLE", _SET_DUMPABLE, 0)


def confine(otherwise: int = REFUSE) -> None:
    """From here on this process can work on what it has open, and start threads. It can open nothing more,
    name no file, make no socket, start no process, signal none. There is no way back.

    Threads that run already are not confined; those started later are.

    Parameters
    ----------
    otherwise : int, optional
        What becomes of any other call: `REFUSE`, or `KILL`, which ends the process with SIGSYS.

    Raises
    ------
    OSError
        The kernel does not offer this, or forbids it.
    """
    instructions = _instructions(os.uname().machine, otherwise)
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    program = _Program(len(instructions) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    _prctl("PR_SET_NO_NEW_PRIVS", _SET_NO_NEW_PRIVILEGES, 1)
    _prctl("PR_SET_SECCOMP", _SET_SECCOMP, _FILTER, ctypes.addressof(program))


def _prctl(name: str, *arguments: int) -> None:
    prctl = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)  # of Linux alone
    if prctl is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), name)
    if prctl(*(ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:5])):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), name)


def _instructions(machine: str, otherwise: int) -> bytes:
    """A filter as an array of struct sock_filter; jumps count instructions ahead, if so and if not."""
    if machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"No numbers of system calls are known for {machine}")
    column, architecture = _ARCHITECTURES[machine]
    steps = [
        # Numbers mean something else to another architecture, as 32-bit programs have it on this kernel.
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    for numbers in _ALLOWED.values():
        steps += [(_IF_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _ALLOW)]
    steps += [
        # Its flags are where no filter sees them. The C library does without it, as on older kernels.
        (_IF_EQUAL, 0, 1, _CLONE3[column]),
        (_RETURN, 0, 0, REFUSE),
        # A thread is fine, a process is not.
        (_IF_EQUAL, 0, 3, _CLONE[column]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_IF_ANY_BIT, 0, 1, _CLONE_THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, otherwise),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
