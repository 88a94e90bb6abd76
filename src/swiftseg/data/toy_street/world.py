"""A street drawn from a seed: what stands where, and the camera's drive."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from swiftseg.data.toy_street import props
from swiftseg.data.toy_street.backdrop import Layout
from swiftseg.data.toy_street.buildings import WALL_COLORS, make_building, pick
from swiftseg.data.toy_street.camera import Camera
from swiftseg.data.toy_street.light import Light, draw_light
from swiftseg.data.toy_street.mesh import BUILDING, TREE, Mesh, Placed, disc, rectangles
from swiftseg.data.toy_street.traffic import (
    SIDES,
    Mover,
    draw_parked,
    draw_riders,
    draw_traffic,
    draw_walkers,
)

SIGHT_M = 75.0
MOVER_SIGHT_M = 45.0  # no vehicle is so large that `sight_m` reaches farther


@dataclass(frozen=True)
class World:
    """Everything there is; `scenery` stands still."""

    layout: Layout
    light: Light
    scenery: Sequence[Placed]
    movers: Sequence[Mover]
    far_end: Mesh
    camera: Camera
    speed: float
    sway: tuple[float, float]

    def camera_at(self, seconds: float) -> Camera:
        """The camera drives on, swaying a little as a car does."""
        amount, phase = self.sway
        turn = phase + 1.3 * seconds
        return self.camera.moved(
            x=self.camera.x + 0.25 * amount * float(np.sin(turn)),
            z=self.camera.z + self.speed * seconds,
            yaw=self.camera.yaw + 0.012 * amount * float(np.cos(turn)),
            pitch=self.camera.pitch + 0.003 * amount * float(np.sin(5 * turn)),
        )

    def visible(self, seconds: float) -> list[Placed]:
        """What stands in sight of the camera, the farthest first."""
        z = self.camera.z + self.speed * seconds
        near = [m for m in self.movers if -2 < m.z + m.speed_z * seconds - z < MOVER_SIGHT_M]
        items = [*self.scenery, *(mover.at(seconds) for mover in near)]
        items = [item for item in items if z - 2 < item.far_z < z + sight_m(item.mesh)]
        items.sort(key=lambda item: -item.far_z)
        return [Placed(self.far_end, z=z + SIGHT_M), *items]

    def shadows(self, placed: Sequence[Placed]) -> list[np.ndarray]:
        """Outlines (n, 3) on the ground of what the placed things keep the sun from."""
        x, y, z = self.light.sun_direction
        per_meter = np.array((-x, -z)) / max(float(y), 0.35)
        outlines = [
            footprint(item, per_meter * min(item.mesh.height, 8.0))
            for item in placed
            if item.mesh.radius
        ]
        return outlines + self.facade_shadows(placed, per_meter)

    def facade_shadows(self, placed: Sequence[Placed], per_meter: np.ndarray) -> list[np.ndarray]:
        """The shadow that a closed row of houses throws across the street."""
        x = float(per_meter[0])
        reach = min(abs(x) * 7.0, 0.9 * self.layout.facade_m)
        if self.light.cloudiness > 0.7 or reach < 1.0:
            return []
        start = -np.sign(x) * self.layout.facade_m
        low = self.camera.z - 5
        edge = start + np.sign(x) * reach
        high = max(item.far_z for item in placed) + 5
        return [np.array([(start, 0, low), (edge, 0, low), (edge, 0, high), (start, 0, high)])]


def sight_m(mesh: Mesh) -> float:
    """From how far a mesh is seen: what is small is left out before it is but a few pixels."""
    size = max(mesh.height, 2 * mesh.radius)
    return min(8 + 4 * size, SIGHT_M) if size else SIGHT_M + 12


def footprint(item: Placed, tip: np.ndarray) -> np.ndarray:
    """An ellipse (10, 3) on the ground from an item's foot to its shadow's tip."""
    length = float(np.linalg.norm(tip))
    ahead = tip / max(length, 1e-6)
    radius = item.mesh.radius
    round_ = disc(0.0, 0.0, 1.0) * (0.5 * length + radius, radius)
    across = np.array((-ahead[1], ahead[0]))
    flat = round_[:, :1] * ahead + round_[:, 1:] * across + 0.5 * tip + (item.x, item.z)
    return np.column_stack((flat[:, 0], np.zeros(len(flat)), flat[:, 1]))


def draw_world(
    rng: np.random.Generator, size_hw: tuple[int, int], drive_s: float, *, speed: float
) -> World:
    """Draw a street long enough to drive along for `drive_s` seconds at `speed` m/s."""
    # What is drawn up to the street's end has a stream of its own, so that a longer street begins
    # as a shorter one does.
    lots, furniture, parked = (dict(zip(SIDES, rng.spawn(2), strict=True)) for _ in range(3))
    walkers, riders, traffic, plan = rng.spawn(4)
    light = draw_light(rng)
    end_m = SIGHT_M + speed * drive_s + 10
    layout = draw_layout(rng, plan, end_m)
    scenery: list[Placed] = []
    for side in SIDES:
        scenery += draw_lots(lots[side], layout, light, side, end_m)
        scenery += draw_furniture(furniture[side], layout, light, side, end_m)
    movers = [mover for side in SIDES for mover in draw_parked(parked[side], layout, side, end_m)]
    movers += draw_walkers(walkers, layout, end_m) + draw_riders(riders, layout, end_m, speed)
    movers += draw_traffic(traffic, layout, light, end_m, speed)
    return World(
        layout=layout,
        light=light,
        scenery=scenery,
        movers=movers,
        far_end=draw_far_end(rng, layout),
        camera=draw_camera(rng, layout, size_hw),
        speed=speed,
        sway=(rng.uniform(0.3, 1.0), rng.uniform(0, 2 * np.pi)),
    )


def draw_camera(rng: np.random.Generator, layout: Layout, size_hw: tuple[int, int]) -> Camera:
    return Camera(
        x=0.5 * layout.road_half_m * rng.uniform(0.5, 1.1),
        height=rng.uniform(1.3, 2.3),
        z=0.0,
        yaw=rng.normal(0, 0.06),
        pitch=rng.uniform(-0.03, 0.1),
        roll=rng.normal(0, 0.012),
        bend=rng.choice((-1, 1)) * rng.uniform(0, 0.0022),
        focal=rng.uniform(0.95, 1.35),
        size_hw=size_hw,
    )


def draw_layout(rng: np.random.Generator, plan: np.random.Generator, end_m: float) -> Layout:
    """Draw surfaces from `rng` and the side streets, up to the street's end, from `plan`."""
    grey = rng.uniform(72, 136)
    pale = rng.uniform(100, 190)
    crossings: list[tuple[float, float]] = []
    at = plan.uniform(8, 70)
    while at < end_m:
        crossings.append((at, at + plan.uniform(6, 9)))
        at += plan.uniform(45, 90)
    return Layout(
        road_half_m=rng.uniform(3.4, 5.6),
        walk_m=rng.uniform(2.2, 3.8),
        verge_m=float(rng.choice((0.0, 0.0, 1.3))),
        crossings=crossings,
        asphalt=grey * rng.uniform(0.93, 1.07, 3),
        paving=pale * np.array((1.04, 1.0, 0.93)) * rng.uniform(0.93, 1.07, 3),
        grass=np.array((92, 124, 62)) * rng.uniform(0.7, 1.2) * rng.uniform(0.9, 1.1, 3),
        curb=pale * np.array((1.12, 1.12, 1.1)),
        tile_m=rng.uniform(0.6, 1.4),
        cobbles=bool(rng.random() < 0.15),
        dash_m=rng.uniform(1.5, 3.5),
        clouds=draw_clouds(rng),
    )


def draw_clouds(rng: np.random.Generator) -> np.ndarray:
    """Two octaves of noise in 0..1, float (12, 12); few columns make clouds that lie flat."""
    coarse = rng.random((6, 4)).repeat(2, axis=0).repeat(3, axis=1)
    return 0.65 * coarse + 0.35 * rng.random((12, 12))


def draw_lots(
    rng: np.random.Generator, layout: Layout, light: Light, side: int, end_m: float
) -> list[Placed]:
    """Fill one side with houses and gardens, leaving the side streets open."""
    placed: list[Placed] = []
    built_share = rng.uniform(0.45, 0.95)
    z = -8.0
    while z < end_m:
        z1 = z + rng.uniform(5, 13)
        for first, last in layout.crossings:
            if z < last and z1 > first:
                z1 = first if first - z > 4 else z
        if z1 <= z:
            z = next(last for _, last in layout.crossings if z < last) + 0.01
            continue
        if rng.random() < built_share:
            front = layout.facade_m + float(rng.choice((0.0, 0.0, 0.6)))
            mesh = make_building(rng, side, front, z, z1, lamps=light.lamps)
            placed.append(Placed(mesh, far_z=z1))
        else:
            placed += draw_garden(rng, layout, light, side, z, z1)
        z = z1 + (rng.uniform(0.5, 4) if rng.random() < 0.25 else 0.0)
    return placed


def draw_garden(
    rng: np.random.Generator, layout: Layout, light: Light, side: int, z0: float, z1: float
) -> list[Placed]:
    """Trees behind a fence or a hedge, now and then a house at the back."""
    edge = layout.facade_m + 0.15
    placed: list[Placed] = []
    if rng.random() < 0.5:
        house = make_building(rng, side, edge + 7, z0 + 0.5, z1 - 0.5, lamps=light.lamps)
        placed.append(Placed(house, far_z=z1))
    for z in sorted(rng.uniform(z0 + 1, z1 - 1, int(rng.integers(0, 4))), reverse=True):
        tree = props.make_tree(rng)
        placed.append(Placed(tree, side * (edge + rng.uniform(1.5, 5)), z, far_z=z1))
    if rng.random() < 0.75:
        placed.append(Placed(props.make_fence(rng, side, edge, z0, z1), far_z=z1))
    else:
        placed.append(Placed(props.make_hedge(rng, side, edge, z0, z1), far_z=z1))
    return placed


def draw_furniture(
    rng: np.random.Generator, layout: Layout, light: Light, side: int, end_m: float
) -> list[Placed]:
    """Lamps, signs, trees, bins and railings along one curb."""
    placed: list[Placed] = []
    x = side * (layout.road_half_m + 0.6)
    kinds = ("lamp", "light", "sign", "tree", "utility", "bin", "fence", "none")
    shares = rng.dirichlet((1.6, 0.8, 2.0, 1.6, 0.5, 0.4, 1.3, 1.2))
    z = rng.uniform(3, 8)
    while z < end_m:
        kind = str(rng.choice(kinds, p=shares))
        if layout.in_crossing(z):
            kind = "none"
        if kind == "fence":
            length = rng.uniform(4, 10)
            if not layout.in_crossing(z + length):
                rail = props.make_fence(rng, side, abs(x), z, z + length, back=False)
                placed.append(Placed(rail, far_z=z + length))
                z += length
        elif kind != "none":
            placed.append(Placed(make_furniture(rng, kind, side, light), x, z, far_z=z))
        z += rng.uniform(3, 9)
    return placed


def make_furniture(rng: np.random.Generator, kind: str, side: int, light: Light) -> Mesh:
    makers: dict[str, Callable[[], Mesh]] = {
        "lamp": lambda: props.make_lamp_post(rng, -side, lamps=light.lamps),
        "light": lambda: props.make_traffic_light(rng),
        "sign": lambda: props.make_sign(rng),
        "tree": lambda: props.make_tree(rng),
        "utility": lambda: props.make_utility_pole(rng),
        "bin": lambda: props.make_bin(rng),
    }
    return makers[kind]()


def draw_far_end(rng: np.random.Generator, layout: Layout) -> Mesh:
    """What closes the street in the distance: roofs and treetops; z is added when placed."""
    mesh = Mesh()
    edges = np.arange(-150.0, 150.0, 9.0)
    tops = rng.uniform(4, 13, len(edges))
    colors = np.stack([pick(rng, WALL_COLORS["plaster"]) for _ in edges])
    mesh.add_card(rectangles(edges, 0.0, edges + 9.5, tops), colors * 0.8, BUILDING)
    centers = rng.uniform(-150, 150, 26)
    bushes = [disc(at, rng.uniform(1, 4), rng.uniform(3, 6), corners=11) for at in centers]
    shade = rng.uniform(0.7, 1.0, (len(bushes), 1))
    mesh.add_card(np.stack(bushes), layout.grass * shade, TREE)
    return mesh
