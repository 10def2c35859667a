"""The manifest: what a folder of portraits says of how they were drawn."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from groundwork.files import write_whole
from portraits.errors import PortraitsError
from portraits.person import Person

MANIFEST = "manifest.json"
PARTIAL_MANIFEST = "manifest.partial.json"
"""Stands in the place of MANIFEST until the folder is complete."""

_FORMAT = "latent-faces portraits"


class DamagedManifest(PortraitsError):
    """The file is not JSON; a power cut may leave it so."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of portraits holds. While it is being drawn, `count` is what is wanted."""

    version: int
    seed: int
    width: int
    height: int
    count: int
    switched: str = ""
    """The attributes that every portrait was given, as `spelled` writes them."""

    @property
    def size(self) -> str:
        """The size as text: 64, or 178x218."""
        square = self.width == self.height
        return str(self.width) if square else f"{self.width}x{self.height}"

    def __str__(self) -> str:
        return f"portraits of seed {self.seed} and size {self.size}" + (
            f" switched to {self.switched}" if self.switched else ""
        )

    def person(self, number: int) -> Person:
        """Sample the person of picture `number` (from 1), with the attributes that all have."""
        person = Person.sample(self.seed, number - 1)
        switched = {word[1:]: word[0] == "+" for word in self.switched.split()}
        return person.with_attributes(switched) if switched else person


def spelled(switched: Mapping[str, bool]) -> str:
    """Write attributes as one string: "+Smiling -Eyeglasses"."""
    return " ".join(("+" if on else "-") + name for name, on in switched.items())


def read_manifest(path: str | Path) -> Manifest:
    """Read a manifest, of this version or an older one.

    Raises:
        FileNotFoundError: there is none.
        DamagedManifest: it is not JSON.
        PortraitsError: it is the manifest of something else.
    """
    refused = f"{path} is not readable as this program's; choose another folder with --out."
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DamagedManifest(refused) from error
    try:
        if entries.pop("format") != _FORMAT:
            raise ValueError(entries)
        if "size" in entries:  # written by version 1, which knew squares only
            entries["width"] = entries["height"] = entries.pop("size")
        manifest = Manifest(**entries)
        numbers = asdict(manifest)
        if type(numbers.pop("switched")) is not str or not all(
            type(number) is int for number in numbers.values()
        ):
            raise ValueError(entries)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PortraitsError(refused) from error
    return manifest


def write_manifest(path: str | Path, manifest: Manifest) -> None:
    """Write a manifest, whole.

    Raises:
        DiskFull: there is no room for it.
    """
    entries = {"format": _FORMAT, **asdict(manifest)}
    write_whole(path, json.dumps(entries, indent=2) + "\n")
