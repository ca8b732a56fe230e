"""What schemathesis is told beside its settings: a check that a request that fits the schema is refused for a reason that no
schema can say, and for no other; and how to read YAML that it has cut."""

import schemathesis
import yaml
from schemathesis.core.deserialization import deserialize_yaml
from schemathesis.core.media_types import YAML_MEDIA_TYPES

# Codes of ids and words that depend on the catalogue in use.
OF_THE_CATALOGUE = {
    "unknown_circumstance",
    "unknown_condition",
    "unknown_contraindication",
    "unknown_finding",
    "unknown_treatment",
    "unknown_value",
}

# What depends on two values together: lists and numbers that contradict each other, and a step that its plan lacks.
BETWEEN_VALUES = {"contradiction", "conflicting_choice"}
OF_A_PLAN = ("out_of_range", "/step")


@schemathesis.check
def refused_only_for_the_catalogue(ctx, response, case):
    """Every fault of a request that fits the schema is one of the catalogue."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return
    for fault in response.json()["errors"]:
        code, pointer = fault["code"], fault["pointer"]
        if code not in OF_THE_CATALOGUE and code not in BETWEEN_VALUES and (code, pointer) != OF_A_PLAN:
            raise AssertionError(f"a request that fits the schema is refused: {code} at {pointer}")


@schemathesis.deserializer(*YAML_MEDIA_TYPES)
def read_yaml(_context, response):
    """As schemathesis reads YAML, with an error that it expects: it keeps the first 1 MiB of an answer, reads that again to
    learn values from it, and else loses the thread where the cut is no YAML."""
    try:
        return deserialize_yaml(response.content.decode())
    except yaml.YAMLError as error:
        raise ValueError("the answer is no YAML") from error
