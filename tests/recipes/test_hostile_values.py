"""Values that no training can have are refused when the recipe is read, in one line."""

import pytest

from swiftseg.core import UsageError
from swiftseg.recipes import load_recipe


@pytest.mark.parametrize(
    "override",
    [
        "seed=-1",
        "seed=99999999999999999999",
        "seed=x",
        "batch_size=1000000000",
        "batch_size=0",
        "accumulate=-1",
        "validate_every=10000000000000000000",
        "stages.0.epochs=10000000000000",
        "stages.0.epochs=.nan",
        "stages.0.name=../../x",
        "stages.0.name=''",
        "stages.0.name=.hidden",
        "name=a/b",
        "name=.inf",
        "input.size_hw=[0, 0]",
        "input.size_hw=[-1, 5]",
        "input.size_hw=[10000000000, 10000000000]",
        "input.size_hw=24",
        "input.mean=[.nan, 0, 0]",
        "input.std=[0, 1, 1]",
        "input.std=[-1, 1, 1]",
        "augmentation={crop_hw: [0, 0]}",
        "augmentation={scale: [2.0, 0.5]}",
        "augmentation={scale: [.nan, 1.0]}",
        "augmentation={scale: [0, 1.0]}",
        "augmentation={scale: [1, .inf]}",
        "augmentation={base_short_side: 10000000000}",
        "optimizer.lr=.nan",
        "optimizer.lr=.inf",
        "optimizer.weight_decay=-1",
        "class_weights={name: constant, values: [.nan]}",
        "loss={label_smoothing: .nan}",
        "stages.0.schedule={name: step, every: 0}",
        "stages.0.schedule={name: poly, power: .inf}",
        "distillation={teacher: enet-camvid, weight: .inf}",
        "ema=.nan",
        "stages=7",
        "stages=[]",
        "input=!!python/object:os.system {}",
        "seed=&a [*a]",
    ],
)
def test_what_is_refused(override: str):
    with pytest.raises(UsageError) as caught:
        load_recipe("enet_camvid", [override])
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("content", [b"\xff\xfen\x00a\x00", b"name: \xe9", b"\x00", b"[" * 5000])
def test_files_that_are_no_recipe(tmp_path, content: bytes):
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"recipe\.yaml: "):
        load_recipe(str(path))
