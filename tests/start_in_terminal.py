"""Start a program in a pseudo-terminal, wait until it has drawn, press q, and hold it to a clean exit.

usage: start_in_terminal.py COMMAND [ARGUMENT...]     status 0: it drew, left at q with status 0, and left no mode on
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

DRAWN = 400
DEADLINE_SECONDS = 30.0
MODES = (b"1049", b"1000", b"1003", b"1004", b"1006", b"2004")


def read_until(descriptor: int, out: bytearray, done, deadline: float) -> bool:
    while time.monotonic() < deadline:
        ready, _, _ = select.select([descriptor], [], [], 0.1)
        if ready:
            try:
                chunk = os.read(descriptor, 65536)
            except OSError:
                chunk = b""
            if not chunk:
                return done()
            out += chunk
        if done():
            return True
    return False


def main(command: list[str]) -> int:
    pid, descriptor = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
        os.execvp(command[0], command)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
    out = bytearray()
    deadline = time.monotonic() + DEADLINE_SECONDS
    drew = read_until(descriptor, out, lambda: len(out) > DRAWN and b"$" in out, deadline)
    os.write(descriptor, b"q")
    read_until(descriptor, out, lambda: False, time.monotonic() + 8)
    _, status = os.waitpid(pid, 0)
    left_on = [mode.decode() for mode in MODES if out.rfind(b"?" + mode + b"h") > out.rfind(b"?" + mode + b"l")]
    code = os.waitstatus_to_exitcode(status)
    print(f"drew: {drew}, {len(out)} bytes; exit status {code}; modes left on: {left_on or 'none'}")
    return 0 if drew and code == 0 and not left_on else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
