"""YAML without two surprises: a repeated key is an error, and a date stays text for the validation."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """As the module says."""


def _mapping_without_repeats(loader: Any, node: yaml.MappingNode) -> dict[Hashable, Any]:
    mapping: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in mapping:
            fault = f"the key '{key}' is there twice"
            raise yaml.constructor.ConstructorError(None, None, fault, key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _mapping_without_repeats)
_StrictLoader.add_constructor(
    "tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node)
)


def load_yaml(text: str) -> Any:
    """What a YAML text says.

    Raises:
        yaml.MarkedYAMLError: it is not YAML, or a key is there twice.
    """
    return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 (a subclass of the safe loader)
