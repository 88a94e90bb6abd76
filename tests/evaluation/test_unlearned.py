from pathlib import Path

import numpy as np
import pytest
import yaml

from swiftseg.core import LabelSet
from swiftseg.evaluation.evaluation import Evaluation
from swiftseg.evaluation.unlearned import training_advice, unlearned
from swiftseg.recipes import load_recipe
from swiftseg.runs import Environment, Epoch, RunFolder

LABELS = LabelSet(("soil", "crop", "weed"), ((0, 0, 0), (1, 1, 1), (2, 2, 2)), 255)
TRUE = np.array([[0, 0, 1, 2]] * 4, np.uint8)
STARTED = Environment(
    command="swiftseg train fast_scnn --data field",
    recipe="fast_scnn",
    data=("/my field",),
    python="3.11",
    platform="Linux",
    torch_threads=2,
    gpus=(),
    versions={},
)


def evaluation_of(label_map: np.ndarray) -> Evaluation:
    evaluation = Evaluation(LABELS)
    evaluation.add(label_map, TRUE)
    return evaluation


def run_with(folder: Path, scores: list[float], **changes: object) -> Path:
    run = RunFolder(folder)
    recipe = load_recipe("segfast_camvid").model_copy(update={"best": "mean_iou", **changes})
    run.start(recipe, STARTED)
    run.write_history(
        [Epoch("full", 1.0, 0.1, score, epoch=i) for i, score in enumerate(scores, 1)]
    )
    return folder


def test_what_occurs_and_is_never_predicted_is_named():
    assert unlearned(evaluation_of(TRUE)) is None
    told = unlearned(evaluation_of(np.where(TRUE == 2, 0, TRUE)))
    assert told == "never predicted, though they occur: weed"
    assert unlearned(evaluation_of(np.zeros_like(TRUE))) == "the network predicts soil alone"


@pytest.mark.parametrize("scores", [[0.1, 0.2, 0.3], [0.2, 0.2, 0.2, 0.2, 0.2], [0.2]])
def test_a_score_that_was_never_better_asks_for_more_epochs(tmp_path: Path, scores: list[float]):
    run = run_with(tmp_path / "run", scores)
    lines = training_advice(evaluation_of(np.zeros_like(TRUE)), run)
    assert lines[0] == "warning: the network predicts soil alone; likely causes, in this order:"
    told = f"{len(scores)} epoch, " if len(scores) == 1 else f"{len(scores)} epochs, "
    assert told in lines[1]
    causes = [line.split(":")[0].strip() for line in lines[1:-1]]
    assert causes == [
        "1. too few steps",
        "2. the network's input of 224x224 shows the objects too small",
        "3. the class weights of the loss",
        "4. names or values that are swapped between the masks and the description of the data",
    ]
    assert lines[-1].startswith(f"try next: swiftseg train --resume {run} --epochs ")


@pytest.mark.parametrize(
    ("frame_hw", "weights", "line"),
    [
        ((480, 640), None, "swiftseg train fast_scnn --data '/my field' --size 320x320 --out "),
        ((224, 224), None, "swiftseg train fast_scnn --data '/my field' --set class_weights.name="),
        ((224, 224), {"name": "enet"}, "swiftseg data check '/my field'"),
    ],
)
def test_a_score_that_rose_no_more_asks_for_something_else(
    tmp_path: Path, frame_hw: tuple[int, int], weights: dict[str, str] | None, line: str
):
    fields = load_recipe("segfast_camvid").model_dump(mode="json") | {"class_weights": weights}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(fields))
    changes = {"class_weights": load_recipe(str(tmp_path / "recipe.yaml")).class_weights}
    run = run_with(tmp_path / "run", [0.1, 0.3, 0.2, 0.2, 0.2, 0.2], **changes)
    lines = training_advice(evaluation_of(np.zeros_like(TRUE)), run, frame_hw)
    assert lines[-1].startswith(f"try next: {line}")


def test_nothing_is_said_where_every_class_is_predicted(tmp_path: Path):
    assert training_advice(evaluation_of(TRUE), tmp_path) == []
