"""The functions: compiled, packaged and deployed on the engine by the same template that AWS gets."""

import hashlib
import os
import re

import engine
import processes
from layout import BUILD, DEPLOYED, ROOT, read_json, write_json
from progress import Trouble, run, step
from tools import sam, venv

STACK_NAME = "roundtrip-local"

# Compiling in minutes what AWS gets optimised for size: a debug build, without the debug information.
QUICK_BUILD = {
    "CARGO_LAMBDA_COMPILER": "cargo",  # no cross-compiler: the functions run on this machine
    "CARGO_PROFILE_DEV_DEBUG": "none",
    "CARGO_PROFILE_DEV_STRIP": "symbols",
    "SAM_BUILD_MODE": "debug",
}


def build():
    environment = {**os.environ, **sam_environment(), **QUICK_BUILD}
    with step("functions") as happened:
        # All at once first: `sam build` compiles one function after the other and would leave a core idle.
        run("compile", ["cargo", "lambda", "build"], environment, "Does `cargo build` work?")
        run("build", [sam(), "build", "--config-env", "local", "--build-dir", BUILD], environment,
            "Does each function in template.yaml name a bin in functions/src/bin?")
        happened.append("built")


def deploy():
    """Deploys unless this very build is deployed. Returns the stack's outputs."""
    parameters = parameter_overrides()
    wanted = fingerprint(parameters)
    with step("stack") as happened:
        outputs = engine.stack_outputs(STACK_NAME)
        if outputs and read_json(DEPLOYED).get("fingerprint") == wanted:
            happened.append("is up to date")
            return outputs
        command = [sam(), "deploy", "--config-file", ROOT / "samconfig.toml", "--config-env", "local",
                   "--template-file", BUILD / "template.yaml", "--parameter-overrides", *parameters]
        run("deploy", command, {**engine.client_environment(), **sam_environment()},
            "If the stack is beyond repair, start afresh: python3 infra/local/stack.py reset")
        outputs = engine.stack_outputs(STACK_NAME)
        if outputs is None:
            raise Trouble("The deployed stack is not whole. See .local/logs/deploy.log and .local/logs/engine.log")
        write_json(DEPLOYED, {"fingerprint": wanted})
        happened.append("deployed")
        return outputs


def sam_environment():
    return {"PATH": f"{venv('sam') / 'bin'}{os.pathsep}{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0",
            "AWS_DEFAULT_REGION": engine.REGION}


def parameter_overrides():
    """samconfig.toml's [local] values and the two that hold ports."""
    return [*configured_overrides(), f"ApiDomain={engine.domain()}",
            f"ShopifyEndpoint=http://127.0.0.1:{processes.port('simulator')}/{{shop}}"]


def configured_overrides():
    section = (ROOT / "samconfig.toml").read_text().partition("[local.deploy.parameters]")[2]
    return re.search(r'^parameter_overrides = "(.*)"$', section, re.MULTILINE)[1].split()


def fingerprint(parameters):
    digest = hashlib.sha256("\n".join(parameters).encode())
    for path in sorted(path for path in BUILD.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(BUILD)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
