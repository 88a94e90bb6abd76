"""Pedestrians and bicyclists, drawn on cards that move their limbs."""

from dataclasses import dataclass

import numpy as np

from swiftseg.data.toy_street.mesh import (
    BICYCLIST,
    PEDESTRIAN,
    Mesh,
    disc,
    limb,
    rectangle,
)

CLOTHES = ((40, 44, 60), (120, 40, 44), (60, 84, 130), (190, 180, 160), (70, 96, 70),
           (222, 190, 80), (150, 150, 154), (96, 70, 110), (214, 120, 60), (236, 236, 232),
           (30, 30, 32), (128, 92, 66))  # fmt: skip
SKIN = ((236, 190, 160), (204, 152, 116), (150, 102, 74), (94, 64, 48))
HAIR = ((44, 32, 26), (110, 76, 44), (196, 160, 96), (150, 150, 150), (24, 22, 22))


@dataclass(frozen=True)
class Appearance:
    """What someone looks like; colors are RGB in 0..255."""

    height: float
    skin: np.ndarray
    hair: np.ndarray
    top: np.ndarray
    trousers: np.ndarray
    has_skirt: bool
    has_bag: bool


def draw_appearance(rng: np.random.Generator) -> Appearance:
    def one_of(colors: tuple[tuple[int, int, int], ...]) -> np.ndarray:
        return np.array(colors[int(rng.integers(len(colors)))]) * rng.uniform(0.85, 1.15, 3)

    return Appearance(
        height=float(rng.choice((1.25, 1.68, 1.8), p=(0.15, 0.45, 0.4)) * rng.uniform(0.97, 1.04)),
        skin=one_of(SKIN),
        hair=one_of(HAIR),
        top=one_of(CLOTHES),
        trousers=one_of(CLOTHES) * 0.85,
        has_skirt=bool(rng.random() < 0.25),
        has_bag=bool(rng.random() < 0.35),
    )


def make_pedestrian(look: Appearance, phase: float) -> Mesh:
    """Someone walking, `phase` radians into the gait; a standing person has phase 0."""
    h = look.height
    mesh = Mesh(height=h, radius=0.35)
    swing = 0.16 * h * np.sin(phase)
    hip, shoulder = 0.5 * h, 0.82 * h
    for foot, shade in ((swing, 0.8), (-swing, 1.0)):
        mesh.add_card(
            limb(0.04 * np.sign(foot), hip, foot, 0.03, 0.105 * h),
            look.trousers * shade,
            PEDESTRIAN,
        )
        mesh.add_card(rectangle(foot - 0.09, 0, foot + 0.11, 0.08), (40, 34, 32), PEDESTRIAN)
    arm = 0.7 * swing
    mesh.add_card(
        limb(-0.1 * h, shoulder, -0.13 * h - arm, hip, 0.07 * h), look.top * 0.8, PEDESTRIAN
    )
    if look.has_skirt:
        skirt = np.array(((-0.16, 0.3), (0.16, 0.3), (0.1, 0.58), (-0.1, 0.58))) * h
        mesh.add_card(skirt, look.trousers, PEDESTRIAN)
    torso = np.array(((-0.11, 0.48), (0.11, 0.48), (0.135, 0.8), (0.07, 0.85), (-0.07, 0.85),
                      (-0.135, 0.8))) * h  # fmt: skip
    mesh.add_card(torso, look.top, PEDESTRIAN)
    mesh.add_card(rectangle(-0.11 * h, 0.48 * h, -0.03 * h, 0.8 * h), look.top * 0.85, PEDESTRIAN)
    mesh.add_card(
        limb(0.1 * h, shoulder, 0.13 * h + arm, hip, 0.07 * h), look.top * 0.92, PEDESTRIAN
    )
    if look.has_bag:
        bag = rectangle(0.09 * h + arm, 0.36 * h, 0.24 * h + arm, 0.52 * h)
        mesh.add_card(bag, look.trousers[::-1] * 0.9, PEDESTRIAN)
    add_head(mesh, look, 0.0, 0.915 * h, PEDESTRIAN)
    return mesh


def add_head(mesh: Mesh, look: Appearance, x: float, y: float, label: int) -> None:
    radius = 0.075 * max(look.height, 1.5)
    mesh.add_card(disc(x, y + 0.015, radius * 1.1), look.hair, label)
    mesh.add_card(disc(x, y - 0.03, radius * 0.88), look.skin, label)


def make_bicyclist_across(look: Appearance, paint: np.ndarray, phase: float) -> Mesh:
    """A rider seen from the side, riding toward +x, pedals `phase` radians around."""
    mesh = Mesh(height=1.6, radius=0.8)
    mesh.add_card(limb(-0.15, 0.95, 0.08 - 0.17 * np.cos(phase), 0.3 - 0.17 * np.sin(phase), 0.15),
                  look.trousers * 0.75, BICYCLIST)  # fmt: skip
    for x in (-0.52, 0.55):
        mesh.add_card(disc(x, 0.35, 0.36, corners=14), (28, 28, 30), BICYCLIST)
        mesh.add_card(disc(x, 0.35, 0.28, corners=14), (150, 152, 150), BICYCLIST)
        for turn in (phase, phase + np.pi / 2):
            ds, dy = 0.28 * np.cos(turn), 0.28 * np.sin(turn)
            spoke = limb(x - ds, 0.35 - dy, x + ds, 0.35 + dy, 0.03)
            mesh.add_card(spoke, (80, 80, 82), BICYCLIST)
    frame = ((-0.52, 0.35, 0.0, 0.32), (0.0, 0.32, -0.18, 0.88), (0.0, 0.32, 0.42, 0.85),
             (-0.16, 0.8, 0.42, 0.82), (0.55, 0.35, 0.4, 1.0),
             (0.38, 1.02, 0.56, 1.05))  # fmt: skip
    for bar in frame:
        mesh.add_card(limb(*bar, 0.09), paint, BICYCLIST)
    foot = (0.08 + 0.17 * np.cos(phase), 0.3 + 0.17 * np.sin(phase))
    knee = (0.3, 0.72 + 0.08 * np.sin(phase))
    mesh.add_card(limb(-0.15, 0.95, *knee, 0.17), look.trousers, BICYCLIST)
    mesh.add_card(limb(*knee, *foot, 0.13), look.trousers, BICYCLIST)
    torso = np.array(((-0.32, 0.9), (-0.02, 0.9), (0.27, 1.38), (0.1, 1.5), (-0.02, 1.48)))
    mesh.add_card(torso, look.top, BICYCLIST)
    mesh.add_card(limb(0.16, 1.38, 0.46, 1.04, 0.11), look.top * 0.85, BICYCLIST)
    add_head(mesh, look, 0.22, 1.62, BICYCLIST)
    return mesh


def make_bicyclist_along(look: Appearance, paint: np.ndarray, phase: float) -> Mesh:
    """A rider seen from behind or in front."""
    mesh = Mesh(height=1.6, radius=0.45)
    mesh.add_card(rectangle(-0.07, 0.0, 0.07, 0.72), (28, 28, 30), BICYCLIST)
    mesh.add_card(rectangle(-0.1, 0.55, 0.1, 0.75), paint, BICYCLIST)
    mesh.add_card(limb(-0.3, 1.0, 0.3, 1.0, 0.08), paint * 0.8, BICYCLIST)
    lift_m = 0.14 * np.sin(phase)
    for side, up in ((-1, lift_m), (1, -lift_m)):
        leg = limb(side * 0.12, 0.95, side * 0.17, 0.28 + up, 0.16)
        mesh.add_card(leg, look.trousers * (1.0 if side > 0 else 0.85), BICYCLIST)
        shoe = rectangle(side * 0.17 - 0.08, 0.2 + up, side * 0.17 + 0.08, 0.32 + up)
        mesh.add_card(shoe, (44, 38, 36), BICYCLIST)
        mesh.add_card(limb(side * 0.2, 1.4, side * 0.31, 1.0, 0.11), look.top * 0.88, BICYCLIST)
    torso = np.array(((-0.18, 0.88), (0.18, 0.88), (0.24, 1.38), (0.12, 1.48), (-0.12, 1.48),
                      (-0.24, 1.38)))  # fmt: skip
    mesh.add_card(torso, look.top, BICYCLIST)
    mesh.add_card(rectangle(-0.18, 0.9, -0.04, 1.36), look.top * 0.86, BICYCLIST)
    add_head(mesh, look, 0.0, 1.62, BICYCLIST)
    return mesh
