import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.core.budgets import MAX_PIXELS
from swiftseg.data.images import header
from swiftseg.data.images.image_file import read_image, read_mask, read_values

ORIENTATION = 0x0112  # the EXIF tag


@pytest.fixture
def color():
    return np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def save(path, image, **options):
    image.save(path, **options)
    return path


def png_header(width, height):
    """A PNG that claims a size and holds no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    checked = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + checked + struct.pack(">I", 1) + b"IDAT"


def test_rgb_comes_back_as_it_was(tmp_path, color):
    image = read_image(save(tmp_path / "a.png", Image.fromarray(color)))
    assert image.dtype == np.uint8
    assert image.flags.writeable
    np.testing.assert_array_equal(image, color)


def test_a_path_may_be_text(tmp_path, color):
    path = save(tmp_path / "a.png", Image.fromarray(color))
    np.testing.assert_array_equal(read_image(str(path)), color)


@pytest.mark.parametrize("mode", ["L", "1"])
def test_gray_has_three_equal_channels(tmp_path, color, mode):
    gray = Image.fromarray(color).convert(mode)
    image = read_image(save(tmp_path / "a.png", gray))
    np.testing.assert_array_equal(image, np.repeat(np.array(gray.convert("L"))[..., None], 3, -1))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_dropped_and_colors_stay(tmp_path, color, mode):
    opaque = Image.fromarray(color).convert(mode)
    expected = np.array(opaque.convert("RGB"))
    opaque.putalpha(Image.fromarray(color[..., 0]))
    np.testing.assert_array_equal(read_image(save(tmp_path / "a.png", opaque)), expected)


def test_palette_colors_are_looked_up(tmp_path):
    indices = np.arange(12, dtype=np.uint8).reshape(3, 4)
    palette = np.arange(36, dtype=np.uint8).reshape(12, 3) * 7
    image = Image.fromarray(indices)
    image.putpalette(palette.tobytes())
    path = save(tmp_path / "a.png", image, transparency=b"\x00\x80\xff")
    np.testing.assert_array_equal(read_image(path), palette[indices])


def test_cmyk_becomes_rgb(tmp_path):
    ink = Image.new("CMYK", (5, 4), (255, 0, 0, 0))  # cyan takes red away
    image = read_image(save(tmp_path / "a.tif", ink))
    np.testing.assert_array_equal(image, np.broadcast_to([0, 255, 255], (4, 5, 3)))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, color, orientation, name):
    # What undoes each orientation, by the EXIF standard: mirrored left-right, then turned.
    turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}[orientation]
    mirrored = color[:, ::-1] if orientation in (2, 4, 5, 7) else color
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = save(tmp_path / name, Image.fromarray(color), exif=exif)
    expected = np.rot90(mirrored, turns)
    if name.endswith("jpg"):  # what the file holds, decoded without a look at the EXIF data
        with Image.open(path) as stored:
            pixels = np.array(stored)
        expected = np.rot90(pixels[:, ::-1] if orientation in (2, 4, 5, 7) else pixels, turns)
    np.testing.assert_array_equal(read_image(path), expected)


def test_16_bit_color_png_keeps_its_upper_bits(tmp_path):
    samples = np.array([[[0x1234, 0xABCD, 0x00FF]]], dtype=">u2")
    header = b"IHDR" + struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    chunks = [header, b"IDAT" + zlib.compress(b"\0" + samples.tobytes()), b"IEND"]
    packed = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks]
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))
    np.testing.assert_array_equal(read_image(path), [[[0x12, 0xAB, 0x00]]])


@pytest.mark.parametrize(("name", "dtype"), [("a.png", np.uint16), ("a.tif", np.int32)])
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_deep_gray_is_stretched_from_its_darkest_to_its_brightest(tmp_path, name, dtype, bits):
    values = np.linspace(2 ** (bits - 3), 2**bits - 1, 20).reshape(4, 5).astype(dtype)
    picture = read_image(save(tmp_path / name, Image.fromarray(values)))
    shades = values.astype(float)
    expected = 255 * (shades - shades.min()) / (shades.max() - shades.min())
    assert picture.shape == (4, 5, 3)
    np.testing.assert_allclose(picture, np.repeat(expected[..., None], 3, axis=2), atol=0.51)


def test_flat_deep_gray_is_black(tmp_path):
    path = save(tmp_path / "a.png", Image.fromarray(np.full((4, 4), 900, np.uint16)))
    assert not read_image(path).any()


def test_floating_point_is_refused(tmp_path):
    path = save(tmp_path / "a.tif", Image.fromarray(np.ones((4, 4), np.float32)))
    with pytest.raises(SwiftsegError, match="expected 8 bits per channel, got floating point"):
        read_image(path)


@pytest.fixture(params=[read_image, read_mask], ids=["image", "mask"])
def reader(request):
    return request.param


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp", "webp", "tif", "gif", "ppm"])
def test_every_truncation_is_refused_or_whole(tmp_path, color, kind):
    buffer = io.BytesIO()
    formats = {"jpg": "JPEG", "tif": "TIFF"}
    Image.fromarray(color).save(buffer, formats.get(kind, kind.upper()))
    path = tmp_path / f"a.{kind}"
    path.write_bytes(buffer.getvalue())
    whole = read_image(path)
    for length in range(len(buffer.getvalue())):
        path.write_bytes(buffer.getvalue()[:length])
        try:
            image = read_image(path)
        except SwiftsegError as error:
            assert "\n" not in str(error)  # noqa: PT017
            assert str(path) in str(error)  # noqa: PT017
        else:
            np.testing.assert_array_equal(image, whole)


def test_half_a_photo_is_refused(tmp_path, reader):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64), dtype=np.uint8)
    path = save(tmp_path / "a.jpg", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SwiftsegError, match=r"a\.jpg: the image is truncated or damaged"):
        reader(path)


def test_an_empty_file_is_refused(tmp_path, reader):
    path = tmp_path / "a.jpg"
    path.touch()
    with pytest.raises(SwiftsegError, match=r"a\.jpg: the file is empty"):
        reader(path)


@pytest.mark.parametrize(
    "content", [b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"]
)
def test_what_is_no_image_is_refused(tmp_path, reader, content):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(SwiftsegError, match=r"a\.jpg: not an image that can be read"):
        reader(path)


@pytest.mark.parametrize("width", [10_001, 20_000, 2**31 - 1])
def test_a_bomb_is_refused_by_its_header(tmp_path, reader, width):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(width, 10_000))
    with pytest.raises(SwiftsegError, match=r"bomb\.png: the image.* exceeds 100 megapixels"):
        reader(path)


def test_a_picture_of_very_many_rows_is_refused_by_its_header(tmp_path, reader):
    path = tmp_path / "tall.png"
    path.write_bytes(png_header(1, 90_000_000))
    with pytest.raises(SwiftsegError, match=r"the image's 90000000 rows exceed 20 million"):
        reader(path)


def test_the_limit_itself_passes_without_a_warning(tmp_path, color, monkeypatch):
    path = save(tmp_path / "a.png", Image.fromarray(color))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)  # Pillow would warn of 48 pixels
    monkeypatch.setattr(header, "MAX_PIXELS", 48)
    np.testing.assert_array_equal(read_image(path), color)
    assert MAX_PIXELS == 100_000_000


def test_a_missing_file_and_a_folder_are_named(tmp_path, reader):
    with pytest.raises(SwiftsegError, match=r"no such file: .*gone\.png"):
        reader(tmp_path / "gone.png")
    with pytest.raises(SwiftsegError, match="Is a directory"):
        reader(tmp_path)


@pytest.mark.parametrize("name", ["mask.png", "mask.bmp", "mask.tif"])
def test_gray_values_are_indices(tmp_path, name):
    indices = np.array([[0, 1, 11], [255, 7, 3]], dtype=np.uint8)
    mask = read_mask(save(tmp_path / name, Image.fromarray(indices)))
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, indices)


def test_palette_indices_are_indices(tmp_path):
    indices = np.array([[0, 2], [1, 2]], dtype=np.uint8)
    image = Image.fromarray(indices)
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    np.testing.assert_array_equal(read_mask(save(tmp_path / "a.png", image)), indices)


def test_1_bit_masks_hold_0_and_1(tmp_path):
    bits = np.array([[0, 1], [1, 0]], dtype=bool)
    path = save(tmp_path / "a.png", Image.fromarray(bits))
    np.testing.assert_array_equal(read_mask(path), bits.astype(np.uint8))


def test_16_bit_masks_pass_where_8_bits_hold_them(tmp_path):
    indices = np.array([[0, 11], [255, 3]], dtype=np.uint16)
    path = save(tmp_path / "a.png", Image.fromarray(indices))
    mask = read_mask(path)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, indices)
    with pytest.raises(SwiftsegError, match=r"b\.png: .* 16-bit mask with values from 1 to 256"):
        read_mask(save(tmp_path / "b.png", Image.fromarray(indices + 1)))


@pytest.mark.parametrize(("mode", "said"), [("RGB", "RGB"), ("RGBA", "RGB with alpha")])
def test_a_color_mask_is_refused(tmp_path, color, mode, said):
    path = save(tmp_path / "a.png", Image.fromarray(color).convert(mode))
    with pytest.raises(SwiftsegError, match=rf"a\.png: expected an index mask, got {said};"):
        read_mask(path)


def scans_repeated(path, count):
    """A progressive JPEG whose last scan comes again and again; each goes over all pixels."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    held = io.BytesIO()
    image.save(held, format="JPEG", progressive=True)
    content = held.getvalue()
    last = content.rindex(b"\xff\xda")
    path.write_bytes(content[:-2] + content[last:-2] * count + content[-2:])
    return path


def test_a_jpeg_of_thousands_of_scans_is_refused(tmp_path):
    with pytest.raises(SwiftsegError, match=r"the image has 3\d\d\d scans of 0\.0041 megapixels"):
        read_image(scans_repeated(tmp_path / "slow.jpg", 3000))
    assert read_image(scans_repeated(tmp_path / "usual.jpg", 5)).shape == (64, 64, 3)


DAMAGED = r"a\.png: the image is truncated or damaged \(.+\)"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (AssertionError(), DAMAGED),
        (MemoryError(), r"a\.png: not enough memory"),
        (KeyError("x"), DAMAGED),
        (ZeroDivisionError, DAMAGED),
    ],
)
def test_whatever_a_decoder_raises_is_one_line(tmp_path, color, monkeypatch, error, told):
    path = save(tmp_path / "a.png", Image.fromarray(color))

    def load(image):
        raise error

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(SwiftsegError, match=told):
        read_image(path)


def test_arrays_beyond_the_budget_are_refused(tmp_path):
    header_only = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header_only, {"descr": "<f8", "fortran_order": False, "shape": (1 << 20, 1 << 20)}
    )
    (tmp_path / "claims.npy").write_bytes(header_only.getvalue() + bytes(64))
    with pytest.raises(SwiftsegError, match=r"claims\.npy: not a NumPy file"):
        read_mask(tmp_path / "claims.npy")
    np.savez_compressed(tmp_path / "bomb.npz", a=np.zeros((6000, 6000)))
    with pytest.raises(SwiftsegError, match=r"bomb\.npz: .*its arrays exceed 256 MB"):
        read_mask(tmp_path / "bomb.npz")


@pytest.mark.parametrize("none", [-1, -100, -9999, float("nan")])
def test_one_negative_number_or_nan_is_no_class(tmp_path, none):
    values = np.array([[0, 1, none], [2, none, 1]], np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values)
    expected = [[0, 1, 255], [2, 255, 1]]
    np.testing.assert_array_equal(read_values(tmp_path / "a.tif"), expected)


def test_two_negative_numbers_are_no_masks(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, -1, -2]], np.int16))
    assert read_values(tmp_path / "a.tif").min() == -2  # what is refused as an index
