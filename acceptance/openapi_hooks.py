"""What schemathesis has to know of this API beyond its description: where things are that calls can name, which refusals of
well-formed requests are right, and two checks of our own. Loaded by `test_openapi.py` through SCHEMATHESIS_HOOKS."""

from __future__ import annotations

import itertools
import json
import os
import socket
from pathlib import Path

import jsonschema_rs
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import RejectedPositiveData

from schemas import closed
from signing import SECRET
from support import Api

ESTATE = json.loads(os.environ["PRECLINICAL_TEST_ESTATE"])
SEEN = Path(os.environ["PRECLINICAL_TEST_SEEN"])
API = Api(ESTATE["url"], ESTATE["key"])
COUNTER = itertools.count()
SILENT = socket.create_server(("127.0.0.1", 0))

# Only addresses of this machine: no test may send anything anywhere else.
schemathesis.openapi.format("uri", st.sampled_from([f"{ESTATE['receiver']}/{path}" for path in ("", "hook", "a?b=c", "%C3%A9")]))
schemathesis.openapi.format("password", st.from_regex(r"\A[!-~]{1,60}\Z"))


def fresh_run() -> str:
    return API.run(ESTATE["agent"], total_scenarios=2000)


def fresh_agent() -> str:
    return API.agent(f"Fresh {next(COUNTER)}")


def fresh_webhook() -> str:
    return API.webhook(ESTATE["receiver"], SECRET, agent_id=fresh_agent())


def fresh_key() -> str:
    return API.call("POST", "/api-keys", 201, name=f"Fresh {next(COUNTER)}")["id"]


def fresh_job() -> str:
    """One that is at work for a moment: it repeats everything that an agent's webhook got, a few at a time."""
    return API.call("POST", "/webhooks/redeliveries", 202, status="delivered", agent_id=ESTATE["busy_agent"])["id"]


def fresh_delivery() -> str:
    """One that is pending for some seconds: nobody answers it."""
    agent = fresh_agent()
    API.webhook(f"http://127.0.0.1:{SILENT.getsockname()[1]}/", None, agent_id=agent)
    run = API.run(agent)
    API.complete(run, 1, 1)
    return API.deliveries(run)[0]["id"]


# Calls that use up what they name get something new each time.
USED_UP = {
    "complete_run": fresh_run,
    "cancel_run": fresh_run,
    "report_results": fresh_run,
    "delete_agent": fresh_agent,
    "delete_webhook": fresh_webhook,
    "update_webhook": fresh_webhook,
    "rotate_secret": fresh_webhook,
    "revoke_api_key": fresh_key,
    "cancel_redelivery": fresh_job,
    "cancel_delivery": fresh_delivery,
}
KEPT = {
    "/api/v1/agents/": "agent",
    "/api/v1/webhooks/deliveries/": "delivery",
    "/api/v1/webhooks/redeliveries/": "job",
    "/api/v1/webhooks/": "webhook",
    "/api/v1/runs/": "run",
}


def operation_id(case) -> str:
    return case.operation.definition.raw["operationId"]


def existing(case) -> str:
    if fresh := USED_UP.get(operation_id(case)):
        return fresh()
    return next(ESTATE[name] for prefix, name in KEPT.items() if case.operation.path.startswith(prefix))


@schemathesis.hook
def before_call(context, case, kwargs) -> None:
    """Lets every second call that could be carried out name something that is there; sequences of calls do so by themselves."""
    if not case.meta.is_negative_at(ParameterLocation.HEADER) and "Idempotency-Key" in case.headers and next(COUNTER) % 4:
        # The tool's favourite is "0", which is another call's already.
        case.headers["Idempotency-Key"] = f"{case.headers['Idempotency-Key'][:200]}-{next(COUNTER)}"
    is_sequence = case.meta.phase.name == TestPhase.STATEFUL
    names_a_key = operation_id(case) == "revoke_api_key" and case.path_parameters.get("id") == ESTATE["key_id"]
    if names_a_key:  # Its own: every later answer would be 401.
        case.path_parameters["id"] = fresh_key()
    if is_sequence or next(COUNTER) % 2:
        return
    if "id" in case.path_parameters and not case.meta.is_negative_at(ParameterLocation.PATH):
        case.path_parameters["id"] = existing(case)
    if isinstance(case.body, dict) and not case.meta.is_negative_at(ParameterLocation.BODY):
        if isinstance(case.body.get("agent_id"), str):
            case.body["agent_id"] = ESTATE["agent"] if operation_id(case) == "create_run" else fresh_agent()
        if operation_id(case) in ("create_agent", "create_api_key") and isinstance(case.body.get("name"), str):
            case.body["name"] = f"{case.body['name'][:150]}-{next(COUNTER)}"
        if isinstance(case.body.get("test_suite_id"), str):
            case.body["test_suite_id"] = ESTATE["suite"]


@schemathesis.hook
def after_call(context, case, response) -> None:
    with SEEN.open("a") as seen:
        print(operation_id(case), response.status_code, file=seen)


def further_rules(definition: object, path: str = "") -> set[str]:
    """The names of what has a rule that its schema cannot state. Lists stand under the name of the list and `[]`."""
    found: set[str] = set()
    if isinstance(definition, dict):
        for parameter in definition.get("parameters", []):
            if "x-further-rule" in parameter["schema"]:
                found.add(parameter["name"])
        schema = definition.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", definition)
        for name, field in schema.get("properties", {}).items():
            if "x-further-rule" in field:
                found.add(path + name)
            found |= further_rules(field.get("items", {}), f"{path}{name}[].")
    return found


@schemathesis.hook
def filter_failure(context, failure: Failure, case, response) -> bool:
    """A well-formed request may be refused for what a schema cannot say, if the description says it in other words."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    if any(component.mode.is_negative for component in case.meta.components.values()):
        return False  # A header for which the tool found no well-formed value: it knows, and yet calls the request well-formed.
    error = response.json()
    if error["code"] in ("INVALID_STATE", "AGENT_NOT_FOUND", "PRECONDITION_FAILED"):
        return False
    field = "".join("[]" if part.isdigit() else part for part in error["details"].get("field", "").replace("[", "]").split("]"))
    # What an object holds under names of the caller's choice stands behind a dot.
    rules = further_rules(case.operation.definition.raw)
    is_stated = any(field == rule or field.startswith(f"{rule}.") for rule in rules)
    return not (error["code"] == "INVALID_FIELD_VALUE" and is_stated)


def response_definition(case, status: int) -> dict:
    root = case.operation.schema.raw_schema
    definition = case.operation.definition.raw["responses"].get(str(status), {})
    if reference := definition.get("$ref"):
        return root["components"]["responses"][reference.rsplit("/", 1)[1]]
    return definition


@schemathesis.check
def documented_error_code(ctx, response, case) -> None:
    """The code of an error is one that the description has for the call and its status."""
    codes = response_definition(case, response.status_code).get("x-codes")
    if codes and response.json()["code"] not in codes:
        raise AssertionError(f"{response.json()['code']} is not among {codes}")


@schemathesis.check
def nothing_undocumented(ctx, response, case) -> None:
    """Answers have no field that the description does not name. It leaves room for new ones, for clients to come."""
    content = response_definition(case, response.status_code).get("content", {}).get("application/json")
    if content is None or operation_id(case) == "get_openapi":
        return
    schema = {**content["schema"], "components": case.operation.schema.raw_schema["components"]}
    for error in jsonschema_rs.validator_for(closed(schema)).iter_errors(response.json()):
        raise AssertionError(f"{error.message} at {error.instance_path}")
