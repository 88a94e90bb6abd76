"""Houses and blocks along the street."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from swiftseg.data.toy_street.mesh import BUILDING, Mesh, lift, rectangle, rectangles

WALL_COLORS = {
    "brick": ((150, 78, 60), (128, 70, 58), (172, 110, 82), (110, 80, 70), (182, 150, 110)),
    "plaster": ((226, 214, 190), (204, 178, 142), (190, 196, 190), (232, 196, 160),
                (160, 176, 186), (214, 160, 140), (240, 236, 226), (172, 186, 150)),
    "concrete": ((150, 150, 146), (124, 126, 130), (176, 172, 162), (104, 106, 108)),
    "glass": ((86, 110, 124), (70, 84, 96), (110, 136, 140)),
}  # fmt: skip
AWNINGS = ((186, 52, 46), (44, 110, 82), (40, 76, 140), (226, 168, 52), (120, 50, 96))
ROOFS = ((128, 66, 50), (86, 80, 80), (104, 84, 66), (70, 74, 84))
STORY_M = 3.0


@dataclass(frozen=True)
class Wall:
    """An upright plane: `origin` at its foot, `along` to the right for who looks at it."""

    origin: tuple[float, float, float]
    along: tuple[float, float, float]
    length: float

    def lift(self, shapes: np.ndarray, out_m: float = 0.0) -> np.ndarray:
        """Stands shapes of (s, y) on the wall, or `out_m` in front of it."""
        right = np.array(self.along)
        outward = np.array((right[2], 0.0, -right[0])) * out_m
        return lift(shapes, np.array(self.origin) + outward, right)


def make_building(
    rng: np.random.Generator, side: int, facade_m: float, z0: float, z1: float, *, lamps: bool
) -> Mesh:
    """Build a block from z0 to z1 whose front stands `facade_m` right (side 1) or left (-1)."""
    mesh = Mesh()
    style = str(rng.choice(tuple(WALL_COLORS), p=(0.32, 0.36, 0.2, 0.12)))
    stories = int(rng.integers(1, 6)) if style != "glass" else int(rng.integers(3, 7))
    color = pick(rng, WALL_COLORS[style]) * rng.uniform(0.88, 1.06, 3)
    height = stories * STORY_M + 0.6
    front = street_wall(side, facade_m, z0, z1)
    depth_m = 9.0
    gable = end_wall(side, facade_m, z0, depth_m)
    if stories <= 3 and style in ("brick", "plaster"):
        add_roof(mesh, rng, side, facade_m, z0, z1, height, depth_m)
    for wall, shade in ((gable, 0.93), (front, 1.0)):
        mesh.add(wall.lift(rectangle(0, 0, wall.length, height)), color * shade, BUILDING)
        add_courses(mesh, wall, height, color * shade, style)
    add_windows(mesh, rng, gable, 0, stories, style, lamps=lamps)
    is_shop = style != "glass" and z1 - z0 > 5 and rng.random() < 0.4
    add_windows(mesh, rng, front, 1 if is_shop else 0, stories, style, lamps=lamps)
    if is_shop:
        add_shop(mesh, rng, front, lamps=lamps)
    elif style != "glass":
        add_door(mesh, rng, front)
    cornice = rectangle(-0.1, height - 0.45, front.length + 0.1, height + 0.1)
    mesh.add(front.lift(cornice, 0.15), color * rng.uniform(0.75, 1.15), BUILDING)
    return mesh


def pick(rng: np.random.Generator, colors: Sequence[Sequence[int]]) -> np.ndarray:
    """Draw one of some colors, float (3,)."""
    return np.array(colors[int(rng.integers(len(colors)))], dtype=np.float64)


def street_wall(side: int, facade_m: float, z0: float, z1: float) -> Wall:
    start = z1 if side > 0 else z0
    return Wall((side * facade_m, 0.0, start), (0.0, 0.0, float(-side)), z1 - z0)


def end_wall(side: int, facade_m: float, z: float, length: float) -> Wall:
    """The wall that looks back along the street toward smaller z."""
    start = facade_m if side > 0 else -facade_m - length
    return Wall((start, 0.0, z), (1.0, 0.0, 0.0), length)


def add_roof(
    mesh: Mesh,
    rng: np.random.Generator,
    side: int,
    facade_m: float,
    z0: float,
    z1: float,
    height: float,
    depth_m: float,
) -> None:
    """A pitched roof with its ridge along the street, its gable, rows of tiles and a chimney."""
    color = pick(rng, ROOFS) * rng.uniform(0.85, 1.15, 3)
    rise = rng.uniform(1.8, 3.2)
    eave, ridge = side * (facade_m - 0.3), side * (facade_m + depth_m / 2)
    far = side * (facade_m + depth_m)
    triangle = np.array([(min(eave, far), height, z0), (max(eave, far), height, z0)])
    mesh.add(np.vstack((triangle, [(ridge, height + rise, z0)])), color * 0.9, BUILDING)
    shares = np.linspace(0, 1, 7)
    for low, high, shade in zip(shares, shares[1:], (1.0, 0.9) * 3, strict=False):
        x = eave + (ridge - eave) * np.array((low, high))
        y = height + rise * np.array((low, high))
        ends = (z1, z0) if side > 0 else (z0, z1)
        corners = [(x[0], y[0], ends[0]), (x[0], y[0], ends[1])]
        corners += [(x[1], y[1], ends[1]), (x[1], y[1], ends[0])]
        mesh.add(np.array(corners), color * shade, BUILDING)
    at = rng.uniform(z0 + 0.5, z1 - 1.0)
    chimney = rectangle(0, height + rise * 0.5, 0.9, height + rise + 1.1)
    left = ridge - side * 1.5
    mesh.add(lift(chimney, (left - 0.45, 0, at), (1, 0, 0)), color * 0.7, BUILDING)


def add_courses(mesh: Mesh, wall: Wall, height: float, color: np.ndarray, style: str) -> None:
    """What the wall is made of: courses of brick, slabs of concrete, bands between stories."""
    if style == "brick":
        y = np.arange(0.3, height, 0.42)
        mesh.add(wall.lift(rectangles(0, y, wall.length, y + 0.1)), color * 0.84, BUILDING)
    elif style == "concrete":
        s = np.arange(1.5, wall.length, 3.0)
        mesh.add(wall.lift(rectangles(s, 0, s + 0.12, height)), color * 0.8, BUILDING)
    if style != "glass":
        y = np.arange(STORY_M, height, STORY_M)
        mesh.add(wall.lift(rectangles(0, y, wall.length, y + 0.18)), color * 1.12, BUILDING)


def add_windows(
    mesh: Mesh,
    rng: np.random.Generator,
    wall: Wall,
    first_story: int,
    stories: int,
    style: str,
    *,
    lamps: bool,
) -> None:
    """A grid of windows: frame, pane, crossbars; at dusk some are lit."""
    pitch = rng.uniform(1.9, 3.0)
    columns = max(int(wall.length / pitch), 1)
    if stories <= first_story:
        return
    fill = 0.86 if style == "glass" else rng.uniform(0.38, 0.58)
    tall = 2.5 if style == "glass" else rng.uniform(1.3, 1.9)
    step = wall.length / columns
    foot = 0.3 if style == "glass" else 0.95
    s = np.tile((np.arange(columns) + 0.5 - fill / 2) * step, stories - first_story)
    y = np.repeat(np.arange(first_story, stories) * STORY_M + foot, columns)
    wide = fill * step
    frame = np.array((236, 232, 222)) if rng.random() < 0.65 else np.array((74, 64, 58))
    outline = rectangles(s - 0.12, y - 0.14, s + wide + 0.12, y + tall + 0.12)
    mesh.add(wall.lift(outline), frame * rng.uniform(0.85, 1.0), BUILDING)
    panes = np.array((66, 84, 102)) * rng.uniform(0.5, 1.5, (len(s), 1))
    mesh.add(wall.lift(rectangles(s, y, s + wide, y + tall)), panes, BUILDING)
    shine = rectangles(s, y + tall * 0.55, s + wide, y + tall)
    mesh.add(wall.lift(shine), panes * 1.25 + 12, BUILDING)
    if lamps:
        lit = rng.random(len(s)) < 0.5
        if lit.any():
            glow = np.array((250, 206, 120)) * rng.uniform(0.75, 1.0, (int(lit.sum()), 1))
            warm = rectangles(s[lit], y[lit], s[lit] + wide, y[lit] + tall)
            mesh.add(wall.lift(warm), glow, BUILDING, glow=True)
    bars = rectangles(s + wide / 2 - 0.05, y, s + wide / 2 + 0.05, y + tall)
    mesh.add(wall.lift(bars), frame * 0.9, BUILDING)


def add_shop(mesh: Mesh, rng: np.random.Generator, wall: Wall, *, lamps: bool) -> None:
    """A shop on the ground floor: windows with goods, a name board, a striped awning."""
    length = wall.length
    mesh.add(wall.lift(rectangle(0, 0, length, 2.9)), pick(rng, ROOFS) * 0.8, BUILDING)
    color = np.array((250, 214, 140)) if lamps else np.array((108, 126, 132))
    count = max(int(length / 3), 1)
    s = np.arange(count) * (length / count) + 0.25
    wide = length / count - 0.5
    panes = wall.lift(rectangles(s, 0.5, s + wide, 2.3))
    mesh.add(panes, color * rng.uniform(0.8, 1.1, (count, 1)), BUILDING, glow=lamps)
    goods = rng.uniform(40, 240, (count * 3, 3))
    at = (s[:, None] + rng.uniform(0.05, 0.75, (count, 3)) * wide).ravel()
    tall = rng.uniform(0.4, 1.2, count * 3)
    mesh.add(wall.lift(rectangles(at, 0.5, at + 0.18 * wide, 0.5 + tall)), goods * 0.8, BUILDING)
    board = pick(rng, AWNINGS)
    mesh.add(wall.lift(rectangle(0, 2.4, length, 3.0), 0.05), board * 0.8, BUILDING)
    letters = np.arange(0.25 * length, 0.75 * length, 0.42)
    mesh.add(
        wall.lift(rectangles(letters, 2.55, letters + 0.26, 2.85), 0.06), (238, 230, 210), BUILDING
    )
    if rng.random() < 0.6:
        add_awning(mesh, rng, wall)


def add_awning(mesh: Mesh, rng: np.random.Generator, wall: Wall) -> None:
    stripes = max(int(wall.length / 0.7), 2)
    edges = np.linspace(0, wall.length, stripes + 1)
    back = wall.lift(rectangles(edges[:-1], 2.5, edges[1:], 2.5), 0.05)
    front = wall.lift(rectangles(edges[:-1], 2.0, edges[1:], 2.0), 1.2)
    cloth = np.concatenate((front[:, :2], back[:, 2:]), axis=1)
    colors = np.where(np.arange(stripes)[:, None] % 2, pick(rng, AWNINGS), (238, 234, 224))
    mesh.add(cloth, colors, BUILDING)
    valance = wall.lift(rectangles(edges[:-1], 1.8, edges[1:], 2.0), 1.2)
    mesh.add(valance, colors * 0.9, BUILDING)


def add_door(mesh: Mesh, rng: np.random.Generator, wall: Wall) -> None:
    at = wall.length * rng.uniform(0.1, 0.8)
    mesh.add(wall.lift(rectangle(at - 0.15, 0, at + 1.25, 2.5)), (214, 208, 196), BUILDING)
    door = wall.lift(rectangle(at, 0, at + 1.1, 2.2))
    mesh.add(door, pick(rng, AWNINGS) * 0.75, BUILDING)
    mesh.add(wall.lift(rectangle(at + 0.2, 1.3, at + 0.9, 2.0)), (90, 104, 112), BUILDING)
