"""What moves or may move along the street: vehicles, pedestrians, bicyclists."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from swiftseg.data.toy_street import people
from swiftseg.data.toy_street.backdrop import Layout
from swiftseg.data.toy_street.buildings import pick
from swiftseg.data.toy_street.light import Light
from swiftseg.data.toy_street.mesh import Mesh, Placed
from swiftseg.data.toy_street.vehicles import make_vehicle

SIDES = (-1, 1)

# Toy folk are stout: width and height against people's own. A net learns them in minutes.
TOY_BUILD = (1.5, 1.2)


@dataclass(frozen=True)
class Mover:
    """Something that walks or drives at a steady speed.

    Attributes:
        pose: Gives its mesh after so many seconds.
        x, z: Where it is at second 0, in meters.
        speed_x, speed_z: Meters a second.
        angle: Radians, see `Placed`.
    """

    pose: Callable[[float], Mesh]
    x: float
    z: float
    speed_x: float = 0.0
    speed_z: float = 0.0
    angle: float = 0.0

    def at(self, seconds: float) -> Placed:
        z = self.z + self.speed_z * seconds
        return Placed(self.pose(seconds), self.x + self.speed_x * seconds, z, self.angle, far_z=z)


def draw_parked(rng: np.random.Generator, layout: Layout, side: int, end_m: float) -> list[Mover]:
    """Cars at one curb, where the road is wide enough to leave a lane."""
    parked: list[Mover] = []
    share = rng.uniform(0, 0.8) if layout.road_half_m > 4.2 else 0.0
    x = side * (layout.road_half_m - 1.05)
    z = rng.uniform(6, 14)
    while z < end_m:
        if rng.random() < share and not layout.in_crossing(z):
            angle = rng.normal(0, 0.02) + (np.pi if side < 0 else 0.0)
            parked.append(Mover(later_vehicle(rng, lamps=False), x, z, angle=angle))
        z += rng.uniform(7, 11)
    return parked


def draw_traffic(
    rng: np.random.Generator, layout: Layout, light: Light, end_m: float, speed: float
) -> list[Mover]:
    """Cars ahead at about the camera's speed, and cars coming the other way."""
    movers: list[Mover] = []
    lane = 0.45 * layout.road_half_m * (0.75 if layout.road_half_m > 4.2 else 1.0)
    for ahead in rng.uniform(9, 45, int(rng.integers(0, 3))):
        pace = max(speed, 3.0) * rng.uniform(0.95, 1.25)
        movers.append(Mover(later_vehicle(rng, lamps=light.lamps), lane, ahead, speed_z=pace))
    z = rng.uniform(8, 40)
    while z < 2 * end_m:
        vehicle, pace = later_vehicle(rng, lamps=light.lamps), -rng.uniform(4, 7)
        movers.append(Mover(vehicle, -lane, z, speed_z=pace, angle=np.pi))
        z += rng.uniform(14, 60)
    return movers


def later_vehicle(rng: np.random.Generator, *, lamps: bool) -> Callable[[float], Mesh]:
    """A vehicle's pose, the same at all times; it is built when it first comes into sight."""
    seed = int(rng.integers(2**63))

    @cache
    def build() -> Mesh:
        return make_vehicle(np.random.default_rng(seed), lamps=lamps)

    return lambda _: build()


def draw_walkers(rng: np.random.Generator, layout: Layout, end_m: float) -> list[Mover]:
    """Pedestrians on the sidewalks, alone or in twos, and some who cross the road."""
    movers: list[Mover] = []
    busy = rng.uniform(0.3, 1.0)
    near, far = layout.road_half_m + layout.verge_m + 0.5, layout.facade_m - 0.4
    for _ in range(int(rng.integers(0, 3))):
        x, pace = rng.uniform(-1, 1) * layout.road_half_m, rng.choice((-1.2, 1.2))
        movers.append(draw_walker(rng, x, rng.uniform(9, 30), pace, 0.0))
    z = rng.uniform(4, 7)
    while z < end_m:
        if rng.random() < busy:
            side, pace = int(rng.choice(SIDES)), rng.uniform(0.8, 1.6) * rng.choice((-1, 1))
            x = side * rng.uniform(near, max(far, near + 0.1))
            movers.append(draw_walker(rng, x, z, 0.0, pace))
            if rng.random() < 0.35:
                movers.append(draw_walker(rng, x - side * 0.6, z + 0.3, 0.0, pace))
        z += rng.uniform(2, 7)
    return movers


def draw_walker(
    rng: np.random.Generator, x: float, z: float, speed_x: float, speed_z: float
) -> Mover:
    look, phase = people.draw_appearance(rng), rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.2:
        speed_x, speed_z, phase = 0.0, 0.0, 0.0
    gait = 5.5 if speed_x or speed_z else 0.0

    def pose(seconds: float) -> Mesh:
        return people.make_pedestrian(look, phase + gait * seconds).stretched(*TOY_BUILD)

    return Mover(pose, x, z, speed_x, speed_z)


def draw_riders(
    rng: np.random.Generator, layout: Layout, end_m: float, speed: float
) -> list[Mover]:
    """Bicyclists: along the curb with or against the camera, and across its way."""
    movers: list[Mover] = []
    z = rng.uniform(5, 18)
    while z < end_m:
        if rng.random() < 0.55:
            movers.append(draw_rider_along(rng, layout, z, speed))
        else:
            movers.append(draw_rider_across(rng, layout, z))
        z += rng.uniform(7, 30)
    return movers


def draw_rider_along(rng: np.random.Generator, layout: Layout, z: float, speed: float) -> Mover:
    look, phase = people.draw_appearance(rng), rng.uniform(0, 2 * np.pi)
    paint = pick(rng, people.CLOTHES)
    side = int(rng.choice(SIDES))
    to_curb_m = 2.4 if layout.road_half_m > 4.2 else 0.8

    def pose(seconds: float) -> Mesh:
        return people.make_bicyclist_along(look, paint, phase + 6 * seconds).stretched(*TOY_BUILD)

    pace = side * rng.uniform(2.5, max(speed, 3.0))
    return Mover(pose, side * (layout.road_half_m - to_curb_m), z, 0.0, pace)


def draw_rider_across(rng: np.random.Generator, layout: Layout, z: float) -> Mover:
    look, phase = people.draw_appearance(rng), rng.uniform(0, 2 * np.pi)
    paint = pick(rng, people.CLOTHES)
    way = int(rng.choice(SIDES))

    def pose(seconds: float) -> Mesh:
        return people.make_bicyclist_across(look, paint, phase + 6 * seconds).stretched(*TOY_BUILD)

    angle = rng.normal(0, 0.35) + (np.pi if way < 0 else 0.0)
    return Mover(pose, rng.uniform(-1, 1) * layout.road_half_m, z, way * 2.0, 0.0, angle)
