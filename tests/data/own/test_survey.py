from pathlib import Path

import numpy as np
from PIL import Image

from swiftseg.data.own.survey import MAX_VALUES, MaskTotals, count_values, survey_mask, survey_masks
from swiftseg.data.paired_files import Pair
from tests.support.broken_datasets import COLORS, class_mask


def test_values_are_counted_as_numpy_counts_them():
    rng = np.random.default_rng(0)
    for highest in (4, 1 << 24):
        array = rng.integers(0, highest, (30, 40)).astype(np.uint32)
        values, counts, _ = count_values(array)
        expected = dict(zip(*np.unique(array, return_counts=True), strict=True))
        assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == expected
        assert (np.diff(counts) <= 0).all()


def test_solid_blocks_are_counted_as_a_loop_counts_them():
    array = np.random.default_rng(1).integers(0, 3, (20, 20)).astype(np.uint32)
    expected = dict.fromkeys(range(3), 0)
    for row in range(19):
        for column in range(19):
            block = array[row : row + 2, column : column + 2]
            expected[int(block[0, 0])] += bool((block == block[0, 0]).all())
    values, _, solid = count_values(array)
    assert dict(zip(values.tolist(), solid.tolist(), strict=True)) == expected


def test_kinds_of_files(tmp_path: Path):
    mask = class_mask(0)
    palette = Image.fromarray(mask)
    palette.putpalette(COLORS.tobytes())
    pictures = {
        "gray": Image.fromarray(mask),
        "palette": palette,
        "rgb": Image.fromarray(COLORS[mask]),
    }
    for kind, picture in pictures.items():
        picture.save(tmp_path / f"{kind}.png")
        assert survey_mask(tmp_path / f"{kind}.png").kind == kind
    Image.fromarray(np.stack([mask] * 3, axis=-1)).save(tmp_path / "gray as rgb.png")
    assert survey_mask(tmp_path / "gray as rgb.png").kind == "gray"


def test_totals_stay_bounded_on_masks_full_of_colors(tmp_path: Path):
    pairs: list[Pair] = []
    for seed in range(60):
        noise = np.random.default_rng(seed).integers(0, 256, (80, 80, 3)).astype(np.uint8)
        noise[:40] = (10, 20, 30)
        path = tmp_path / f"{seed}.png"
        Image.fromarray(noise).save(path)
        pairs.append(Pair(str(seed), path, path))
    totals = survey_masks(pairs)
    assert len(totals.counts["rgb"]) <= 2 * MAX_VALUES
    assert totals.counts["rgb"].most_common(1) == [(10 << 16 | 20 << 8 | 30, 60 * 40 * 80)]


def test_what_cannot_be_read_is_counted(tmp_path: Path):
    (tmp_path / "a.png").write_text("no picture")
    totals = survey_masks([Pair("a", tmp_path / "a.png", tmp_path / "a.png")])
    assert totals == MaskTotals(unreadable=1)
