"""What pages say in Vietnamese and English: `words/<area>.<language>.yaml`, flat, keys `<area>.<name>`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from streams.domain.errors import ConfigurationError

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")
FOLDER = Path(__file__).parent / "words"


@cache
def words(language: Language) -> Mapping[str, str]:
    """Every sentence of a language by its key; read once per process.

    Raises:
        ConfigurationError: a file is no YAML, or holds a key of another area or something that is no text.
    """
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob(f"*.{language}.yaml")):
        area = path.name.split(".")[0]
        try:
            sentences = yaml.safe_load(path.read_text("utf-8")) or {}
        except yaml.YAMLError as error:
            raise ConfigurationError(f"{path.name}: {error}") from error
        for key, text in sentences.items():
            if not isinstance(text, str) or not key.startswith(f"{area}."):
                raise ConfigurationError(f"{path.name}: {key} must be text, and its key begin with {area}.")
            found[key] = text
    return found


def say(language: Language, key: str, **values: object) -> str:
    """A sentence with its values put in.

    Raises:
        KeyError: there is no such sentence, or a value is missing.
    """
    text = words(language)[key]
    return text.format(**values) if values else text
