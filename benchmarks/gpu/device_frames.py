"""CamVid's frames, decoded once into the memory of the device that learns from them."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from swiftseg.data import Dataset, open_dataset
from swiftseg.data.views.void_class import WithVoidClass
from swiftseg.metrics import confusion_matrix
from swiftseg.recipes.recipe import Recipe
from swiftseg.training.frames import TrainingFrames


@dataclass
class RecipeData:
    """What one recipe learns from and is scored on.

    Attributes:
        recipe: Its input's size, its classes and whether it augments decide.
        folder: CamVid in the tree of the SegNet tutorial.
        device: Where everything is kept.
    """

    recipe: Recipe
    folder: Path
    device: torch.device

    @cached_property
    def train_frames(self) -> TrainingFrames:
        """Training frames at the network's size, or at their own where the recipe augments."""
        size_hw = None if self.recipe.augmentation else self.recipe.input.size_hw
        return self.read("train", size_hw)

    @cached_property
    def train(self) -> tuple[Tensor, Tensor]:
        """Images uint8 (M, H, W, 3) and masks uint8 (M, H, W)."""
        return stacked(self.train_frames)

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
        return decoded(self.folder, split, size_hw, void_as_class, device or self.device)

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
    device: torch.device,
) -> TrainingFrames:
    """Read a split into the device's memory, once for all recipes."""
    dataset: Dataset = open_dataset(folder, split)
    frames = TrainingFrames(WithVoidClass(dataset) if void_as_class else dataset, size_hw, device)
    for _ in frames.read_ahead():
        pass
    return frames


def stacked(frames: TrainingFrames) -> tuple[Tensor, Tensor]:
    pairs = [frames[index] for index in range(len(frames))]
    return torch.stack([image for image, _ in pairs]), torch.stack([mask for _, mask in pairs])
