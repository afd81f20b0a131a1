"""Write docs/operations.md from the catalogue, with a picture of what each operation does.

With --check, say whether the page is what the catalogue gives, and write nothing.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2

from tessera.operations import CATALOGUE, AnyOperation
from tessera.operations.base import Array
from tessera.pipeline import bind
from tessera.plan import Pixels, Step
from tessera.presets import PRESETS, Preset
from tessera.whole import run_whole

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "operations.md"
PICTURES = ROOT / "docs" / "operations"
PHOTOGRAPH = ROOT / "examples" / "dandelion.jpg"
PICTURE_WIDTH = 320
JPEG_QUALITY = 82
CHANNELS = {1: "gray", 2: "gray with alpha", 3: "colour", 4: "colour with alpha"}
CLASSES = {
    "point": "each pixel alone",
    "stencil": "a neighbourhood of each pixel",
    "global": "needs the whole image first",
    "geometry": "moves pixels",
}
SHOWN: Mapping[str, dict[str, Any]] = {
    "brightness_contrast": {"brightness": 0.05, "contrast": 1.4},
    "levels": {"black": 0.15, "white": 0.8, "gamma": 1.2},
    "hue_saturation": {"hue": 90, "saturation": 1.3},
    "vibrance": {"amount": 1.0},
    "color_matrix": {"matrix": [[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]]},
    "channel_mixer": {"red": [0.2, 0.8, 0], "green": [0.2, 0.8, 0], "blue": [0, 0.2, 0.8]},
    "channel": {"name": "saturation"},
    "box_blur": {"ksize": 9},
    "gaussian_blur": {"sigma": 3},
    "kernel": {"values": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], "normalize": False, "offset": 0.5},
    "erode": {"ksize": 5, "shape": "ellipse"},
    "dilate": {"ksize": 5, "shape": "ellipse"},
    "open": {"ksize": 7, "shape": "ellipse"},
    "close": {"ksize": 7, "shape": "ellipse"},
    "top_hat": {"ksize": 9},
    "black_hat": {"ksize": 9},
    "crop": {"x": 70, "y": 50, "width": 180, "height": 120},
    "rotate_by": {"degrees": 20, "value": 1},
    "resize": {"width": 240, "height": 80, "interpolation": "area"},
    "scale": {"factor": 0.5, "interpolation": "area"},
    "fit": {"width": 100, "height": 100},
}
"""Parameters for the picture where the defaults change nothing, or little that can be seen."""

HEAD = """\
# Operations

After this page you can choose an operation and its parameters, and you know what each looks like.

<!-- Written by scripts/operations_doc.py from the catalogue: change it there. -->

Every operation gives, on tiles of any size, byte for byte what the whole-image reference in
`tessera/reference*.py` gives. Parameters that are left out have their default. *Halo* is how many pixels
around a tile are read for the default parameters. What comes out has the channels and bits that went in,
unless *Makes* names others.
"""


def page() -> str:
    operations = "\n".join(describe(operation) for operation in CATALOGUE.values())
    presets = "\n".join(describe_preset(name, preset) for name, preset in PRESETS.items())
    return f"{HEAD}\n{index()}\n{operations}\n## Stored pipelines\n\n{presets}"


def index() -> str:
    lines = [
        f"| {kind} | {meaning} | {names_of(kind)} |" for kind, meaning in CLASSES.items() if names_of(kind)
    ]
    return "\n".join(["| class | meaning | operations |", "|---|---|---|", *lines, ""])


def names_of(kind: str) -> str:
    return ", ".join(f"[{each.name}](#{each.name})" for each in CATALOGUE.values() if each.kind == kind)


def describe(operation: AnyOperation) -> str:
    depths = " or ".join(map(str, operation.depths))
    made = makes(operation)
    halo = operation.halo(operation.parameters())
    lines = [
        f"## {operation.name}",
        "",
        operation.summary,
        "",
        f"Class {operation.kind}. Takes {in_words(operation.channels)}; {depths} bits."
        + (f" Makes {made}." if made else "")
        + (f" Halo {halo}." if operation.kind in ("stencil", "global") else "")
        + (f" The bits may depend on the processor: {operation.delicate}." if operation.delicate else ""),
        "",
        *parameter_table(operation),
        *comparison(operation.name, operation.name),
        "",
        f"Shown with {as_json(SHOWN[operation.name])}."
        if operation.name in SHOWN
        else "Shown with the defaults.",
        "",
    ]
    return "\n".join(lines)


def makes(operation: AnyOperation) -> str:
    """Return in words the channels and the depth of what comes out, where it isn't what went in."""
    parameters = operation.parameters()
    taken = [
        Pixels(channels=channels, depth=depth)
        for channels in operation.channels
        for depth in operation.depths
    ]
    made = [operation.produces(pixels, parameters) for pixels in taken]
    parts = []
    if [pixels.channels for pixels in made] != [pixels.channels for pixels in taken]:
        kept = any(pixels.has_alpha for pixels in made)
        parts.append(in_words({pixels.channels for pixels in made}) + ("" if kept else ", alpha dropped"))
    if [pixels.depth for pixels in made] != [pixels.depth for pixels in taken]:
        parts.append(f"{' or '.join(map(str, sorted({pixels.depth for pixels in made})))} bits")
    return "; ".join(parts)


def in_words(channels: Iterable[int]) -> str:
    return ", ".join(CHANNELS[count] for count in sorted(channels))


def comparison(name: str, picture: str) -> list[str]:
    """Return a table of the photograph and what became of it."""
    return [
        "| before | after |",
        "|---|---|",
        f"| ![the photograph before](operations/before.jpg) | ![{name}](operations/{picture}.jpg) |",
    ]


def parameter_table(operation: AnyOperation) -> list[str]:
    schema = operation.parameters.model_json_schema()
    rows = [
        f"| `{name}` | {values(entry, schema)} | {as_json(entry['default'])} | {entry['description']} |"
        for name, entry in schema.get("properties", {}).items()
    ]
    return ["| parameter | values | default | meaning |", "|---|---|---|---|", *rows, ""] if rows else []


def values(entry: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return in words what a schema allows."""
    if "$ref" in entry:
        return values(schema["$defs"][entry["$ref"].rpartition("/")[2]], schema)
    if "enum" in entry:
        return ", ".join(f"`{value}`" for value in entry["enum"])
    if entry.get("type") == "array":
        items = entry.get("items") or entry["prefixItems"][0]
        low, high = entry["minItems"], entry["maxItems"]
        return f"list of {low if low == high else f'{low} to {high}'}: {values(items, schema)}"
    if entry.get("type") == "boolean":
        return "`true`, `false`"
    low = f"above {entry['exclusiveMinimum']:g}" if "exclusiveMinimum" in entry else f"{entry['minimum']:g}"
    kind = "odd" if entry.get("odd") else entry["type"]
    return f"{kind}, {low} to {entry['maximum']:g}"


def as_json(value: Any) -> str:
    return f"`{json.dumps(value)}`"


def describe_preset(name: str, preset: Preset) -> str:
    steps = " → ".join(step.operation for step in preset.steps)
    pictures = comparison(name, f"preset-{name}")
    return "\n".join([f"### {name}", "", f"{preset.summary} {steps}.", "", *pictures, ""])


def draw() -> None:
    """Write all pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    whole = cv2.imread(str(PHOTOGRAPH), cv2.IMREAD_COLOR)
    if whole is None:
        raise FileNotFoundError(PHOTOGRAPH)
    height = round(whole.shape[0] * PICTURE_WIDTH / whole.shape[1])
    before = cv2.resize(whole, (PICTURE_WIDTH, height), interpolation=cv2.INTER_AREA)
    save("before", before)
    for name in CATALOGUE:
        save(name, run_whole(before, bind([Step(operation=name, parameters=SHOWN.get(name, {}))])))
    for name, preset in PRESETS.items():
        save(f"preset-{name}", run_whole(before, bind(preset.steps)))


def save(name: str, picture: Array) -> None:
    shown = picture[:, :, :3] if picture.shape[2] > 2 else picture[:, :, :1]
    cv2.imwrite(str(PICTURES / f"{name}.jpg"), shown, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare the text")
    if parser.parse_args().check:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        if current != page():
            print(f"{PAGE.relative_to(ROOT)} is out of date: run `make docs`", file=sys.stderr)
            return 1
        return 0
    draw()
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(CATALOGUE)} operations, {len(PRESETS)} stored pipelines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
