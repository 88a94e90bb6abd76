"""What stands along the street: trees, poles, signs, fences, bins."""

import numpy as np

from swiftseg.data.toy_street.mesh import (
    FENCE,
    POLE,
    SIGN,
    TREE,
    VOID,
    Mesh,
    box,
    disc,
    lift,
    limb,
    rectangle,
    rectangles,
)

LEAVES = ((70, 116, 52), (52, 92, 48), (98, 130, 58), (120, 132, 62), (74, 104, 76),
          (196, 120, 48), (176, 76, 44), (208, 160, 64), (222, 170, 182))  # fmt: skip
LEAF_SHARES = (0.2, 0.2, 0.15, 0.1, 0.1, 0.08, 0.06, 0.06, 0.05)
BARK = ((92, 72, 56), (74, 62, 54), (122, 106, 90))
METALS = ((112, 116, 118), (70, 74, 76), (150, 154, 156), (52, 70, 62), (120, 92, 66))
PLANKS = ((138, 102, 68), (104, 84, 66), (208, 204, 196), (86, 100, 84), (126, 128, 130),
          (150, 84, 66))  # fmt: skip
GARAGE_GREEN, BIN_GREY = (44, 78, 60), (66, 70, 74)


def choose(rng: np.random.Generator, colors: tuple[tuple[int, int, int], ...]) -> np.ndarray:
    """Draw a color and vary it, float (3,)."""
    return np.array(colors[int(rng.integers(len(colors)))]) * rng.uniform(0.85, 1.15, 3)


def make_tree(rng: np.random.Generator) -> Mesh:
    """A round tree, a poplar or a conifer."""
    color = np.array(LEAVES[int(rng.choice(len(LEAVES), p=LEAF_SHARES))]) * rng.uniform(0.85, 1.15)
    kind = rng.random()
    height = rng.uniform(4.0, 8.5)
    mesh = Mesh(height=height, radius=height * 0.22)
    trunk_m = rng.uniform(0.3, 0.5)
    mesh.add_card(limb(0, 0, 0, height * 0.5, trunk_m), choose(rng, BARK), TREE)
    if kind < 0.16:
        add_conifer(mesh, rng, height, color * 0.8)
    elif kind < 0.28:
        add_crown(mesh, rng, (0.13 * height, 0.42 * height), 0.58 * height, color)
    else:
        wide = rng.uniform(0.24, 0.36) * height
        add_crown(mesh, rng, (wide, 0.3 * height), 0.68 * height, color)
    return mesh


def add_crown(
    mesh: Mesh, rng: np.random.Generator, radii: tuple[float, float], y: float, color: np.ndarray
) -> None:
    """Clumps of leaves fill an ellipse around height y, lighter toward the top; dabs of light."""
    count = 16
    turns = rng.uniform(0, 2 * np.pi, count)
    reach = np.sqrt(rng.uniform(0.05, 1, count)) * 0.72
    x, up = radii[0] * reach * np.cos(turns), radii[1] * reach * np.sin(turns)
    order = np.argsort(up + rng.normal(0, 0.2, count) * radii[1])
    clumps = np.stack([disc(0, 0, 1, corners=9)] * count) * rng.uniform(0.82, 1.12, (count, 9, 1))
    clumps *= 0.5 * min(radii) * rng.uniform(0.75, 1.15, (count, 1, 1))
    clumps += np.stack((x, y + up), axis=1)[order][:, None]
    shade = 0.72 + 0.42 * (up[order] / radii[1] + 0.5) + rng.normal(0, 0.07, count)
    mesh.add_card(clumps, color * shade[:, None], TREE)
    picks = rng.integers(count, size=26)
    at = clumps[picks].mean(axis=1) + rng.normal(0, 0.16 * min(radii), (26, 2))
    dabs = at[:, None] + disc(0, 0, 0.13 * min(radii), corners=5)
    tint = rng.choice((0.7, 1.25), (26, 1)) * shade[picks][:, None]
    # Dabs stay inside the crown: outside of it they would be leaves in the air.
    inside = (np.linalg.norm((at - (0, y)) / radii, axis=1) < 0.8).nonzero()[0]
    if len(inside):
        mesh.add_card(dabs[inside], color * tint[inside], TREE)


def add_conifer(mesh: Mesh, rng: np.random.Generator, height: float, color: np.ndarray) -> None:
    tiers = 5
    for tier in range(tiers):
        low = height * (0.14 + 0.17 * tier)
        half = height * 0.24 * (1 - 0.72 * tier / (tiers - 1)) * rng.uniform(0.9, 1.1)
        outline = np.array(((-half, low), (half, low), (0, low + 0.36 * height)))
        mesh.add_card(outline, color * (0.8 + 0.09 * tier), TREE)
        sunny = np.array(((-half, low), (-0.2 * half, low), (0, low + 0.36 * height)))
        mesh.add_card(sunny, color * (0.98 + 0.09 * tier), TREE)


def make_hedge(rng: np.random.Generator, side: int, x: float, z0: float, z1: float) -> Mesh:
    """A clipped hedge along the street, in street coordinates."""
    mesh = Mesh()
    color = np.array(LEAVES[int(rng.integers(5))]) * rng.uniform(0.8, 1.1)
    top = rng.uniform(0.9, 1.6)
    edges = np.arange(z0, z1, 1.0)
    for start in edges[::-1]:
        left, right = sorted((side * x, side * (x + 0.9)))
        leafy = box(left, start, right, min(start + 1.0, z1), 0.0, top + rng.uniform(-0.06, 0.06))
        mesh.add(leafy, color * rng.uniform(0.85, 1.12), TREE)
    return mesh


def make_fence(
    rng: np.random.Generator, side: int, x: float, z0: float, z1: float, *, back: bool = True
) -> Mesh:
    """Planks, pickets, sheet or railing panels along the street, in street coordinates.

    `back` closes the near end, as around a garden.
    """
    mesh = Mesh()
    color, tall = choose(rng, PLANKS), rng.uniform(1.0, 1.9)
    start = z1 if side > 0 else z0
    origin, along, length = (side * x, 0.0, start), (0.0, 0.0, float(-side)), z1 - z0
    runs = [(origin, along, length)]
    if back:
        runs.insert(0, ((x if side > 0 else -x - 7.0, 0.0, z0), (1.0, 0.0, 0.0), 7.0))
    style = int(rng.integers(3))
    for origin, along, length in runs:
        add_fence_run(mesh, style, color, tall, np.array(origin), np.array(along), length)
    return mesh


def add_fence_run(
    mesh: Mesh,
    style: int,
    color: np.ndarray,
    tall: float,
    origin: np.ndarray,
    along: np.ndarray,
    length: float,
) -> None:
    """One straight run, painted from both sides: upright planks, lying boards, or a railing."""

    def put(shapes: np.ndarray, color: np.ndarray) -> None:
        mesh.add(lift(shapes, origin, along), color, FENCE, two_sided=True)

    put(rectangle(0, 0.05, length, tall), color * 0.62)
    if style == 0:
        s = np.arange(0, length - 0.2, 0.4)
        put(rectangles(s, 0.0, s + 0.29, tall + 0.1), color)
    elif style == 1:
        y = np.arange(0.1, tall - 0.1, 0.36)
        put(rectangles(0, y, length, y + 0.26), color)
    else:
        s = np.arange(0, length - 0.1, 0.55)
        put(rectangles(s, 0.0, s + 0.16, tall), color)
        put(rectangles(0, np.array((0.2, tall - 0.2)), length, np.array((0.36, tall))), color * 1.1)
    posts = np.arange(0, length - 0.1, 2.2)
    put(rectangles(posts, 0, posts + 0.16, tall + 0.18), color * 0.85)


def make_lamp_post(rng: np.random.Generator, inward: int, *, lamps: bool) -> Mesh:
    """A mast whose arm reaches over the road, toward `inward` (1 right, -1 left)."""
    mesh = Mesh(height=5.5, radius=0.18)
    color, tall, wide = choose(rng, METALS), rng.uniform(4.6, 6.4), rng.uniform(0.36, 0.5)
    mesh.add_card(rectangle(-wide * 0.8, 0, wide * 0.8, 0.7), color * 0.8, POLE)
    mesh.add_card(limb(0, 0, 0, tall, wide), color, POLE)
    mesh.add_card(rectangle(-wide / 2, 0, -wide / 6, tall), color * 1.25, POLE)
    mesh.add_card(limb(0, tall - 0.1, inward * 1.5, tall + 0.35, 0.32), color, POLE)
    head = rectangle(inward * 1.5 - 0.4, tall + 0.2, inward * 1.5 + 0.4, tall + 0.48)
    mesh.add_card(head, color * 0.9, POLE)
    glass = rectangle(inward * 1.5 - 0.32, tall + 0.16, inward * 1.5 + 0.32, tall + 0.3)
    glass = np.concatenate((glass, np.zeros((4, 1))), axis=1)
    bright = (255, 236, 180) if lamps else (214, 214, 206)
    mesh.add(glass, bright, POLE, glow=lamps, two_sided=True)
    return mesh


def make_utility_pole(rng: np.random.Generator) -> Mesh:
    """A wooden pole with crossarms, as brown as a trunk."""
    mesh = Mesh(height=7.0, radius=0.2)
    color, tall = choose(rng, BARK), rng.uniform(6.0, 8.0)
    mesh.add_card(limb(0, 0, 0, tall, 0.5), color, POLE)
    mesh.add_card(rectangle(-0.25, 0, -0.07, tall), color * 1.2, POLE)
    for y in (tall - 0.5, tall - 1.3):
        mesh.add_card(rectangle(-1.0, y, 1.0, y + 0.3), color * 0.9, POLE)
    return mesh


def make_traffic_light(rng: np.random.Generator) -> Mesh:
    """A mast (pole) with a signal head (sign)."""
    mesh = Mesh(height=3.5, radius=0.2)
    tall = rng.uniform(2.8, 3.6)
    mesh.add_card(limb(0, 0, 0, tall, 0.4), choose(rng, METALS), POLE)
    mesh.add_card(rectangle(-0.34, tall - 0.2, 0.34, tall + 1.3), (34, 36, 36), SIGN)
    lit = int(rng.integers(3))
    for at, color in enumerate(((70, 220, 120), (250, 190, 60), (240, 60, 50))):
        lamp = disc(0.0, tall + 0.05 + 0.46 * at, 0.18)
        shade = 1.0 if at == lit else 0.3
        mesh.add_card(lamp, np.array(color) * shade, SIGN)
    return mesh


def make_sign(rng: np.random.Generator) -> Mesh:
    """A traffic sign (sign) on its post (pole), or the grey back of one."""
    mesh = Mesh(height=2.6, radius=0.15)
    size, y = rng.uniform(0.6, 0.85), rng.uniform(2.1, 2.7)
    mesh.add_card(limb(0, 0, 0, y, rng.uniform(0.3, 0.38)), choose(rng, METALS), POLE)
    white, red, blue = (240, 238, 232), (204, 36, 36), (36, 84, 170)
    kind = int(rng.integers(7))
    if kind == 0:
        add_plates(mesh, y, size, 14, 0.0, (red, white), (1.0, 0.7))
    elif kind == 1:
        add_plates(mesh, y, size * 1.2, 3, np.pi / 2, (red, white), (1.0, 0.62))
    elif kind == 2:
        add_plates(mesh, y, size, 8, np.pi / 8, (white, red), (1.0, 0.88))
        mesh.add_card(
            rectangle(-0.5 * size, y - 0.12 * size, 0.5 * size, y + 0.12 * size), white, SIGN
        )
    elif kind == 3:
        add_plates(mesh, y, size, 4, 0.0, (white, (238, 188, 40)), (1.05, 0.8))
    elif kind == 4:
        add_plates(mesh, y, size * 1.1, 4, np.pi / 4, (white, blue), (1.05, 0.92))
        mesh.add_card(
            limb(-0.2 * size, y - 0.4 * size, -0.2 * size, y + 0.4 * size, 0.16), white, SIGN
        )
        mesh.add_card(disc(0.05, y + 0.15 * size, 0.25 * size), white, SIGN)
    elif kind == 5:
        board = choose(rng, ((36, 84, 170), (30, 110, 70), (236, 200, 60), (228, 226, 220)))
        mesh.add_card(rectangle(-1.0, y - 0.4, 1.0, y + 0.5), (230, 228, 222), SIGN)
        mesh.add_card(rectangle(-0.92, y - 0.33, 0.92, y + 0.43), board, SIGN)
        lines = np.array((-0.15, 0.18))
        mesh.add_card(rectangles(-0.7, lines, 0.5, lines + 0.14), 255 - board * 0.8, SIGN)
    else:
        add_plates(mesh, y, size, 14, 0.0, ((120, 122, 124), (148, 150, 152)), (1.0, 0.85))
    return mesh


def add_plates(
    mesh: Mesh,
    y: float,
    size: float,
    corners: int,
    turn: float,
    colors: tuple[tuple[int, int, int], ...],
    scales: tuple[float, ...],
) -> None:
    for color, scale in zip(colors, scales, strict=True):
        mesh.add_card(disc(0.0, y, size * scale, corners=corners, turn=turn), color, SIGN)


def make_bin(rng: np.random.Generator) -> Mesh:
    """A litter bin; none of the classes, so void."""
    mesh = Mesh(height=1.0, radius=0.35)
    color = choose(rng, (GARAGE_GREEN, BIN_GREY))
    mesh.add(box(-0.3, -0.3, 0.3, 0.3, 0.0, 0.95), color, VOID)
    mesh.add(box(-0.34, -0.34, 0.34, 0.34, 0.85, 1.0), color * 1.2, VOID)
    return mesh
