"""The simulated Shopify: built with cargo, started on loopback with an app of its own."""

import os
import secrets

import processes
from layout import APP, ROOT, read_json, write_json
from progress import run, step

START_SECONDS = 30

# Cargo compiles a dependency again for each set of its features that is asked for. So the simulator is compiled
# together with what runs next: nothing twice.
WITH_DEMO = ["--package", "shopify-sim", "--package", "roundtrip-local"]
WITH_TESTS = ["--workspace", "--all-targets"]


def app():
    """The app's credentials as `ShopifyAppSecret` holds them; made up once per machine."""
    if not APP.exists():
        write_json(APP, {"client_id": secrets.token_hex(16), "client_secret": f"shpss_{secrets.token_hex(16)}",
                         "previous_client_secret": None}, mode=0o600)
    return read_json(APP)


def url():
    return f"http://127.0.0.1:{processes.port('simulator')}"


def build(with_tests):
    with step("simulator") as happened:
        packages = WITH_TESTS if with_tests else WITH_DEMO
        run("simulator-build", ["cargo", "build", *packages], dict(os.environ), "Does `cargo build` work?")
        happened.append("built")


def is_current():
    """Whether it runs, and as it was built last."""
    return processes.pid("simulator") is not None and not processes.is_outdated("simulator")


def start():
    with step("simulator") as happened:
        if processes.pid("simulator"):
            happened.append(f"runs on {url()}")
            return
        port = processes.port("simulator")
        processes.start("simulator", command(port), environment(), port, lambda: processes.is_taken(port), START_SECONDS)
        happened.append(f"started on {url()}")


def stop():
    return processes.stop("simulator")


def command(port):
    target = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    return [target / "debug/shopify-sim", "serve", "--port", str(port), "--client-id", app()["client_id"]]


def environment():
    return {**os.environ, "SHOPIFY_SIM_CLIENT_SECRET": app()["client_secret"]}
