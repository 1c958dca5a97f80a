"""Becomes another program: as an account that PostgreSQL accepts, and bound to the life of the process that started it.

Run as a script: `python -I -S launch.py SIGNAL PARENT ACCOUNT PROGRAM ARGUMENT…`. SIGNAL is sent by the
kernel when PARENT dies, by kill -9 too (Linux; elsewhere nothing is sent). ACCOUNT is `self`, `nobody`, or `namespace`
(a user namespace of its own, for a root that may not change its user id).
A script of its own, and not a function run between fork and exec, because only that is safe beside threads.
"""

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000


def become(account: str) -> None:
    """Gives up root for the account; raises OSError where the machine does not allow it."""
    if account == "nobody":
        entry = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    elif account == "namespace":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "unshare")


def end_with(parent: int, wanted: int) -> None:
    """Asks the kernel for the signal at the parent's death; called after `become`, which would clear it."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, wanted, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel knew our wish
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    wanted, parent, account = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    become(account)
    end_with(parent, wanted)
    os.execv(sys.argv[4], sys.argv[4:])
