import hashlib
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.data.toy_street import ToyStreet, render_clip
from swiftseg.data.toy_street.backdrop import paint_backdrop
from swiftseg.data.toy_street.camera import Camera, paint
from swiftseg.data.toy_street.light import draw_light
from swiftseg.data.toy_street.mesh import CAR, POLE, SKY, Mesh, Placed, gather, rectangle
from swiftseg.data.toy_street.world import draw_world

SMALL_HW = (60, 80)
PALETTE = np.array([*CAMVID_LABELS.palette, (0, 0, 0)])
CLEAR = replace(draw_light(np.random.default_rng(0)), haze_m=1e12)


def straight_camera(size_hw=(100, 200)):
    return Camera(0.0, 1.5, 0.0, 0.0, 0.0, 0.0, bend=0.0, focal=0.5, size_hw=size_hw)


def painted(placed, camera, light=CLEAR):
    canvas = Image.new("RGBA", camera.size_hw[::-1], (0, 0, 0, 255))
    paint(ImageDraw.Draw(canvas), gather(placed), camera, light)
    pixels = np.asarray(canvas)
    return pixels[..., :3], pixels[..., 3]


def card(shape, label=POLE):
    mesh = Mesh()
    mesh.add_card(shape, (200, 100, 50), label)
    return mesh


@pytest.mark.parametrize("size_hw", [(60, 80), (61, 83), (90, 40), (17, 19), (1, 1)])
def test_samples_have_the_size_and_types_asked_for(size_hw):
    sample = ToyStreet("train", 1, size_hw)[0]
    assert sample.image.shape == (*size_hw, 3)
    assert sample.mask.shape == size_hw
    assert sample.image.dtype == sample.mask.dtype == np.uint8
    assert sample.image.flags.writeable
    assert sample.mask.flags.writeable
    assert sample.mask.max() <= CAMVID_LABELS.ignore_index


def test_every_class_occurs_within_thirty_scenes():
    counts = sum(
        np.bincount(sample.mask.ravel(), minlength=12)
        for sample in ToyStreet("val", 30, (120, 160))
    )
    shares = counts / counts.sum()
    assert (shares[: len(CAMVID_LABELS)] > 0.002).all()


def test_void_is_rare():
    masks = np.stack([sample.mask for sample in ToyStreet("train", 20, SMALL_HW)])
    assert (masks == CAMVID_LABELS.ignore_index).mean() < 0.02


def test_a_scene_depends_on_its_index_alone():
    street = ToyStreet("train", 6, SMALL_HW)
    last = street[5]
    assert [street[i].name for i in range(6)] == [sample.name for sample in street]
    again = ToyStreet("train", 9, SMALL_HW)[5]
    np.testing.assert_array_equal(last.image, again.image)
    np.testing.assert_array_equal(last.mask, again.mask)
    np.testing.assert_array_equal(street[-1].image, last.image)
    assert street[4:][1].name == last.name


def digest_of_scenes():
    digest = hashlib.sha256()
    for sample in [*ToyStreet("val", 3, SMALL_HW), *render_clip(4, 2, SMALL_HW)]:
        digest.update(sample.image.tobytes() + sample.mask.tobytes())
    return digest.hexdigest()


def test_another_process_renders_the_same():
    script = (
        "import hashlib; from swiftseg.data.toy_street import ToyStreet, render_clip\n"
        "d = hashlib.sha256()\n"
        "for s in [*ToyStreet('val', 3, (60, 80)), *render_clip(4, 2, (60, 80))]:\n"
        "    d.update(s.image.tobytes() + s.mask.tobytes())\n"
        "print(d.hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert other.stdout.decode().strip() == digest_of_scenes()


def test_no_scene_is_in_two_splits_or_two_seeds():
    streets = [ToyStreet(split, 8, SMALL_HW) for split in ("train", "val", "test")]
    streets.append(ToyStreet("train", 8, SMALL_HW, seed=1))
    masks = {sample.mask.tobytes() for street in streets for sample in street}
    assert len(masks) == 32


def test_mask_is_the_color_of_its_stroke():
    """With every face in its class's flat color, the picture is the mask in palette colors."""
    for seed in range(8):
        world = draw_world(np.random.default_rng(seed), (120, 160), 0.0, speed=0.0)
        faces = gather(world.visible(0.0))
        faces = faces._replace(colors=PALETTE[faces.labels], glow=np.ones_like(faces.glow))
        canvas = Image.new("RGBA", (160, 120), (0, 0, 0, 11))
        paint(ImageDraw.Draw(canvas), faces, world.camera_at(0.0), CLEAR)
        pixels = np.asarray(canvas)
        np.testing.assert_allclose(pixels[..., :3], PALETTE[pixels[..., 3]], atol=1)


def test_a_card_lies_where_a_pinhole_puts_it():
    """focal 100 px: 2 m wide and 3 m high at 10 m is 20 x 30 pixels around the optical axis."""
    _, mask = painted([Placed(card(rectangle(-1, 0, 1, 3)), z=10.0)], straight_camera())
    rows, columns = np.nonzero(mask == POLE)
    assert (columns.min(), columns.max()) == (
        pytest.approx(89.5, abs=1),
        pytest.approx(109.5, abs=1),
    )
    assert (rows.min(), rows.max()) == (pytest.approx(34.5, abs=1), pytest.approx(64.5, abs=1))
    assert (mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] == POLE).all()


def test_what_is_nearer_covers_what_is_farther():
    far, near = card(rectangle(-2, 0, 2, 3)), card(rectangle(-0.5, 0, 0.5, 3), CAR)
    _, mask = painted([Placed(far, z=20.0), Placed(near, z=10.0)], straight_camera())
    assert mask[50, 100] == CAR
    assert mask[50, 92] == POLE


def test_a_face_that_reaches_behind_the_camera_is_cut_there():
    wall = np.array([(2.0, 0, 30), (2.0, 0, -30), (2.0, 3, -30), (2.0, 3, 30)])
    mesh = Mesh()
    mesh.add(wall, (200, 100, 50), POLE)
    _, mask = painted([Placed(mesh)], straight_camera())
    assert (mask[:, 180:] == POLE).all()
    assert (mask[:, :100] == 255).all()


def test_a_face_seen_from_behind_is_not_painted():
    wall = np.array([(2.0, 0, 5), (2.0, 0, 30), (2.0, 3, 30), (2.0, 3, 5)])
    mesh = Mesh()
    mesh.add(wall, (200, 100, 50), POLE)
    _, mask = painted([Placed(mesh)], straight_camera())
    assert (mask == 255).all()


def test_distance_fades_colors_into_the_haze():
    misty = replace(CLEAR, haze_m=10.0)
    wide = card(rectangle(-500, 0, 500, 300))
    camera = straight_camera()
    contrasts = [
        np.abs(painted([Placed(wide, z=z)], camera, misty)[0][20, 100] - misty.horizon).sum()
        for z in (2.0, 20.0, 60.0)
    ]
    assert contrasts[0] > contrasts[1] > contrasts[2]


def test_neighboring_frames_of_a_clip_are_alike_and_distant_ones_are_not():
    masks = [sample.mask for sample in render_clip(2, 13, (120, 160))]
    steps = [np.mean(a != b) for a, b in pairwise(masks)]
    assert 0 < max(steps) < 0.2
    assert np.mean(masks[0] != masks[-1]) > 2 * np.mean(steps)


def test_a_longer_clip_begins_as_a_shorter_one():
    short, long = render_clip(3, 2, SMALL_HW), render_clip(3, 12, SMALL_HW)
    for one, other in zip(short, long, strict=False):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.mask, other.mask)


def test_frames_of_a_clip_are_named_in_order():
    names = [sample.name for sample in render_clip(5, 3, SMALL_HW)]
    assert names == ["clip_5_00000", "clip_5_00001", "clip_5_00002"]


def test_unknown_split_names_the_known_ones():
    with pytest.raises(UsageError, match=r"unknown toy street split 'trian'.*train"):
        ToyStreet("trian", 3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ToyStreet("train", 0),
        lambda: ToyStreet("train", 1, (0, 10)),
        lambda: render_clip(0, 0),
        lambda: render_clip(0, 1, (10, 0)),
    ],
)
def test_sizes_and_lengths_must_be_positive(make):
    with pytest.raises(SwiftsegError, match="expected"):
        make()


def test_an_index_past_the_end_is_an_index_error():
    with pytest.raises(IndexError, match="3 of 3"):
        ToyStreet("train", 3, SMALL_HW)[3]


@pytest.mark.parametrize(
    ("pitch", "roll"), [(0.0, 0.0), (0.1, 0.3), (-0.1, -0.3), (1.5, 0), (-1.5, 0)]
)
def test_the_backdrop_covers_every_pixel(pitch, roll):
    """Memory that nobody paints differs between two calls; what is painted does not."""
    world = draw_world(np.random.default_rng(3), SMALL_HW, 0.0, speed=0.0)
    camera = replace(world.camera, pitch=pitch, roll=roll)
    first = paint_backdrop(camera.rays(), camera, world.light, world.layout, [])
    filled = np.full_like(first, 123)  # what the next allocation of this size is likely to hold
    del filled
    again = paint_backdrop(camera.rays(), camera, world.light, world.layout, [])
    np.testing.assert_array_equal(first, again)
    is_down = camera.rays()[..., 1] < -1e-3
    np.testing.assert_array_equal(first[..., 3] != SKY, is_down)
