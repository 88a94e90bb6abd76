"""Keeps what trainings that differ in one thing each have told, for the page of results.

    python benchmarks/keep_rows.py runs/rows --base base --frames 266

Writes docs/results/rows.json: for each run in that folder what its recipe changes against the
base's, and its scores. results_page.py makes the table of it.
"""

import argparse
import json
from pathlib import Path
from typing import Any, cast

from keep_run import RESULTS, facts

from swiftseg.runs import RunFolder

ROWS = RESULTS / "rows.json"
KEPT = ("network", "seed", "hold_out", "epochs_done", "best_epoch", "scores", "training_minutes")


def flat(value: object, name: str = "") -> dict[str, Any]:
    """Return a recipe's values by the dotted names that --set takes."""
    if isinstance(value, dict):
        items = cast(dict[str, Any], value).items()
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        items = ((str(place), item) for place, item in enumerate(cast(list[Any], value)))
    else:
        return {name: value}
    return {key: leaf for part, item in items for key, leaf in flat(item, f"{name}.{part}").items()}


def changes(recipe: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """Find what a recipe says otherwise than the base."""
    ours, theirs = flat(recipe), flat(base)
    return {
        name.removeprefix("."): value
        for name, value in ours.items()
        if value != theirs.get(name, object())
    }


def relative(value: object, root: Path) -> object:
    """Names a file below the runs' folder without the machine's own folders."""
    if isinstance(value, str) and value.startswith(str(root)):
        return str(root.name / Path(value).relative_to(root))
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, help="The folder of the runs.")
    parser.add_argument("--base", required=True, help="The run the others are held against.")
    parser.add_argument("--frames", type=int, required=True, help="That the runs have trained on.")
    options = parser.parse_args()
    base_run = RunFolder(options.runs / options.base)
    base = base_run.read_recipe().model_dump(mode="json")
    runs = [RunFolder(path) for path in sorted(options.runs.iterdir())]
    rows: list[dict[str, Any]] = []
    for run in (run for run in runs if run.recipe.exists()):
        told = facts(run, "CAMVID", options.frames)
        found = changes(run.read_recipe().model_dump(mode="json"), base)
        root = options.runs.resolve().parent
        row = {"name": run.path.name, "changes": {k: relative(v, root) for k, v in found.items()}}
        rows.append(row | {key: told[key] for key in KEPT})
    command = facts(base_run, "CAMVID", 1)["command"]
    if "precision=" not in command:  # the recipe's may have become another since
        command = f"{command} --set precision={base['precision']}"
    kept = {"base": options.base, "command": command}
    ROWS.write_text(json.dumps(kept | {"rows": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
