"""Frames and masks, decoded once into the memory of the device that learns from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from swiftseg.data import Dataset, open_dataset
from swiftseg.data.views.groups import hold_out
from swiftseg.data.views.mixture import Mixture
from swiftseg.data.views.void_class import WithVoidClass
from swiftseg.metrics import confusion_matrix
from swiftseg.recipes.recipe import Recipe
from swiftseg.training.frames import TrainingFrames, epoch_batches
from swiftseg.training.stage_data import divided_parts
from swiftseg.training.training_data import split_opener

CAMVID = "camvid"
MIXTURES: dict[str, TrainingFrames] = {}


@dataclass
class RecipeData:
    """What one recipe learns from and is scored on.

    Attributes:
        recipe: Its input's size, its classes and whether it augments decide. One that learns from
            several data sets is scored on the first one's.
        folders: Those of the data sets by their names in recipes, CamVid among them, in the tree
            of the SegNet tutorial.
        device: Where everything is kept.
    """

    recipe: Recipe
    folders: Mapping[str, Path]
    device: torch.device

    @cached_property
    def train_frames(self) -> TrainingFrames:
        """Training frames at the network's size, or at their own where the recipe augments."""
        if self.recipe.datasets:
            return decoded_mixture(self.recipe, self.folders, self.device)
        size_hw = None if self.recipe.augmentation else self.recipe.input.size_hw
        return self.read("train", size_hw)

    @cached_property
    def train(self) -> tuple[Tensor, Tensor, Tensor]:
        """Images uint8 (M, H, W, 3), masks uint8 (M, H, W) and frames' sizes in them (M, 2)."""
        return stacked(self.train_frames)

    def batches(self, batch_size: int, seed: tuple[int, int, int]) -> list[list[int]]:
        """Return the frames of each batch of an epoch, as `swiftseg.training` draws them."""
        frames, dataset = self.train_frames, self.train_frames.dataset
        sizes = dataset.sizes if isinstance(dataset, Mixture) else ()
        shares = tuple(part.share for part in self.recipe.datasets)
        batches = epoch_batches(len(frames), batch_size, seed, sizes=sizes, shares=shares)
        return [[draw % len(frames) for draw in batch] for batch in batches]

    @cached_property
    def val_images(self) -> Tensor:
        """Validation images at the network's size, uint8 (M, h, w, 3)."""
        return stacked(self.read("val", self.recipe.input.size_hw))[0]

    @cached_property
    def val_masks(self) -> Tensor:
        """Validation masks at their own size, uint8 (M, H, W), not on the device."""
        return stacked(self.read("val", None, torch.device("cpu")))[1]

    @cached_property
    def small_val_masks(self) -> Tensor:
        """Validation masks at the network's size, uint8 (M, h, w), not on the device."""
        return stacked(self.read("val", self.recipe.input.size_hw, torch.device("cpu")))[1]

    def read(
        self, split: str, size_hw: tuple[int, int] | None, device: torch.device | None = None
    ) -> TrainingFrames:
        void_as_class = self.recipe.void_as_class
        device, folder = device or self.device, self.folders[CAMVID]
        return decoded(folder, split, size_hw, void_as_class, self.recipe.hold_out, device)

    def confusions(self, labels: Tensor) -> dict[str, Tensor]:
        """Compare labels uint8 (M, h, w) of the validation images with the masks.

        Returns:
            Confusion matrices int64 (C, C) by protocol: `native` at the masks' size; `segfast`, at
            the network's, where void is a class.
        """
        native = F.interpolate(labels[:, None], self.val_masks.shape[1:], mode="nearest-exact")
        matrices = {"native": self.compare(native[:, 0], self.val_masks)}
        if self.recipe.void_as_class:
            matrices["segfast"] = self.compare(labels, self.small_val_masks)
        return matrices

    def compare(self, labels: Tensor, masks: Tensor) -> Tensor:
        num_classes = self.recipe.num_classes
        ignore_index = self.train_frames.dataset.labels.ignore_index
        matrix = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        for own, mask in zip(labels.cpu().numpy(), masks.numpy(), strict=True):
            matrix += torch.from_numpy(confusion_matrix(own, mask, num_classes, ignore_index))
        return matrix


@cache
def decoded(
    folder: Path,
    split: str,
    size_hw: tuple[int, int] | None,
    void_as_class: bool,
    held_out: str | None,
    device: torch.device,
) -> TrainingFrames:
    """Read a split into the device's memory, once for all recipes.

    Where a drive is held out, `val` is that drive.
    """
    dataset: Dataset = open_dataset(folder, "train" if held_out else split)
    if held_out:
        dataset = hold_out(dataset, held_out)[split == "val"]
    return read_all(WithVoidClass(dataset) if void_as_class else dataset, size_hw, device)


def decoded_mixture(
    recipe: Recipe, folders: Mapping[str, Path], device: torch.device
) -> TrainingFrames:
    """Read several data sets into the device's memory, once for all that divide them alike."""
    divided = recipe.model_dump_json(include={"datasets", "hold_out"})
    if divided not in MIXTURES:
        open_split = split_opener(recipe.name, {name: str(path) for name, path in folders.items()})
        MIXTURES[divided] = read_all(divided_parts(recipe, open_split, "train")[0], None, device)
    return MIXTURES[divided]


def read_all(
    dataset: Dataset, size_hw: tuple[int, int] | None, device: torch.device
) -> TrainingFrames:
    frames = TrainingFrames(dataset, size_hw, device)
    for _ in frames.read_ahead():
        pass
    return frames


def stacked(frames: TrainingFrames) -> tuple[Tensor, Tensor, Tensor]:
    """Put frames into the top left corners of images of one size; give the frames' sizes too."""
    pairs = [frames[index] for index in range(len(frames))]
    sizes_hw = torch.tensor([mask.shape for _, mask in pairs])
    height, width = sizes_hw.max(0).values.tolist()
    device = pairs[0][1].device
    images = torch.zeros(len(pairs), height, width, 3, dtype=torch.uint8, device=device)
    masks = torch.zeros(len(pairs), height, width, dtype=torch.uint8, device=device)
    for index, (image, mask) in enumerate(pairs):
        images[index, : mask.shape[0], : mask.shape[1]] = image
        masks[index, : mask.shape[0], : mask.shape[1]] = mask
    return images, masks, sizes_hw.to(device).float()
