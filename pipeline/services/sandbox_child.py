"""Confine this very process, then run one script in it; started by `sandbox`, never imported.

The process gives up what a check does not need, for good: memory, time and files by limits of the
kernel, the file system but Python's own library by Landlock, and network, new processes, signals
and debugging by a filter of system calls. Which of these this machine could do is written to a
descriptor that the script never sees.
"""

import ctypes
import json
import os
import platform
import resource
import sys

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
#: Rights over files that Landlock knows, by the version of its interface.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
_NEWEST_RIGHTS = 3
#: Machine, its number in the kernel's audit, and the numbers of the refused system calls, by what
#: they are for. Landlock leaves owners, modes, times and attributes of files alone, so they are
#: here.
_REFUSED: dict[str, tuple[int, dict[str, tuple[int, ...]]]] = {
    "x86_64": (0xC000003E, {
        "network": (41, 42, 49, 50, 53),
        "processes and programs": (56, 57, 58, 59, 322, 435),
        "signals": (62, 129, 200, 234, 297, 424, 434, 438),
        "debugging": (101, 298, 310, 311, 321, 323),
        "attributes of files": (90, 91, 92, 93, 94, 132, 188, 189, 190, 197, 198, 199, 235, 260,
                                261, 268, 280, 303, 304, 452, 463, 466),
        "shared memory and queues": (29, 30, 64, 68, 240, 425),
        "name spaces and mounts": (155, 161, 165, 166, 272, 308, 428, 429, 430, 431, 432, 433, 442),
        "limits and priority": (141, 144, 160, 203, 302),
        "the machine": (159, 163, 164, 167, 168, 169, 170, 171, 172, 173, 175, 227, 246, 248, 249,
                        250, 305, 313, 320),
    }),
    "aarch64": (0xC00000B7, {
        "network": (198, 199, 200, 201, 203),
        "processes and programs": (220, 221, 281, 435),
        "signals": (129, 130, 131, 138, 240, 424, 434, 438),
        "debugging": (117, 241, 270, 271, 280, 282),
        "attributes of files": (5, 6, 7, 14, 15, 16, 52, 53, 54, 55, 88, 264, 265, 452, 463, 466),
        "shared memory and queues": (180, 186, 190, 194, 196, 425),
        "name spaces and mounts": (39, 40, 41, 51, 97, 268, 428, 429, 430, 431, 432, 433, 442),
        "limits and priority": (119, 122, 140, 164, 261),
        "the machine": (89, 104, 105, 112, 142, 161, 162, 170, 171, 217, 218, 219, 224, 225, 266,
                        273, 294),
    }),
}  # fmt: skip
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | 1
#: System calls of another binary interface of the same machine begin here.
_FOREIGN_CALLS = 0x40000000


class _Instruction(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_ushort),
        ("yes", ctypes.c_ubyte),
        ("no", ctypes.c_ubyte),
        ("value", ctypes.c_uint32),
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction))]


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64)]


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("rights", ctypes.c_uint64), ("descriptor", ctypes.c_int32)]


def main() -> None:
    """Run a script; the arguments are the limits, its path, and where to write what was done."""
    limits, path, report = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib is a slow import here
        code = compile(file.read(), "check.py", "exec")
    _limit(limits)
    os.write(report, json.dumps(_confine()).encode())
    os.close(report)
    os.environ.clear()
    sys.argv[:] = ["check.py"]
    exec(code, {"__name__": "__main__", "__builtins__": __builtins__})  # noqa: S102 - its purpose


def _limit(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        number = getattr(resource, f"RLIMIT_{name}", None)
        if number is not None:
            resource.setrlimit(number, (value, value))


def _confine() -> list[str]:
    """Give up files and system calls; return the names of what could be given up."""
    if sys.platform != "linux":
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return []
    done = ["files"] if _confine_files(libc) else []
    return [*done, "network", "processes"] if _refuse_calls(libc) else done


def _confine_files(libc: ctypes.CDLL) -> bool:
    """Leave nothing of the file system but reading what Python itself is made of."""
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    rights = _FILE_RIGHTS[min(version, _NEWEST_RIGHTS)]
    rules = _Ruleset(rights)
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.sizeof(rules), 0)
    if ruleset < 0:
        return False
    for place in {os.path.dirname(os.__file__), "/usr/lib", "/lib", "/lib64"}:  # noqa: PTH120
        _allow_reading(libc, ruleset, place)
    return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)


def _allow_reading(libc: ctypes.CDLL, ruleset: int, place: str) -> None:
    try:
        descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    rule = _PathRule(_READ_FILE | _READ_DIR, descriptor)
    libc.syscall(_ADD_RULE, ruleset, 1, ctypes.byref(rule), 0)
    os.close(descriptor)


def _refuse_calls(libc: ctypes.CDLL) -> bool:
    """Let the kernel refuse system calls that a check has no use for."""
    if platform.machine() not in _REFUSED:
        return False
    machine, groups = _REFUSED[platform.machine()]
    refused = [call for calls in groups.values() for call in calls]
    last = len(refused)
    steps = [
        (_LOAD, 0, 0, 4),
        (_JUMP_IF_EQUAL, 1, 0, machine),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_JUMP_IF_AT_LEAST, 0, 1, _FOREIGN_CALLS),
        (_RETURN, 0, 0, _KILL),
        *((_JUMP_IF_EQUAL, last - place, 0, call) for place, call in enumerate(refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    code = (_Instruction * len(steps))(*(_Instruction(*step) for step in steps))
    program = _Program(len(steps), code)
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program)) == 0)


if __name__ == "__main__":
    main()
