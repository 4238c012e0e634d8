"""For programs that a test starts and then interrupts."""

import signal


def heed_ctrl_c() -> None:
    """Undo, in the new process, that a shell has what it starts in the background ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
