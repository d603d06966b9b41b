#!/usr/bin/env python3
"""Roundtrip on this machine: template.yaml deployed on a local AWS engine, beside a simulated Shopify.

  up               start what is not running, rebuild and redeploy what changed
  down             stop it and forget its data
  status           what runs, and where
  logs [function]  what the functions wrote, e.g. `logs order-push`
  reset            as down, and forget ports and secrets
  tools            only install the pinned tools that `make check` and `make deploy` use

Everything listens on 127.0.0.1 only. Addresses, names and ids are in .local/stack.json.
"""

import argparse
import fcntl
import re
import sys
import time

import engine
import functions
import processes
import simulator
import tools
from layout import APP, LOCAL, PORTS, PROCESSES, STACK, read_json, write_json
from progress import Trouble, step


def up(with_tests):
    start = time.monotonic()
    tools.install(with_tests)
    functions.build()
    simulator.build(with_tests)
    if not simulator.is_current():
        # Its stores go with it, and what a ledger knows of stores that are gone is rubbish.
        simulator.stop()
        engine.stop()
    engine.start()
    simulator.start()
    outputs = functions.deploy()
    engine.put_secret(outputs["ShopifyAppSecretId"], simulator.app())
    write_json(STACK, describe(outputs))
    print(f"Up after {time.monotonic() - start:.0f} s: {read_json(STACK)['api_url']}")


def down():
    STACK.unlink(missing_ok=True)
    for name, stop in (("simulator", simulator.stop), ("engine", engine.stop)):
        with step(name) as happened:
            happened.append("stopped" if stop() else "was not running")


def status():
    for name, url in (("engine", engine.url()), ("simulator", simulator.url())):
        running = processes.pid(name)
        print(f"  {name:<10} {f'process {running} on {url}' if running else 'not running'}")
    print(f"  {'stack':<10} {read_json(STACK).get('api_url', 'not up; run `make up`')}")


def logs(wanted):
    names = the_stack()["functions"]
    if wanted and wanted not in names:
        raise Trouble(f"There is no function {wanted}. There are: {', '.join(names)}")
    lines = []
    for name in [wanted] if wanted else names:
        lines += [(at, name, line) for at, line in engine.log_lines(f"/aws/lambda/{names[name]}")]
    for at, name, line in sorted(lines, key=lambda entry: entry[0]):
        print(time.strftime("%H:%M:%S", time.localtime(at / 1000)), name, line)


def reset():
    down()
    for path in (PORTS, PROCESSES, APP):
        path.unlink(missing_ok=True)


def the_stack():
    if not STACK.exists():
        raise Trouble("The stack is not up. Start it: make up")
    return read_json(STACK)


def describe(outputs):
    """What a test or a person needs to speak to the stack."""
    api_id = outputs["ApiUrl"].partition("//")[2].partition(".")[0]
    return {
        "stack": functions.STACK_NAME,
        "region": engine.REGION,
        "engine_url": engine.url(),
        "api_url": outputs["ApiUrl"],  # `*.localhost` is this machine, but not every resolver knows
        "api_path_url": f"{engine.url()}/_aws/execute-api/{api_id}",  # the same API by a path
        "api_host": outputs["ApiUrl"].partition("//")[2],  # the same API by this Host header on engine_url
        "webhook_url": outputs["WebhookUrl"],
        "sim_url": simulator.url(),
        "tables": {"ledger": outputs["LedgerTable"], "registry": outputs["RegistryTable"]},
        "queues": named(outputs, "QueueUrl"),
        "dlqs": named(outputs, "DlqUrl"),
        "secrets": {"shopify_app": outputs["ShopifyAppSecretId"], "operator": outputs["OperatorSecretId"],
                    "chat_webhook": outputs["ChatWebhookSecretId"]},
        "token_key": outputs["TokenKeyId"],
        "topics": {"alarms": outputs["AlarmTopicArn"], "notifications": outputs["NotificationsTopicArn"]},
        "functions": named(outputs, "Function"),
        "pids": {name: processes.pid(name) for name in ("engine", "simulator")},
    }


def named(outputs, suffix):
    """`OrderPushQueueUrl: x` becomes `order-push: x`."""
    return {kebab(key[:-len(suffix)]): value for key, value in sorted(outputs.items()) if key.endswith(suffix)}


def kebab(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def one_at_a_time():
    LOCAL.mkdir(exist_ok=True)
    lock = (LOCAL / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Trouble("Another stack.py is at work here. Wait for it to finish.") from error
    return lock


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["up", "down", "status", "logs", "reset", "tools"])
    parser.add_argument("function", nargs="?", help="for `logs`: only this function's")
    parser.add_argument("--with-tests", action="store_true", help="for `up`: compile the tests along with the simulator")
    arguments = parser.parse_args()
    reading = {"status": status, "logs": lambda: logs(arguments.function)}
    changing = {"up": lambda: up(arguments.with_tests), "down": down, "reset": reset, "tools": tools.install}
    try:
        if arguments.command in reading:
            reading[arguments.command]()
        else:
            with one_at_a_time():
                changing[arguments.command]()
    except Trouble as trouble:
        sys.exit(f"\n{trouble}")


if __name__ == "__main__":
    main()
