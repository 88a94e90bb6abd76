"""The memory that the page's kernel `web/assembly/network.ts` runs: steps, weights and maps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

LANES = 8  # channels that are computed at once; every map is filled up to a multiple
_THREADS = 8  # at most; each has scratch memory of its own
_PIXELS = 48  # a thread gathers the patches of so many at once
_MOST_BYTES = 2**31  # the kernel's addresses have a sign

_HEAD_NUMBERS, _STEP_NUMBERS = 16, 32  # of 32 bits each
_STEPS, _FIRST_STEP = 3, 4  # in the head

# The memories of what goes in and comes out: no value of a graph has an empty name.
FRAME, _SCORES = "", "\0"

# The numbers of a step, by the index of the first of those that follow one another.
_SOURCE, _TARGET, _KERNEL = 2, 7, 12
_WEIGHTS, _ADDED, _LOWEST, _SCRATCH, _ZEROS = 20, 22, 24, 25, 27


class StepKind(IntEnum):
    """What a step does."""

    NORMALIZE = 0
    CONVOLVE = 1
    CONVOLVE_BY_CHANNEL = 2
    RESIZE = 3
    AVERAGE = 4
    PLANES = 5


@dataclass(frozen=True)
class Map:
    """Channels of a memory (height, width, memory_channels), which several maps may share."""

    channels: int
    height: int
    width: int
    memory: str
    memory_channels: int
    first_channel: int = 0


@dataclass(frozen=True, eq=False)
class Step:
    """What is made of a map.

    Attributes:
        added: A map that is added to the result.
        numbers: Two each: the kernel's size, strides, dilations, and the padding above and left.
        weights, bias: As the kernel reads them.
        lowest: What smaller results become.
    """

    kind: StepKind
    source: Map
    target: Map
    added: Map | None = None
    numbers: tuple[int, ...] = (1, 1, 1, 1, 1, 1, 0, 0)
    weights: np.ndarray | None = None
    bias: np.ndarray | None = None
    lowest: float = -np.inf


@dataclass(frozen=True)
class Plan:
    """What the page runs.

    Attributes:
        content: Is copied to the memory's begin.
        memory: Bytes of memory in all.
        frame: Where the frame goes, uint8 (H, W, bands).
        scores: Where the scores are found, float32 `shape`.
        shape: (classes, height, width).
    """

    content: bytes
    memory: int
    frame: int
    scores: int
    shape: tuple[int, int, int]


def write_plan(steps: Sequence[Step], last: Map) -> Plan:
    """Lay steps, weights and maps into one memory.

    Args:
        steps: In their order; the first reads the frame.
        last: The map of the scores.

    Raises:
        OverflowError: The maps have no room.
    """
    shape = last.channels, last.height, last.width
    scores = Map(last.channels, last.height, last.width, _SCORES, last.channels)
    steps = [*steps, Step(StepKind.PLANES, last, scores)]
    constants = _Constants(4 * (_HEAD_NUMBERS + _STEP_NUMBERS * len(steps)))
    table = np.zeros((len(steps), _STEP_NUMBERS), np.int32)
    for numbers, step in zip(table, steps, strict=True):
        numbers[0] = step.kind
        numbers[_KERNEL : _KERNEL + len(step.numbers)] = step.numbers
        numbers[_WEIGHTS : _WEIGHTS + 2] = [constants.put(a) for a in (step.weights, step.bias)]
        numbers[_LOWEST] = np.float32(step.lowest).view(np.int32)
    widest = max(_filled(part) for step in steps for part in (step.source, step.target))
    zeros = constants.put(np.zeros(widest, np.float32))
    scratch_bytes = max(map(_scratch_bytes, steps))
    begin = constants.end + _THREADS * scratch_bytes
    places, end = _place(steps, begin)
    if end > _MOST_BYTES:
        raise OverflowError(f"the maps take {end} bytes")
    for numbers, step in zip(table, steps, strict=True):
        _write_maps(numbers, step, places)
        if step.added is None:
            numbers[_ADDED] = zeros
        numbers[_SCRATCH : _ZEROS + 1] = constants.end, scratch_bytes, zeros
    head = np.zeros(_HEAD_NUMBERS, np.int32)
    head[[_STEPS, _FIRST_STEP]] = len(steps), head.nbytes
    content = b"".join([head.tobytes(), table.tobytes(), *constants.content])
    return Plan(content, end, places[FRAME], places[_SCORES], shape)


class _Constants:
    """Arrays that lie one behind the other from an address on."""

    def __init__(self, begin: int) -> None:
        self.content: list[bytes] = []
        self.end = begin

    def put(self, array: np.ndarray | None) -> int:
        """Return the address of an array, 0 of none."""
        if array is None:
            return 0
        begin, content = self.end, np.ascontiguousarray(array, np.float32).tobytes()
        self.content.append(content + bytes(-len(content) % 64))
        self.end += len(self.content[-1])
        return begin


def _write_maps(numbers: np.ndarray, step: Step, places: dict[str, int]) -> None:
    for first, part in ((_SOURCE, step.source), (_TARGET, step.target)):
        size = part.height, part.width, part.channels
        numbers[first : first + 5] = *_address_and_pitch(part, places), *size
    if step.added is not None:
        numbers[_ADDED : _ADDED + 2] = _address_and_pitch(step.added, places)


def _address_and_pitch(part: Map, places: dict[str, int]) -> tuple[int, int]:
    return places[part.memory] + 4 * part.first_channel, 4 * part.memory_channels


def _filled(part: Map) -> int:
    return part.channels + -part.channels % LANES


def _scratch_bytes(step: Step) -> int:
    taps = step.numbers[0] * step.numbers[1]
    if step.kind == StepKind.CONVOLVE:
        return 4 * _PIXELS * taps * step.source.channels
    return 16 * taps if step.kind == StepKind.CONVOLVE_BY_CHANNEL else 0


def _place(steps: Sequence[Step], begin: int) -> tuple[dict[str, int], int]:
    """Give every memory an address from `begin` on, those of maps that no step needs any more too.

    Returns the addresses and the end of the last.
    """
    sizes, last_use = dict[str, int](), dict[str, int]()
    for index, step in enumerate(steps):
        for part in (step.source, step.target, *([step.added] if step.added else [])):
            sizes[part.memory] = 4 * part.height * part.width * part.memory_channels
            last_use[part.memory] = index
    places, end = dict[str, int](), begin
    for index, step in enumerate(steps):
        for part in (step.source, step.target):
            if part.memory in places:
                continue
            used = sorted(
                (places[name], places[name] + sizes[name])
                for name in places
                if last_use[name] >= index
            )
            places[part.memory] = _gap(used, begin, sizes[part.memory])
            end = max(end, places[part.memory] + sizes[part.memory])
    return places, end


def _gap(used: Iterable[tuple[int, int]], begin: int, size: int) -> int:
    """Find the first address from which on so many bytes are not used."""
    for start, stop in used:
        if begin + size <= start:
            break
        begin = max(begin, stop)
    return begin + -begin % 64
