"""Writes kubernetes-1.32.json from the packages cloudcoil-models-kubernetes 1.32.1.3 and -keda 2.16.1.0.

Run in an environment of its own that has them: python kubernetes_schemas.py > kubernetes-1.32.json
Not strict of themselves: an object with named properties is closed here, so that a misspelt one is found.
"""

import json
from importlib import import_module
from typing import Any

from pydantic.json_schema import models_json_schema

KINDS = {
    "kubernetes.core.v1": ["Namespace", "Secret", "Service", "ConfigMap"],
    "kubernetes.apps.v1": ["Deployment"],
    "kubernetes.batch.v1": ["Job"],
    "kubernetes.networking.v1": ["Ingress", "NetworkPolicy"],
    "kubernetes.policy.v1": ["PodDisruptionBudget"],
    "keda.v1alpha1": ["ScaledObject", "TriggerAuthentication"],
}


def closed(node: Any) -> Any:
    """Without titles, descriptions, defaults and null; objects with properties take no others."""
    if isinstance(node, list):
        return [closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    if "anyOf" in node and {"type": "null"} in node["anyOf"]:
        others = [one for one in node["anyOf"] if one != {"type": "null"}]
        return closed(others[0] if len(others) == 1 else {"anyOf": others})
    found = {
        key: (
            {name: closed(one) for name, one in value.items()}
            if key in ("properties", "$defs")
            else closed(value)
        )
        for key, value in node.items()
        if key not in ("title", "description", "default", "discriminator")
    }
    if isinstance(node.get("properties"), dict) and "type" in node:
        found["additionalProperties"] = False
    return found


models = [
    (getattr(import_module(f"cloudcoil.models.{path}"), kind), "validation")
    for path, kinds in KINDS.items()
    for kind in kinds
]
by_model, schema = models_json_schema(models, by_alias=True)
references = {model.__name__: by_model[model, mode]["$ref"] for model, mode in models}
print(json.dumps({"kinds": references, **closed(schema)}, sort_keys=True, separators=(",", ":")))
