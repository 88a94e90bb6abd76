"""Frame in, label map out."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from swiftseg.core import ModelSpec, UsageError, known_name
from swiftseg.data.images.windows import Pixels
from swiftseg.inference.fitting import FITS, Fit
from swiftseg.inference.found_model import FoundModel, find_model
from swiftseg.inference.given_image import Frame
from swiftseg.inference.network_labels import NetworkLabels, tile_bands, tile_labels, whole_labels
from swiftseg.inference.open_model import Origin, open_model
from swiftseg.inference.planes import check_probabilities, resize_planes
from swiftseg.inference.preparing import Prepared, prepare
from swiftseg.inference.segmentation import Segmentation
from swiftseg.inference.smoothing import SmoothedBackend
from swiftseg.inference.tiles import USUAL_TILES, Tiling
from swiftseg.kernels.resize import resize_labels
from swiftseg.runtimes import Backend, Engine
from swiftseg.weights import DEFAULT_MODEL

if TYPE_CHECKING:
    from swiftseg.inference.large_pictures import LargeLabels


class Segmenter:
    """Segments images of any size with one loaded model.

    An image of another size than the network's is resized to it (bilinear, averaging where it
    shrinks), and its label map is brought back by nearest neighbor: no class is invented between
    two others. How images of other proportions are shown to the network is the `fit`:

    - `stretch`: to the network's proportions;
    - `letterbox`: in their own proportions, padded with the mean color;
    - `tile`: at their own size, in overlapping windows of the network's size, whose probabilities
      are averaged (see `with_tiles` for other windows, and `tiled` for pictures beyond memory);
    - `native`: at their own size, all at once; for networks in torch, which take every size;
    - `auto`: stretched where one side is stretched at most twice as much as the other, tiled where
      both sides are more than 16 times the network's, and letterboxed otherwise.

    Pixels whose class is less probable than `void_below` become void: the value `labels.void`,
    which is no class. The probability is the calibrated one, see `ModelSpec.temperature`.

    Several threads may share a segmenter; each gets the labels of its own image. It may also be
    pickled, as multiprocessing does: its name, engine, precision and threads travel, and the model
    is loaded on arrival. A smoothed segmenter belongs to one video and one thread.
    """

    def __init__(
        self,
        backend: Backend,
        origin: Origin | None = None,
        *,
        fit: Fit = "stretch",
        void_below: float = 0.0,
        tiling: Tiling = USUAL_TILES,
    ) -> None:
        if not 0 <= void_below <= 1:
            raise UsageError(f"expected a probability from 0 (off) to 1, got {void_below:g}")
        self._backend = backend
        self._origin = origin
        self.fit: Fit = known_name("fit", fit, FITS)
        self.void_below = void_below
        self.tiling = tiling

    @classmethod
    def load(
        cls,
        model: Path | str = DEFAULT_MODEL,
        *,
        backend: str | None = None,
        precision: str = "f32",
        calibration: Path | str | Sequence[np.ndarray] | None = None,
        threads: int | None = None,
        device: str | None = None,
        fit: Fit = "auto",
        void_below: float = 0.0,
    ) -> "Segmenter":
        """Open anything that holds a network.

        Args:
            model: As `find_model` takes it.
            backend: An engine of `swiftseg.runtimes.ENGINES`, `auto` for the fastest installed one,
                or one of `TORCH_WAYS` for models whose weights torch can read. None takes ONNX
                Runtime for exported files (`auto` with the precision `auto`) and torch for all
                others; a folder for a board runs in the runtime it was exported for.
            precision: What the engine computes in, or `auto` for the fastest that changes at most
                0.5 % of the labels of the calibration frames.
            calibration: What the precision `auto` is judged on: a folder of images or of labeled
                data, or frames uint8 (H, W, 3).
            threads: Threads for one frame; None takes one per physical core.
            device: What computes, such as `cpu`, `cuda` or `gpu`; None takes the CPU for exported
                files, and for torch the machine's accelerator if there is one.
            fit: How images of other sizes are shown to the network.
            void_below: The probability below which a pixel is void, 0 (off) to 1.

        Raises:
            UsageError: A name is unknown, or the options do not go together.
            MissingExtraError: The engine is not installed.
            SwiftsegError: The file cannot be run; the message says why.
        """
        opened, origin = open_model(
            Origin(find_model(model), backend, precision, threads, device), calibration
        )
        return cls(opened, origin, fit=fit, void_below=void_below)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        revision: str | None = None,
        offline: bool = False,
        backend: str | None = None,
        threads: int | None = None,
        fit: Fit = "auto",
    ) -> "Segmenter":
        """Load a model from a folder of `save_pretrained`, or from a Hugging Face hub.

        Args:
            source: A folder, or a repository such as `org/name`, which is fetched into the hub's
                cache and taken from there as long as it has not changed.
            revision: A branch, a tag or a commit; None takes the main branch.
            offline: Take what the cache holds and connect nowhere.
            backend: As for `load`, like those that follow.
            threads: Threads for one frame.
            fit: How images of other sizes are shown to the network.

        Raises:
            MissingExtraError: huggingface_hub is not installed.
            SwiftsegError: It cannot be fetched, its hash is another, or it cannot be run.
        """
        from swiftseg.inference.hub import find_pretrained

        path = find_pretrained(source, revision=revision, offline=offline)
        return cls.load(path, backend=backend, threads=threads, fit=fit)

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write the model's file, its card and its hash into a folder, as a hub holds them.

        Raises:
            UsageError: The model has no exported file.
            SwiftsegError: The folder cannot be written.
        """
        from swiftseg.inference.hub import save_pretrained

        return save_pretrained(self._exported_file(), Path(folder))

    def push_to_hub(
        self, repository: str, *, private: bool = False, token: str | None = None
    ) -> str:
        """Upload the model to a Hugging Face hub; return its address.

        Args:
            repository: Such as `org/name`; made where there is none.
            private: Whether a repository that is made is private.
            token: Who uploads; None takes the token that `hf auth login` has stored.

        Raises:
            UsageError: The model has no exported file.
            SwiftsegError: The hub refuses it or cannot be reached.
        """
        from swiftseg.inference.hub import push_to_hub

        return push_to_hub(self._exported_file(), repository, private=private, token=token)

    def _exported_file(self) -> Path:
        path = None if self._origin is None else self._origin.model.exported
        if path is None or not path.is_file():
            raise UsageError(
                "only an exported file can be saved for a hub: run `swiftseg export`, then "
                "Segmenter.load on the file"
            )
        return path

    @property
    def model(self) -> FoundModel:
        """The files that it was loaded from.

        Raises:
            TypeError: It was not made by `Segmenter.load`.
        """
        if self._origin is None:
            raise TypeError("this segmenter was not made by Segmenter.load and has no files")
        return self._origin.model

    @property
    def spec(self) -> ModelSpec:
        """What the model says of itself."""
        return self._backend.spec

    @property
    def engine(self) -> Engine:
        """What runs the model, and in which precision."""
        return self._backend.engine

    @property
    def any_size(self) -> bool:
        """Whether `at_size` takes every size, as it does where torch runs the network."""
        return self._backend.any_size

    def smoothed(self, smooth: float) -> "Segmenter":
        """Return a segmenter for the frames of one video, its scores averaged over time.

        Args:
            smooth: The share that stays from frame to frame, see `SmoothedBackend`.

        Raises:
            UsageError: `smooth` is not from 0 to below 1, or frames are gone over in windows.
        """
        if self.fit == "tile":
            raise UsageError("smoothing averages whole frames over time, and --fit tile cuts them")
        return self._with(backend=SmoothedBackend(self._backend, smooth), origin=None)

    def at_size(self, size_hw: tuple[int, int]) -> "Segmenter":
        """Return a segmenter whose network sees frames of another size (height, width).

        Raises:
            SwiftsegError: The model is exported for one size, and that is another.
        """
        if size_hw == self.spec.input.size_hw:
            return self
        return self._with(backend=self._backend.at_size(size_hw), origin=None)

    def fitted(self, fit: Fit) -> "Segmenter":
        """Return a segmenter of the same model that shows images to it in another way."""
        return self._with(fit=fit)

    def with_tiles(
        self, tile_hw: tuple[int, int] | None = None, overlap: int | None = None
    ) -> "Segmenter":
        """Return a segmenter of the same model that goes over every image in tiles.

        Args:
            tile_hw: Size of a tile in pixels of the image; it is stretched to the network's size,
                which is the usual one.
            overlap: Pixels that neighbors share at least, where their probabilities are averaged;
                a third of a tile is usual.

        Raises:
            UsageError: The overlap is not below the tile's sides.
        """
        smallest = min(tile_hw or self.spec.input.size_hw)
        if overlap is not None and not 0 <= overlap < smallest:
            raise UsageError(
                f"expected an overlap from 0 to below the tile's {smallest} pixels, got {overlap}"
            )
        return self._with(fit="tile", tiling=Tiling(tile_hw, overlap))

    def tiled(
        self,
        image: Path | str | np.ndarray,
        out: Path | str,
        *,
        tile_hw: tuple[int, int] | None = None,
        overlap: int | None = None,
    ) -> "LargeLabels":
        """Label an image of any size in tiles, and write its label map as a tiled TIFF.

        A TIFF is read and written by windows, so that memory does not grow with its height. What a
        GeoTIFF says of its place on the earth is copied.

        Takes `tile_hw` and `overlap`, and raises, as `with_tiles` and `label_large` do.
        """
        from swiftseg.inference.large_pictures import label_large

        tiles = self if tile_hw is None and overlap is None else self.with_tiles(tile_hw, overlap)
        return label_large(tiles, image, Path(out))

    @property
    def tile_hw(self) -> tuple[int, int]:
        """Size of a tile in pixels of the image."""
        return self.tiling.size_hw or self.spec.input.size_hw

    def _with(self, **changes: Any) -> "Segmenter":
        """Return a segmenter that differs from this one in some of its arguments."""
        own: dict[str, Any] = {
            "backend": self._backend,
            "origin": self._origin,
            "fit": self.fit,
            "void_below": self.void_below,
            "tiling": self.tiling,
        }
        return Segmenter(**own | changes)

    @overload
    def __call__(self, image: Frame, *, bgr: bool = False) -> Segmentation: ...

    @overload
    def __call__(self, image: Sequence[Frame], *, bgr: bool = False) -> list[Segmentation]: ...

    def __call__(
        self, image: Frame | Sequence[Frame], *, bgr: bool = False
    ) -> Segmentation | list[Segmentation]:
        """Segment one image, or several.

        Args:
            image: A file, an http or https address, a file's bytes, a PIL image (both turned as
                their EXIF orientation says), or an array uint8 (H, W, 3) RGB, (H, W) gray, or
                (H, W, 4), whose alpha is dropped. A list of these, or a batch (N, H, W, 3), gives a
                list. A model of other bands takes files and arrays (H, W, bands) of its type.
            bgr: Whether the channels of arrays are in OpenCV's order.

        Raises:
            SwiftsegError: The image cannot be read.
            TypeError: The array is of another type than the model takes.
            ValueError: The array has another shape.
        """
        if isinstance(image, Sequence) and not isinstance(image, str | bytes):
            return [self(one, bgr=bgr) for one in image]
        if isinstance(image, np.ndarray) and image.ndim == 4:
            return [self(one, bgr=bgr) for one in image]
        return self.segment(self.prepare(image, bgr=bgr))

    def prepare(self, image: Frame, *, bgr: bool = False) -> Prepared:
        """Do what comes before the network, which may be in another thread, an image ahead.

        Takes and raises what calling the segmenter with one image does.
        """
        return prepare(image, self.spec.input, self.fit, bgr=bgr)

    def segment(self, image: Prepared, *, with_probabilities: bool = False) -> Segmentation:
        """Segment an image that this segmenter has prepared.

        Args:
            image: What `prepare` returned.
            with_probabilities: Whether to fill `Segmentation.probabilities`; the network runs once
                all the same.

        Raises:
            SwiftsegError: There would be more probabilities than `MAX_PROBABILITIES`.
        """
        size_hw = (image.frame.shape[0], image.frame.shape[1])
        if with_probabilities:
            check_probabilities(len(self.spec.labels), size_hw)
        found = self.network_labels(image, with_probabilities=with_probabilities)
        begin = perf_counter()
        label_map = resize_labels(found.labels, size_hw)
        timings_ms = found.timings_ms
        if image.batch is not None:
            timings_ms = {**timings_ms, "restore": 1000 * (perf_counter() - begin)}
        probs = found.probabilities
        probs = None if probs is None else resize_planes(probs, size_hw)
        return Segmentation(image.frame, label_map, self.spec.labels, timings_ms, probs)

    def network_labels(self, image: Prepared, *, with_probabilities: bool = False) -> NetworkLabels:
        """Return the labels as the network sees the image; `resize_labels` brings them to its own.

        Only an image that is gone over in windows needs its `frame` for this. Takes what `segment`
        does.
        """
        if image.batch is None:
            bands = self.tile_bands(image.frame)
            return tile_labels(bands, image, with_probabilities=with_probabilities)
        return whole_labels(
            self._backend, image, self.void_below, with_probabilities=with_probabilities
        )

    def tile_bands(
        self, picture: Pixels, advance: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Go over a picture in tiles; yield labels uint8 (rows, W) and float32 (C, rows, W)."""
        return tile_bands(self._backend, picture, self.tiling, self.void_below, advance)

    def probabilities(self, image: Frame) -> np.ndarray:
        """Return the class probabilities float32 (C, H, W) of one image, at its own size.

        They are the softmax of the logits, interpolated bilinearly where the sizes differ. Labels
        are brought to the image's size by nearest neighbor, so that along borders of classes the
        largest probability may be that of another class than the label map's; at the network's own
        size, and in windows, it is the same.

        Raises:
            SwiftsegError: The image cannot be read, or is too large for probabilities.
        """
        probs = self.segment(self.prepare(image), with_probabilities=True).probabilities
        assert probs is not None
        return probs

    def __reduce__(self) -> tuple[Any, ...]:
        if self._origin is None:
            raise TypeError(
                "this segmenter cannot be pickled, since it was not made by Segmenter.load; open "
                "the model in the other process"
            )
        return _open_again, (self._origin, self.fit, self.void_below, self.tiling)


def _open_again(origin: Origin, fit: Fit, void_below: float, tiling: Tiling) -> Segmenter:
    return Segmenter(
        *open_model(origin, calibration=None), fit=fit, void_below=void_below, tiling=tiling
    )
