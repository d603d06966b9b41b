"""Where things are. Everything that is made at run time stands in .local, so deleting that folder forgets it all."""

import json
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
LOGS = LOCAL / "logs"
STATE = LOCAL / "state"  # what was uploaded to the engine; as all that it holds, only until it stops
TEMPORARY = LOCAL / "tmp"  # where the engine unpacks the functions
BUILD = LOCAL / "build"  # what `sam build` makes; apart from .aws-sam, which a real deployment uses
STACK = LOCAL / "stack.json"  # what tests, demo and people read: urls, names, ids
PORTS = LOCAL / "ports.json"
PROCESSES = LOCAL / "processes.json"
DEPLOYED = LOCAL / "deployed.json"
APP = LOCAL / "app.json"  # the simulated Shopify app's id and secret; only its owner may read it


def read_json(path):
    return json.loads(path.read_text()) if path.exists() else {}


def write_json(path, value, mode=0o644):
    """Writes all or nothing: a reader never meets half a file."""
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    unfinished.replace(path)
