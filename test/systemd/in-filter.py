"""Becomes a program under the system call filter that systemd would set: in-filter.py NAMES FAMILIES PROGRAM ARGUMENT...

NAMES is a file with the system calls that are allowed, one a line; FAMILIES lists address families by number. Any other call
ends the process (SIGSYS), where a unit may just have it fail: here it is to be seen.
"""

import ctypes
import os
import sys

KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000
EQUAL = 4
PR_SET_NO_NEW_PRIVS = 38


class Comparison(ctypes.Structure):
    _fields_ = [
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("datum", ctypes.c_uint64),
        ("other", ctypes.c_uint64),
    ]


library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
library.seccomp_init.restype = ctypes.c_void_p
library.seccomp_init.argtypes = [ctypes.c_uint32]
library.seccomp_rule_add_array.argtypes = [
    ctypes.c_void_p,
    ctypes.c_uint32,
    ctypes.c_int,
    ctypes.c_uint,
    ctypes.POINTER(Comparison),
]
library.seccomp_load.argtypes = [ctypes.c_void_p]


def must(result):
    if result != 0:
        raise OSError(-result, os.strerror(-result))


def allow(name, *comparisons):
    number = library.seccomp_syscall_resolve_name(name.encode())
    # One that this machine's kernel does not have.
    if number < 0:
        return
    array = (Comparison * len(comparisons))(*comparisons)
    must(library.seccomp_rule_add_array(context, ALLOW, number, len(comparisons), array))


names, families, program = sys.argv[1], sys.argv[2], sys.argv[3:]
context = library.seccomp_init(KILL_PROCESS)
with open(names, encoding="ascii") as lines:
    for name in map(str.strip, lines):
        if name != "socket":
            allow(name)
for family in families.split(","):
    allow("socket", Comparison(0, EQUAL, int(family), 0))
libc = ctypes.CDLL(None, use_errno=True)
must(-ctypes.get_errno() if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) else 0)
must(library.seccomp_load(context))
os.execvp(program[0], program)
