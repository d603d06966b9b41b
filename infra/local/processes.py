"""Background processes that outlive this program: started, recognised and stopped by what .local/processes.json says."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from layout import LOGS, PORTS, PROCESSES, ROOT, read_json, write_json
from progress import Trouble, last_lines

HAS_PROC = Path("/proc/self/stat").exists()  # Linux; elsewhere `ps` is asked
STOP_SECONDS = 60


def port(name):
    """The port `name` got the first time, so that addresses stay valid over restarts."""
    ports = read_json(PORTS)
    if name not in ports:
        ports[name] = free_port()
        write_json(PORTS, ports)
    return ports[name]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pid(name):
    """The process id of `name` if it runs and is the very process that was started here, else None."""
    record = read_json(PROCESSES).get(name)
    if record and started(record["pid"]) == record["started"] and record["program"] in command_line(record["pid"]):
        return record["pid"]
    return None


def is_outdated(name):
    """Whether the program of the running `name` was built anew since."""
    record = read_json(PROCESSES).get(name)
    return bool(record) and built(record["program"]) != record["built"]


def start(name, command, environment, listens_on, ready, seconds):
    """Starts `command` in the background and waits until `ready()`."""
    if is_taken(listens_on):
        raise Trouble(f"Port {listens_on}, which the {name} had before, is taken by another program.\n"
                      "Stop that program, or start afresh on other ports: python3 infra/local/stack.py reset")
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=output, start_new_session=True)
    remember(name, process.pid, command[0])
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise Trouble(f"{last_lines(log)}\nThe {name} stopped at once. All of its output: {log}")
        if time.monotonic() > deadline:
            stop(name)
            raise Trouble(f"{last_lines(log)}\nThe {name} was not ready after {seconds} s. All of its output: {log}")
        time.sleep(0.1)


def stop(name):
    """Asks `name` to stop and waits for it. Says whether there was anything to stop."""
    running = pid(name)
    if running is None:
        return False
    os.kill(running, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while pid(name) is not None:
        if time.monotonic() > deadline:
            raise Trouble(f"The {name} (process {running}) did not stop in {STOP_SECONDS} s. End it by hand: kill -9 {running}")
        reap(running)
        time.sleep(0.1)
    forget(name)
    return True


def remember(name, running, program):
    record = {"pid": running, "started": started(running), "program": str(program),
              "built": built(program)}
    write_json(PROCESSES, {**read_json(PROCESSES), name: record})


def built(program):
    return Path(program).stat().st_mtime_ns


def forget(name):
    write_json(PROCESSES, {key: value for key, value in read_json(PROCESSES).items() if key != name})


def started(process):
    """When the process started, or None if there is none: a process id alone may meanwhile be somebody else's."""
    if not HAS_PROC:
        return ps("lstart", process) or None
    try:
        # The name in brackets may hold blanks; behind it the 1st field is the state, the 20th the start time.
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def command_line(process):
    if not HAS_PROC:
        return ps("command", process)
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def ps(field, process):
    return subprocess.run(["ps", "-o", f"{field}=", "-p", str(process)], capture_output=True, text=True).stdout.strip()


def reap(process):
    try:
        os.waitpid(process, os.WNOHANG)
    except ChildProcessError:
        pass  # started by an earlier run: not our child


def is_taken(number):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", number)) == 0
