import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data.images.band_file import read_picture
from swiftseg.data.images.geo_tags import GEO_TAGS
from swiftseg.data.images.windows import open_windows
from swiftseg.inference import Segmenter
from swiftseg.inference.fitting import mean_color
from swiftseg.kernels.resize import resize_frame
from swiftseg.prediction.outputs import Outputs
from swiftseg.prediction.predict_all import predict_all, predict_images
from swiftseg.prediction.sources import find_sources
from tests.support.exported import write_shade_model

GRAY: dict[str, Any] = {"photometric": "minisblack"}
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (70, 90, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 60000, (70, 90, 5), dtype=np.uint16)
GEO = [
    (33550, "d", 3, (0.5, 0.5, 0.0), True),
    (33922, "d", 6, (0.0, 0.0, 0.0, 440720.0, 100000.0, 0.0), True),
    (34735, "H", 8, (1, 1, 0, 1, 3072, 0, 1, 32633), True),
]


@pytest.mark.parametrize(
    ("stored", "options"),
    [
        (RGB, {"photometric": "rgb", "tile": (32, 16)}),
        (RGB, {"photometric": "rgb", "tile": (32, 16), "compression": "zlib", "predictor": True}),
        (RGB, {"photometric": "rgb", "rowsperstrip": 9, "compression": "lzw"}),
        (RGB, {"photometric": "rgb"}),  # one strip as it is
        (RGB, {"photometric": "rgb", "tile": (64, 64), "compression": "jpeg"}),
        (DEEP[..., :4].astype(np.uint8), {"photometric": "rgb", "extrasamples": [2]}),  # alpha
        (DEEP[..., :4].astype(np.uint8), {"photometric": "rgb", "extrasamples": [0]}),
        (RGB[..., 0], {**GRAY, "tile": (16, 16), "compression": "zlib"}),
        (RGB[..., 0], {"photometric": "miniswhite"}),  # decoded at once
        (DEEP, {**GRAY, "planarconfig": "contig", "tile": (16, 32), "compression": "zlib"}),
        (np.moveaxis(DEEP, 2, 0), {**GRAY, "planarconfig": "separate", "tile": (16, 32)}),
        (np.moveaxis(DEEP, 2, 0), {**GRAY, "compression": "zlib", "rowsperstrip": 11}),
        (np.moveaxis(DEEP, 2, 0), GRAY),
    ],
)
def test_windows_are_what_reading_it_whole_gives(
    tmp_path: Path, stored: np.ndarray, options: dict[str, Any]
):
    path = tmp_path / "picture.tif"
    tifffile.imwrite(path, stored, **options)
    whole = read_picture(path)
    with open_windows(path) as picture:
        assert picture.shape == whole.shape
        assert picture.dtype == whole.dtype
        for top, left, height, width in ((0, 0, 70, 90), (3, 5, 40, 60), (60, 80, 10, 10)):
            window = slice(top, top + height), slice(left, left + width)
            # JPEG's decoders differ by rounding.
            slack = 3 if options.get("compression") == "jpeg" else 0
            apart = np.abs(picture[window].astype(np.int64) - whole[window])
            assert apart.max() <= slack


def averaged_by_the_book(
    segmenter: Segmenter, picture: np.ndarray, tile_hw: tuple[int, int], overlap: int
) -> np.ndarray:
    """The labels of a picture, each tile's probabilities added up pixel by pixel."""
    (height, width), (rows, columns) = picture.shape[:2], tile_hw
    total = np.zeros((len(segmenter.spec.labels), height, width))
    for top in {min(t, height - rows) for t in range(0, height, rows - overlap)}:
        for left in {min(at, width - columns) for at in range(0, width, columns - overlap)}:
            tile = picture[top : top + rows, left : left + columns]
            seen = resize_frame(np.ascontiguousarray(tile), segmenter.spec.input.size_hw)
            probs = segmenter.fitted("stretch").probabilities(seen)
            for label, plane in enumerate(probs):
                enlarged = Image.fromarray(plane).resize((columns, rows), Image.Resampling.BILINEAR)
                total[label, top : top + rows, left : left + columns] += np.asarray(enlarged)
    return total.argmax(axis=0)


@pytest.mark.parametrize(("tile_hw", "overlap"), [((12, 16), 4), ((24, 40), 7), ((12, 16), 0)])
def test_seams_are_averaged_as_a_slow_reference_does(
    tmp_path: Path, tile_hw: tuple[int, int], overlap: int
):
    segmenter = Segmenter.load(write_shade_model(tmp_path / "m.onnx"))
    assert segmenter.spec.input.size_hw == (12, 16)
    path = tmp_path / "picture.tif"
    smooth = np.asarray(Image.fromarray(RGB[:9, :11]).resize((90, 70)))
    tifffile.imwrite(path, smooth, photometric="rgb", tile=(32, 32), compression="zlib")
    found = segmenter.tiled(path, tmp_path / "labels.tif", tile_hw=tile_hw, overlap=overlap)
    labels = tifffile.imread(tmp_path / "labels.tif")
    expected = averaged_by_the_book(segmenter, smooth, tile_hw, overlap)
    assert (labels != expected).mean() < 0.001  # equal probabilities may be rounded either way
    assert found.size_hw == (70, 90)
    counts = np.bincount(labels.ravel(), minlength=len(found.pixels))
    assert list(found.pixels.values()) == counts.tolist()
    whole = segmenter.with_tiles(tile_hw, overlap)(smooth).label_map
    np.testing.assert_array_equal(whole, labels)
    assert mean_color(segmenter.spec.input).shape == (3,)


def test_a_geotiff_keeps_its_place(tmp_path: Path):
    model = write_shade_model(tmp_path / "m.onnx")
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, RGB, photometric="rgb", extratags=GEO)
    segmenter = Segmenter.load(model)
    run = predict_images(path, model=segmenter, out=tmp_path / "out")
    segmenter.tiled(path, tmp_path / "tiled.tif")
    for written in (tmp_path / "out/labels/field.tif", tmp_path / "tiled.tif"):
        with tifffile.TiffFile(written) as tiff:
            tags = tiff.pages[0].aspage().tags
            kept = {code: tags[code].value for code in GEO_TAGS if code in tags}
            assert kept == {code: value for code, _, _, value, _ in GEO}
            assert tiff.pages[0].shape == (70, 90)
    labels = tifffile.imread(tmp_path / "out/labels/field.tif")
    np.testing.assert_array_equal(labels, segmenter(path).label_map)
    assert run.predictions[0].files["labels"] == str(tmp_path / "out/labels/field.tif")
    with Image.open(tmp_path / "out/labels/field.tif") as shown:
        assert shown.mode == "P"
    outputs = Outputs(tmp_path / "out", ("labels",))
    again = predict_all(segmenter, find_sources([str(path)]), outputs, skips_existing=True)
    assert again.skipped == 1


def test_tiles_that_do_not_get_on_are_refused(tmp_path: Path):
    segmenter = Segmenter.load(write_shade_model(tmp_path / "m.onnx"))
    with pytest.raises(UsageError, match="overlap from 0 to below the tile's 12 pixels, got 12"):
        segmenter.with_tiles((12, 16), 12)
    path = tmp_path / "deep.tif"
    tifffile.imwrite(path, DEEP, planarconfig="contig", tile=(32, 32), **GRAY)
    with pytest.raises(SwiftsegError, match="5 bands of uint16 where the model takes 8-bit RGB"):
        segmenter.tiled(path, tmp_path / "labels.tif")
    assert not (tmp_path / "labels.tif").exists()


MEASURED = """
import resource, sys
from swiftseg.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_a_picture_of_400_megapixels_takes_bounded_memory(tmp_path: Path):
    """As RGB alone it takes 1.2 GB, and the labels 0.4 GB."""
    side, path = 20_000, tmp_path / "slide.tif"
    tile = np.asarray(Image.fromarray(RGB).resize((512, 512)))
    tifffile.imwrite(
        path,
        (tile for _ in range((-(-side // 512)) ** 2)),
        shape=(side, side, 3),
        dtype=np.uint8,
        tile=(512, 512),
        photometric="rgb",
        compression="zlib",
    )
    model = write_shade_model(tmp_path / "m.onnx", size_hw=(512, 512))
    peaks: list[int] = []
    for picture, options in ((path, ()), (tmp_path / "small.png", ("--fit", "stretch"))):
        Image.fromarray(RGB).save(tmp_path / "small.png")
        command = ["predict", picture, "--model", model, "--out", tmp_path / "out", *options]
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, *map(str, command)],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout.split("peak ")[1]) >> 10)  # MB
        if picture == path:
            assert "1 image labeled in tiles of 512x512 pixels" in done.stdout
    assert peaks[0] - peaks[1] < 900, f"{peaks[0]} MB, {peaks[1]} MB with a small picture"
    with tifffile.TiffFile(tmp_path / "out/labels/slide.tif") as tiff:
        assert tiff.pages[0].shape == (side, side)
        assert tiff.pages[0].aspage().is_tiled
    with Image.open(tmp_path / "out/overlay/slide.jpg") as shown:
        assert max(shown.size) <= 2048 + 400
