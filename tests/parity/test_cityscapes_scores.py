"""Cityscapes' four scores against the benchmark's own script, from files as its server takes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as official  # noqa: N813
from PIL import Image
from scipy import ndimage

from swiftseg.core import InputSpec, ModelSpec, SwiftsegError, UsageError
from swiftseg.data import open_dataset
from swiftseg.data.published.cityscapes import CITYSCAPES_LABELS, CLASSES, IGNORED
from swiftseg.evaluation import Evaluation, evaluate
from swiftseg.evaluation.cityscapes_scores import MEAN_INSTANCE_PIXELS
from swiftseg.evaluation.submission import submission_writer
from swiftseg.inference import Segmenter
from tests.support.answers import AnswersBackend
from tests.support.dataset_trees import make_cityscapes

SIZE_HW = (64, 96)
WITH_INSTANCES = [24, 25, 26, 27, 28, 29, 30, 31, 32, 33]  # caravan and trailer are not scored


# Its answer is painted into the frame: the red channel is the class.
READS_RED = AnswersBackend(
    ModelSpec("red", "red", CITYSCAPES_LABELS, InputSpec(SIZE_HW)), lambda batch: batch[..., 0]
)


def street(rng: np.random.Generator, label_ids: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return label ids and instance ids of a frame: blobs, some of them told apart, some groups."""
    noise = ndimage.gaussian_filter(rng.normal(size=(len(label_ids), *SIZE_HW)), (0, 4, 4))
    ids = np.array(label_ids)[noise.argmax(axis=0)].astype(np.uint16)
    instances = ids.copy()
    for label_id in WITH_INSTANCES:
        parts, count = ndimage.label(ids == label_id)
        for number in range(count):
            if rng.random() < 0.8:  # the others are a group, which has the bare label id
                instances[parts == number + 1] = 1000 * label_id + number
    return ids, instances


def write_streets(root: Path, label_ids: list[int]) -> Path:
    """Writes a Cityscapes tree whose frames hold imperfect answers for `READS_RED`."""
    rng = np.random.default_rng(3)
    train_ids = np.full(256, IGNORED)
    train_ids[[row.label_id for row in CLASSES]] = range(len(CLASSES))
    for number in range(4):
        stem = f"munster_{number:06d}_000019"
        ids, instances = street(rng, label_ids)
        answer = train_ids[ids]
        wrong = (answer == IGNORED) | (rng.random(SIZE_HW) < 0.3)
        answer = np.where(wrong, rng.integers(0, len(CLASSES), SIZE_HW), answer)
        frame = np.repeat(answer[..., None], 3, axis=2).astype(np.uint8)
        for folder, kind, pixels in (
            ("leftImg8bit", "leftImg8bit", frame),
            ("gtFine", "gtFine_labelIds", ids.astype(np.uint8)),
            ("gtFine", "gtFine_instanceIds", instances),
        ):
            path = root / folder / "val" / "munster" / f"{stem}_{kind}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return root


def evaluated(root: Path, submission: Path) -> Evaluation:
    dataset = open_dataset(root, "val")
    on_frame = submission_writer(submission, dataset.labels, "val")
    return evaluate(Segmenter(READS_RED), dataset, on_frame=on_frame)


def officially(root: Path, submission: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Runs the benchmark's script, which finds the submitted files by their names."""
    monkeypatch.setattr(np, "in1d", np.isin, raising=False)  # gone since numpy 2.4
    monkeypatch.setattr(official.args, "quiet", True)
    monkeypatch.setattr(official.args, "JSONOutput", False)
    monkeypatch.setattr(official.args, "predictionPath", str(submission))
    monkeypatch.setattr(official.args, "predictionWalk", None)
    truths = sorted(str(path) for path in root.glob("gtFine/val/*/*_labelIds.png"))
    predictions = [official.getPrediction(official.args, truth) for truth in truths]
    return official.evaluateImgLists(predictions, truths, official.args)


def assert_equal(ours: dict[str, float | None], theirs: dict[str, float]) -> None:
    for name, value in ours.items():
        expected = theirs[name]
        assert (value is None) == np.isnan(expected), name
        assert value is None or value == pytest.approx(expected, abs=1e-6), name


@pytest.mark.parametrize(
    "label_ids",
    [list(range(34)), [7, 11, 24, 26, 29, 0], [7, 23]],
    ids=["all", "some", "no instances"],
)
def test_the_four_scores_are_the_official_ones(label_ids, tmp_path, monkeypatch):
    root, submission = write_streets(tmp_path / "data", label_ids), tmp_path / "submission"
    ours = evaluated(root, submission).cityscapes
    theirs = officially(root, submission, monkeypatch)
    assert ours is not None
    assert_equal(ours["class_iou"], theirs["classScores"])
    assert_equal(ours["category_iou"], theirs["categoryScores"])
    assert_equal(ours["class_iiou"], theirs["classInstScores"])
    assert_equal(ours["category_iiou"], theirs["categoryInstScores"])
    means = {
        "mean_class_iou": theirs["averageScoreClasses"],
        "mean_category_iou": theirs["averageScoreCategories"],
        "mean_class_iiou": theirs["averageScoreInstClasses"],
        "mean_category_iiou": theirs["averageScoreInstCategories"],
    }
    assert_equal({name: ours[name] for name in means}, means)


def test_the_mean_sizes_are_the_official_ones():
    scored = {row.name for row in CLASSES}
    sizes = official.args.avgClassSize
    assert {name: sizes[name] for name in sizes if name in scored} == MEAN_INSTANCE_PIXELS


def test_without_instance_masks_there_is_no_iiou(tmp_path):
    root = write_streets(tmp_path, [7, 24, 26])
    for path in root.rglob("*_instanceIds.png"):
        path.unlink()
    scores = evaluate(Segmenter(READS_RED), open_dataset(root, "val")).cityscapes
    assert scores is not None
    assert "mean_category_iou" in scores
    assert "mean_class_iiou" not in scores


def test_a_missing_instance_mask_is_named(tmp_path):
    root = write_streets(tmp_path, [7, 24, 26])
    sorted(root.rglob("*_instanceIds.png"))[2].unlink()
    with pytest.raises(SwiftsegError, match=r"no such file: .*munster_000002.*_instanceIds\.png"):
        evaluate(Segmenter(READS_RED), open_dataset(root, "val"))


def test_an_instance_mask_of_another_size_is_refused(tmp_path):
    root = write_streets(tmp_path, [7, 24, 26])
    path = next(root.rglob("*_instanceIds.png"))
    Image.fromarray(np.zeros((3, 4), np.uint16)).save(path)
    with pytest.raises(SwiftsegError, match=r"16-bit mask of 64x96 \(height x width\), got 3x4"):
        evaluate(Segmenter(READS_RED), open_dataset(root, "val"))


def test_a_submission_is_for_classes_that_have_a_server(tmp_path):
    dataset = open_dataset(make_cityscapes(tmp_path), "val", "cityscapes_categories")
    with pytest.raises(UsageError, match=r"classes of Cityscapes \(19\), .* which these data lack"):
        submission_writer(tmp_path / "out", dataset.labels, "val")
