"""Machines that do not exist: processes and listening ports, as a scan would have found them."""

import threading

from infertop.engine.processes import LOOPBACK, Listener, Process, Scan


class World:
    """Processes and ports that a test adds and takes away; `scan` looks at them as they are now."""

    def __init__(self):
        self.processes = {1: Process(1, None, 0.0, "systemd", ("/sbin/init",))}
        self.listeners = []
        self.listable = True
        self.names = LOOPBACK | {"gpu-box", "10.0.0.5"}
        self.networks = {}
        self.boxed = False
        self.scans = 0

    def start(self, pid, command, parent=1, port=None, name="", started=100.0, host="127.0.0.1", user=None):
        argv = tuple(command.split()) if isinstance(command, str) else tuple(command)
        shown = name or (argv[0].rsplit("/", 1)[-1] if argv else "")
        self.processes[pid] = Process(pid, parent, started, shown, argv, user)
        if port is not None:
            self.listeners.append(Listener(host, port, pid))

    def listen(self, port, pid=None, host="127.0.0.1", user=None):
        self.listeners.append(Listener(host, port, pid, user))

    def stop(self, *pids):
        for pid in pids:
            del self.processes[pid]
        self.listeners = [each for each in self.listeners if each.pid not in pids]

    def scan(self):
        self.scans += 1
        listeners = tuple(self.listeners) if self.listable else None
        return Scan(listeners, self.names, dict(self.processes).get, self.sweep, self.networks.get, self.boxed)

    def sweep(self, matches):
        return [pid for pid, each in self.processes.items() if matches(each.argv)]


class Stuck:
    """A look at a world that does not come back while it `hangs`, until it is `released`."""

    def __init__(self, world):
        self._world = world
        self.hangs = False
        self.released = threading.Event()

    def __call__(self):
        if self.hangs:
            self.released.wait(30)
        return self._world.scan()
