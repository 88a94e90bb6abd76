"""Cars, vans, trucks and buses, all of the class car."""

from itertools import pairwise

import numpy as np

from swiftseg.data.toy_street.mesh import (
    CAR,
    FAR,
    LEFT,
    NEAR,
    RIGHT,
    TOP,
    Mesh,
    box,
    disc,
    inset,
    lift,
    prism,
)

PAINTS = ((200, 202, 206), (120, 124, 130), (44, 46, 52), (236, 236, 232), (176, 34, 34),
          (34, 66, 140), (28, 96, 70), (214, 170, 44), (98, 110, 72), (140, 90, 60),
          (92, 148, 190))  # fmt: skip
GLASS = np.array((58, 74, 88))
TIRE = (30, 30, 32)


def make_vehicle(rng: np.random.Generator, *, lamps: bool) -> Mesh:
    """Draw a vehicle that stands at the origin and drives toward +z."""
    paint = np.array(PAINTS[int(rng.integers(len(PAINTS)))]) * rng.uniform(0.85, 1.1, 3)
    kind = str(rng.choice(("car", "van", "truck", "bus"), p=(0.76, 0.14, 0.06, 0.04)))
    if kind == "car":
        return make_car(rng, paint, lamps=lamps)
    if kind == "van":
        return make_box_vehicle(rng, paint, 1.9, 4.8, 2.1, lamps=lamps, windows=2)
    if kind == "truck":
        return make_box_vehicle(rng, paint, 2.3, 6.4, 3.1, lamps=lamps, windows=0)
    return make_box_vehicle(rng, paint, 2.4, 9.0, 3.0, lamps=lamps, windows=6)


def make_car(rng: np.random.Generator, paint: np.ndarray, *, lamps: bool) -> Mesh:
    """A hatchback, sedan or estate: a body, and a cabin of glass under a painted roof."""
    wide, length = rng.uniform(1.7, 1.9), rng.uniform(3.7, 4.6)
    belt, roof = rng.uniform(0.82, 0.95), rng.uniform(1.4, 1.65)
    x, z = wide / 2, length / 2
    tail = rng.choice((0.1, 0.2, 0.9))  # how far the cabin stops short of the tail
    mesh = Mesh(height=1.4, radius=1.5)
    add_tires(mesh, x, z)
    body = prism((-x, -z, x, z, 0.3), (-x + 0.06, -z + 0.06, x - 0.06, z - 0.1, belt))
    mesh.add(body, paint, CAR)
    add_sides(mesh, body, paint, length)
    add_ends(mesh, body, lamps=lamps)
    cabin = prism(
        (-x + 0.08, -z + tail, x - 0.08, z - 1.15, belt),
        (-x + 0.25, -z + tail + 0.4, x - 0.25, z - 1.85, roof),
    )
    mesh.add(cabin, paint * 0.96, CAR)
    for face in (NEAR, FAR):
        mesh.add(inset(cabin[face], 0.08, 0.08, 0.92, 0.9), GLASS, CAR)
        mesh.add(inset(cabin[face], 0.08, 0.55, 0.5, 0.9), GLASS * 1.5, CAR)
    for face in (LEFT, RIGHT):
        mesh.add(inset(cabin[face], 0.08, 0.1, 0.48, 0.86), GLASS * 1.1, CAR)
        mesh.add(inset(cabin[face], 0.54, 0.1, 0.92, 0.86), GLASS * 1.1, CAR)
    mesh.add(inset(cabin[TOP], 0.05, 0.05, 0.95, 0.95), paint * 1.08, CAR)
    return mesh


def make_box_vehicle(
    rng: np.random.Generator,
    paint: np.ndarray,
    wide: float,
    length: float,
    height: float,
    *,
    lamps: bool,
    windows: int,
) -> Mesh:
    """A van, truck or bus: one tall box with a windscreen and a row of side windows."""
    x, z = wide / 2, length / 2
    mesh = Mesh(height=height, radius=1.7)
    add_tires(mesh, x, z)
    body = box(-x, -z, x, z, 0.4, height)
    mesh.add(body, paint, CAR)
    low, high = 1.15 / height, 1 - 0.35 / height
    mesh.add(inset(body[FAR], 0.06, low, 0.94, high), GLASS, CAR)
    if windows:
        mesh.add(inset(body[NEAR], 0.12, low, 0.88, high), GLASS, CAR)
        mesh.add(inset(body[NEAR], 0.12, (low + high) / 2, 0.5, high), GLASS * 1.5, CAR)
    else:
        mesh.add(inset(body[NEAR], 0.04, 0.04, 0.49, 0.94), paint * 0.88, CAR)
        mesh.add(inset(body[NEAR], 0.51, 0.04, 0.96, 0.94), paint * 0.92, CAR)
    stripe = np.array(PAINTS[int(rng.integers(len(PAINTS)))])
    edges = np.linspace(0.04, 0.96, max(windows, 1) + 1)
    for face in (LEFT, RIGHT):
        mesh.add(inset(body[face], 0, 0.2, 1, 0.28), stripe, CAR)
        for start, end in pairwise(edges) if windows else ():
            pane = inset(body[face], start + 0.01, low, end - 0.02, high)
            mesh.add(pane, GLASS * 1.1, CAR)
    add_ends(mesh, body, lamps=lamps, tall=0.9 / height)
    return mesh


def add_tires(mesh: Mesh, x: float, z: float) -> None:
    """Wheels seen from behind or in front, and the dark underneath."""
    mesh.add(box(-x + 0.05, -z + 0.3, x - 0.05, z - 0.3, 0.12, 0.4), (24, 24, 26), CAR)
    for left in (-x, x - 0.24):
        for start in (-z + 0.45, z - 1.1):
            mesh.add(box(left, start, left + 0.24, start + 0.6, 0.0, 0.55), TIRE, CAR)


def add_sides(mesh: Mesh, body: np.ndarray, paint: np.ndarray, length: float) -> None:
    """Doors, wheels and hubcaps on the flanks."""
    x, z = float(body[RIGHT, 0, 0]), length / 2
    for face in (LEFT, RIGHT):
        mesh.add(inset(body[face], 0.0, 0.0, 1.0, 0.16), paint * 0.6, CAR)
        for seam in (0.36, 0.62):
            mesh.add(inset(body[face], seam, 0.1, seam + 0.015, 1.0), paint * 0.7, CAR)
    for side in (-1, 1):
        along = (0.0, 0.0, float(side))
        for center in (-z + 0.75, z - 0.8):
            for radius, color in ((0.36, TIRE), (0.2, (150, 152, 156))):
                wheel = disc(0.0, 0.35, radius)
                mesh.add(lift(wheel, (side * (x + 0.02), 0, center), along), color, CAR)


def add_ends(mesh: Mesh, body: np.ndarray, *, lamps: bool, tall: float = 1.0) -> None:
    """Tail lights, plates and bumpers behind; headlights and grille in front."""
    for face, color in (
        (NEAR, (206, 34, 28)),
        (FAR, (255, 246, 214) if lamps else (230, 232, 226)),
    ):
        mesh.add(inset(body[face], 0.0, 0.0, 1.0, 0.28 * tall), (70, 72, 76), CAR)
        for start in (0.04, 0.76):
            lamp = inset(body[face], start, 0.5 * tall, start + 0.2, 0.78 * tall)
            mesh.add(lamp, color, CAR, glow=lamps)
        mesh.add(inset(body[face], 0.36, 0.3 * tall, 0.64, 0.5 * tall), (226, 222, 196), CAR)
    mesh.add(inset(body[FAR], 0.28, 0.55 * tall, 0.72, 0.75 * tall), (52, 54, 58), CAR)
