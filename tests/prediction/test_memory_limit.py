"""`--max-memory`: what does not fit is refused beforehand, and the rest stays below it."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import InputSpec, LabelSet, ModelSpec, SwiftsegError, UsageError
from swiftseg.core.memory_limit import resident_bytes
from swiftseg.data.toy_street import ToyStreet
from swiftseg.inference import Segmenter
from swiftseg.inference.video_writer import writing_video
from swiftseg.prediction.predict_all import predict_images, predict_video
from tests.support.answers import AnswersBackend

LABELS = LabelSet(("dark", "bright"), ((0, 0, 0), (255, 255, 255)))
MB = 10**6


def segmenter(**options) -> Segmenter:
    spec = ModelSpec("halves", "halves", LABELS, InputSpec((8, 8)))
    answers = AnswersBackend(spec, lambda batch: (batch[..., 0] > 127).astype(np.uint8))
    return Segmenter(answers, **options)


def test_a_picture_beyond_the_limit_costs_itself_alone(tmp_path: Path):
    for name, size in (("a", (30, 20)), ("b", (5000, 4000)), ("c", (3, 9))):
        Image.new("L", size).save(tmp_path / f"{name}.png")
    limit = resident_bytes() + 200 * MB
    out = tmp_path / "out"
    run = predict_images(tmp_path, model=segmenter(), out=out, max_memory_bytes=limit)
    [(source, reason)] = run.failures
    assert source.endswith("b.png")
    assert "b.png: 20 megapixels may need 400 MB" in reason
    assert "give a larger limit, or --tile for a TIFF" in reason
    assert sorted(path.name for path in (out / "labels").iterdir()) == ["a.png", "c.png"]


def test_probabilities_and_tiles_count(tmp_path: Path):
    Image.new("L", (4000, 2000)).save(tmp_path / "a.png")

    def failures(model: Segmenter, save: str) -> list[tuple[str, str]]:
        limit = resident_bytes() + 220 * MB
        out = tmp_path / "out"
        run = predict_images(
            tmp_path / "a.png", model=model, out=out, save=save, max_memory_bytes=limit
        )
        return run.failures

    assert not failures(segmenter(), "labels")
    [(_, reason)] = failures(segmenter(), "probs")
    assert "8 megapixels may need 288 MB" in reason
    [(_, reason)] = failures(segmenter().with_tiles((2000, 4000)), "labels")
    assert "8 megapixels may need 289 MB" in reason


def test_a_video_beyond_the_limit_is_refused_before_it_is_decoded(tmp_path: Path):
    with writing_video(tmp_path / "a.mp4", fps=Fraction(5)) as writer:
        writer.write(np.zeros((2160, 3840, 3), np.uint8), 0)
    out, limit = tmp_path / "out", resident_bytes() + 150 * MB
    with pytest.raises(SwiftsegError, match=r"a\.mp4: 8.29 megapixels may need 465 MB.*limit$"):
        predict_video(tmp_path / "a.mp4", model=segmenter(), out=out, max_memory_bytes=limit)
    assert not (out / "overlay").exists()


def test_a_limit_that_the_model_fills_is_refused_before_anything_is_written(tmp_path: Path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    out = tmp_path / "out"
    with pytest.raises(
        SwiftsegError, match=r"--max-memory 50 MB is too little: halves takes .* MB"
    ):
        predict_images(tmp_path, model=segmenter(), out=out, max_memory_bytes=50 * MB)
    with pytest.raises(UsageError, match="every --fit but native"):
        predict_images(
            tmp_path, model=segmenter(fit="native"), out=out, max_memory_bytes=50_000 * MB
        )
    assert not out.exists()


MEASURED = """
import sys
from swiftseg.benchmarking.held_memory import peak_mb
from swiftseg.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print("code", end.code or 0)
print("peak", peak_mb())
"""


def predicted(folder: Path, out: str, *options: str) -> tuple[int, float, str]:
    """Predict a folder in a process of its own; return its exit code, its peak and its errors."""
    command = ["predict", "in", "--out", out, "--model", "fast_scnn-streets", *options]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command], cwd=folder, capture_output=True, text=True
    )
    code, peak = (done.stdout.split(f"{name} ")[-1].split()[0] for name in ("code", "peak"))
    return int(code), float(peak), done.stderr


@pytest.mark.slow
def test_the_peak_stays_below_the_limit(tmp_path: Path):
    (tmp_path / "in").mkdir()
    street = Image.fromarray(ToyStreet("test", 1, (360, 480))[0].image)
    for index in range(12):
        street.resize((1920, 1080 + index)).save(tmp_path / f"in/{index}.jpg")
    street.resize((4000, 3000)).save(tmp_path / "in/camera.png")
    street.resize((10_000, 6000)).save(tmp_path / "in/large.jpg")
    assert predicted(tmp_path, "free")[0] == 0
    wanted = {path.name: path.read_bytes() for path in (tmp_path / "free/labels").iterdir()}
    assert len(wanted) == 14
    limits = {300: {"camera", "large"}, 600: {"large"}, 1600: set[str]()}
    for megabytes, refused in limits.items():
        code, peak, errors = predicted(tmp_path, f"{megabytes}", "--max-memory", f"{megabytes}MB")
        assert peak < megabytes
        assert code == (1 if refused else 0)
        assert {name for name in ("camera", "large") if f"in/{name}." in errors} == refused
        labels = (tmp_path / f"{megabytes}/labels").iterdir()
        found = {path.name: path.read_bytes() for path in labels}
        assert found == {
            name: data for name, data in wanted.items() if Path(name).stem not in refused
        }
