"""Whether SO_DEBUG is on for each TCP socket of a process: a line `PORT 0` or `PORT 1` for each. For root alone.

debugged-sockets.py PID
"""

import ctypes
import os
import socket
import sys

pidfd_getfd = 438  # On every architecture of Linux that has it.

process = os.pidfd_open(int(sys.argv[1]))
for name in os.listdir(f"/proc/{sys.argv[1]}/fd"):
    descriptor = ctypes.CDLL(None).syscall(pidfd_getfd, process, int(name), 0)
    if descriptor < 0 or not os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:"):
        continue
    copy = socket.socket(fileno=descriptor)
    if copy.family in (socket.AF_INET, socket.AF_INET6) and copy.type == socket.SOCK_STREAM:
        print(copy.getsockname()[1], copy.getsockopt(socket.SOL_SOCKET, socket.SO_DEBUG))
