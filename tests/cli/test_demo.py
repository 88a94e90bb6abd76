import numpy as np
import pytest
from PIL import Image

from swiftseg.core import InputSpec, ModelSpec, SwiftsegError
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.data.toy_street import render_clip
from swiftseg.inference import Segmenter
from swiftseg.prediction.demo import CLIP_SEED, percentiles_ms, run_demo
from tests.support.answers import AnswersBackend

SIZE_HW = (48, 64)
NUM_FRAMES = 4
VOID, ROAD = CAMVID_LABELS.ignore_index, CAMVID_LABELS.names.index("road")


def clip_backend(answer):
    """Answers each frame of the demo's clip with a label map made from its exact mask."""
    clip = render_clip(CLIP_SEED, NUM_FRAMES, SIZE_HW)
    answers = {sample.image.tobytes(): answer(sample.mask) for sample in clip}
    spec = ModelSpec("clip", "none", CAMVID_LABELS, InputSpec(SIZE_HW))
    return AnswersBackend(spec, lambda batch: answers[batch[0].tobytes()][None])


@pytest.fixture
def exact():
    return Segmenter(clip_backend(lambda mask: np.where(mask == VOID, 0, mask).astype(np.uint8)))


def test_exact_label_maps_score_one(exact, tmp_path):
    run = run_demo(exact, tmp_path, NUM_FRAMES)
    scores = run.evaluation.scores
    assert run.evaluation.frames == NUM_FRAMES
    assert scores.mean_iou == scores.global_accuracy == 1.0


def test_a_map_of_road_alone_scores_the_share_of_road(tmp_path):
    segmenter = Segmenter(clip_backend(lambda mask: np.full_like(mask, ROAD)))
    scores = run_demo(segmenter, tmp_path, NUM_FRAMES).evaluation.scores
    masks = np.stack([sample.mask for sample in render_clip(CLIP_SEED, NUM_FRAMES, SIZE_HW)])
    share = (masks == ROAD).sum() / (masks != VOID).sum()
    assert scores.global_accuracy == pytest.approx(share)
    assert scores.iou[ROAD] == pytest.approx(share)
    assert np.nansum(scores.iou) == pytest.approx(share)


def test_every_frame_has_an_overlay_and_a_picture_in_the_animation(exact, tmp_path):
    run = run_demo(exact, tmp_path, NUM_FRAMES)
    assert sorted(path.name for path in run.overlays.iterdir()) == [
        f"clip_{CLIP_SEED}_{frame:05d}.png" for frame in range(NUM_FRAMES)
    ]
    with Image.open(next(run.overlays.iterdir())) as overlay:
        assert overlay.size == SIZE_HW[::-1]
    with Image.open(run.animation) as animation:
        assert animation.n_frames == NUM_FRAMES
        assert animation.width >= 2 * SIZE_HW[1]


def test_timings_are_percentiles_by_stage_and_of_the_whole_way():
    timings = [{"network": float(n), "restore": 1.0} for n in range(1, 102)]
    assert percentiles_ms(timings) == {
        "network": {"p50": 51.0, "p95": 96.0},
        "restore": {"p50": 1.0, "p95": 1.0},
        "total": {"p50": 52.0, "p95": 97.0},
    }


def test_the_summary_holds_plain_values(exact, tmp_path):
    summary = run_demo(exact, tmp_path, 1).to_dict()
    assert summary["mean_iou"] == 1.0
    assert summary["frames"] == 1
    assert summary["animation"] == str(tmp_path / "toystreet.webp")


def test_an_out_that_is_a_file_is_told(exact, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(SwiftsegError, match="taken"):
        run_demo(exact, tmp_path / "taken", 1)
