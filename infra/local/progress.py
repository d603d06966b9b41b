"""One readable line per step on the screen, the tools' own chatter in .local/logs."""

import contextlib
import shutil
import subprocess
import sys
import time

from layout import LOGS, ROOT

LAST_LINES = 25
CLEAR_LINE = "\r\033[K"


class Trouble(Exception):
    """Something a person has to put right; the text says how."""


@contextlib.contextmanager
def step(subject):
    """Prints `subject  what happened (seconds)`; the body appends what happened to the list it gets."""
    start = time.monotonic()
    happened = []
    show(f"  {subject:<10} …")
    try:
        yield happened
    finally:
        show("")
    print(f"  {subject:<10} {', '.join(happened) or 'ready'} ({time.monotonic() - start:.1f} s)", flush=True)


def show(text):
    """On a terminal, what is going on just now, in a line that the next one takes the place of."""
    if sys.stdout.isatty():
        print(f"{CLEAR_LINE}{text[:shutil.get_terminal_size().columns - 1]}", end="", flush=True)


def run(name, command, environment, remedy):
    """Runs `command` in the project with its output in .local/logs/<name>.log."""
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{name}.log"
    with path.open("wb") as log:
        try:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        except FileNotFoundError as error:
            raise Trouble(f"{command[0]} is not installed.\n{remedy}") from error
        start = time.monotonic()
        while (status := wait_a_second(process)) is None:
            show(f"  {name:<10} {time.monotonic() - start:.0f} s  {last_line(path)}")
    if status != 0:
        raise Trouble(f"{last_lines(path)}\n`{' '.join(map(str, command))}` failed.\n{remedy}\nAll of its output: {path}")


def wait_a_second(process):
    """How the process ended; None if it has not."""
    try:
        return process.wait(1)
    except subprocess.TimeoutExpired:
        return None


def last_line(path):
    lines = path.read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def last_lines(path):
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join(f"  | {line}" for line in lines[-LAST_LINES:])
