"""MiniStack, the local AWS engine: how it is started and spoken to."""

import http.client
import json
import os
import shutil
import urllib.parse
import xml.etree.ElementTree as xml

import processes
from layout import DEPLOYED, STATE, TEMPORARY
from progress import Trouble, step
from tools import venv

REGION = "us-east-1"
ACCOUNT = "000000000000"
KEY = "test"  # the engine's root user; nothing outside this machine knows it
START_SECONDS = 60


def url():
    return f"http://127.0.0.1:{processes.port('engine')}"


def domain():
    """What follows an API's id in its host name."""
    return f"execute-api.localhost:{processes.port('engine')}"


def start():
    with step("engine") as happened:
        if processes.pid("engine"):
            happened.append(f"runs on {url()}")
            return
        for folder in (STATE, TEMPORARY):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        DEPLOYED.unlink(missing_ok=True)
        port = processes.port("engine")
        processes.start("engine", [venv("engine") / "bin/ministack"], server_environment(port), port, is_ready, START_SECONDS)
        happened.append(f"started on {url()}")


def stop():
    return processes.stop("engine")


def server_environment(port):
    """All that the engine, and with it each function, gets to see of this machine's environment."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "TMPDIR": str(TEMPORARY),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "PERSIST_STATE": "0",
        "STATE_DIR": str(STATE),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(STATE / "s3"),
        "AUTH": "true",  # each function may do what its role in template.yaml allows, and nothing else
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",  # handed on to the functions
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }


def client_environment():
    """For tools that speak to the engine: they must never reach a real account by the user's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_ENDPOINT_URL": url(),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def is_ready():
    try:
        return request("GET", "/_ministack/ready", b"", {})[0] == 200
    except OSError:
        return False


def stack_outputs(name):
    """The outputs of a deployed stack, or None if it is not there or not whole."""
    query = urllib.parse.urlencode({"Action": "DescribeStacks", "Version": "2010-05-15", "StackName": name})
    status, body = request("POST", "/", query.encode(), {
        "Content-Type": "application/x-www-form-urlencoded", "Authorization": credential("cloudformation")})
    if status != 200:
        return None
    document = xml.fromstring(body)
    state = next(text(element) for element in document.iter() if local_name(element) == "StackStatus")
    if state not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return None
    found = [{local_name(child): text(child) for child in element} for element in document.iter()
             if local_name(element) == "member"]
    return {output["OutputKey"]: output["OutputValue"] for output in found if "OutputKey" in output}


def local_name(element):
    return element.tag.rpartition("}")[2]


def text(element):
    return (element.text or "").strip()


def put_secret(secret_id, value):
    """Puts `value` unless it stands there already. Says whether it had to."""
    wanted = json.dumps(value, sort_keys=True)
    if call("secretsmanager", "secretsmanager.GetSecretValue", {"SecretId": secret_id})["SecretString"] == wanted:
        return False
    call("secretsmanager", "secretsmanager.PutSecretValue", {"SecretId": secret_id, "SecretString": wanted})
    return True


def log_lines(group):
    """(milliseconds, line) of everything a function wrote, oldest first."""
    lines, token = [], {}
    while True:
        page = call("logs", "Logs_20140328.FilterLogEvents", {"logGroupName": group, **token})
        lines += [(event["timestamp"], event["message"]) for event in page["events"]]
        if not page.get("nextToken"):
            return sorted(lines, key=lambda line: line[0])
        token = {"nextToken": page["nextToken"]}


def call(service, target, payload):
    status, body = request("POST", "/", json.dumps(payload).encode(), {
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target, "Authorization": credential(service)})
    if status != 200:
        raise Trouble(f"{target} failed: {body.decode(errors='replace')}")
    return json.loads(body)


def credential(service):
    """Names the caller. The engine checks the signatures of functions, not its root user's."""
    scope = f"{KEY}/20260101/{REGION}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


def request(method, path, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", processes.port("engine"), timeout=30)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
