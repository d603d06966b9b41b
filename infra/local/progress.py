"""One readable line per step on the screen, the tools' own chatter in .local/logs."""

import contextlib
import subprocess
import time

from layout import LOGS, ROOT

LAST_LINES = 25


class Trouble(Exception):
    """Something a person has to put right; the text says how."""


@contextlib.contextmanager
def step(subject):
    """Prints `subject  what happened (seconds)`; the body appends what happened to the list it gets."""
    start = time.monotonic()
    happened = []
    yield happened
    print(f"  {subject:<10} {', '.join(happened) or 'ready'} ({time.monotonic() - start:.1f} s)", flush=True)


def run(name, command, environment, remedy):
    """Runs `command` in the project with its output in .local/logs/<name>.log."""
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{name}.log"
    with path.open("wb") as log:
        try:
            finished = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        except FileNotFoundError as error:
            raise Trouble(f"{command[0]} is not installed.\n{remedy}") from error
    if finished.returncode != 0:
        raise Trouble(f"{last_lines(path)}\n`{' '.join(map(str, command))}` failed.\n{remedy}\nAll of its output: {path}")


def last_lines(path):
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join(f"  | {line}" for line in lines[-LAST_LINES:])
