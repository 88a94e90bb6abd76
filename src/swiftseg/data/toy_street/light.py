"""Time of day and weather of a scene."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Light:
    """Colors are RGB, the light's in 0..1.3 (a factor), the sky's and the haze's in 0..255.

    Attributes:
        ambient: Falls on everything.
        sun: Falls on what faces the sun.
        sun_direction: Unit vector toward the sun.
        zenith: The sky overhead.
        horizon: The sky low down; also what distance fades into.
        haze_m: After so many meters two thirds of a color have faded.
        cloudiness: 0 for a clear sky, 1 for a closed one.
        shadow: How much of the light a shadow takes, 0..1.
        lamps: Lamps and windows are lit.
    """

    ambient: np.ndarray
    sun: np.ndarray
    sun_direction: np.ndarray
    zenith: np.ndarray
    horizon: np.ndarray
    haze_m: float
    cloudiness: float
    shadow: float
    lamps: bool


@dataclass(frozen=True)
class Mood:
    ambient: Sequence[float]
    sun: Sequence[float]
    zenith: Sequence[float]
    horizon: Sequence[float]
    haze_m: tuple[float, float]
    cloudiness: tuple[float, float]
    elevation: tuple[float, float]  # radians
    shadow: float
    lamps: bool = False


MOODS = (
    Mood((0.62, 0.65, 0.72), (0.5, 0.47, 0.4), (70, 130, 205), (190, 215, 235),
         (150, 320), (0.0, 0.5), (0.6, 1.2), 0.45),
    Mood((0.84, 0.86, 0.88), (0.08, 0.08, 0.08), (160, 168, 178), (205, 208, 212),
         (80, 180), (0.7, 1.0), (0.8, 1.3), 0.22),
    Mood((0.56, 0.5, 0.52), (0.62, 0.46, 0.26), (105, 135, 185), (250, 205, 150),
         (90, 200), (0.1, 0.6), (0.2, 0.5), 0.45),
    Mood((0.4, 0.38, 0.5), (0.14, 0.1, 0.1), (52, 56, 104), (214, 140, 120),
         (90, 180), (0.1, 0.7), (0.1, 0.3), 0.2, lamps=True),
    Mood((0.74, 0.76, 0.76), (0.16, 0.15, 0.12), (168, 184, 192), (214, 220, 218),
         (38, 70), (0.2, 0.8), (0.3, 0.7), 0.25),
)  # fmt: skip
MOOD_SHARES = (0.38, 0.18, 0.2, 0.12, 0.12)


def draw_light(rng: np.random.Generator) -> Light:
    """Draw noon, overcast, golden hour, dusk or mist, each with its own variation."""
    mood = MOODS[int(rng.choice(len(MOODS), p=MOOD_SHARES))]
    elevation = rng.uniform(*mood.elevation)
    azimuth = rng.uniform(0, 2 * np.pi)
    flat = np.cos(elevation)
    return Light(
        ambient=np.array(mood.ambient) * rng.uniform(0.92, 1.08, 3),
        sun=np.array(mood.sun) * rng.uniform(0.85, 1.1, 3),
        sun_direction=np.array((flat * np.cos(azimuth), np.sin(elevation), flat * np.sin(azimuth))),
        zenith=np.array(mood.zenith) * rng.uniform(0.88, 1.1, 3),
        horizon=np.minimum(np.array(mood.horizon) * rng.uniform(0.92, 1.05, 3), 255),
        haze_m=rng.uniform(*mood.haze_m),
        cloudiness=rng.uniform(*mood.cloudiness),
        shadow=mood.shadow,
        lamps=mood.lamps,
    )


def hazed(colors: np.ndarray, depth_m: np.ndarray, light: Light) -> np.ndarray:
    """Fade colors (..., 3) into the horizon's with their depth (...) in meters."""
    clear = np.exp(-np.maximum(depth_m, 0) / light.haze_m)[..., None].astype(np.float32)
    return light.horizon.astype(np.float32) * (1 - clear) + colors * clear
