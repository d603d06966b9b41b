"""The Python tools, each set in its own venv under .local, from pinned requirements."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

from layout import LOCAL
from progress import Trouble, run, step

REQUIREMENTS = Path(__file__).resolve().parent
OLDEST_PYTHON = (3, 10)  # MiniStack's


def install(with_tests=False):
    """Makes each venv, once per set of pinned versions."""
    if sys.version_info < OLDEST_PYTHON:
        raise Trouble(f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed; this is {sys.version.split()[0]}.")
    with step("tools") as happened:
        sets = ("engine", "sam", *(("openapi",) if with_tests else ()))
        happened += [f"{name} installed" for name in sets if install_venv(name)]


def install_venv(name):
    requirements = REQUIREMENTS / f"requirements-{name}.txt"
    stamp = venv(name) / "stamp"
    # A venv works only where it was made, with the Python that made it.
    wanted = hashlib.sha256(f"{venv(name)} {sys.version} {requirements.read_text()}".encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return False

    shutil.rmtree(venv(name), ignore_errors=True)
    run(f"venv-{name}", [sys.executable, "-m", "venv", venv(name)], dict(os.environ),
        "Python's venv module is needed; on Debian: apt-get install python3-venv")
    run(f"pip-{name}", [venv(name) / "bin/pip", "install", "--quiet", "--requirement", requirements], dict(os.environ),
        "The pinned packages could not be installed. Is the package index reachable?")
    stamp.write_text(wanted)
    return True


def venv(name):
    return LOCAL / f"venv-{name}"


def sam():
    return venv("sam") / "bin/sam"
