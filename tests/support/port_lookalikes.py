"""Networks with the names, shapes, order and arithmetic of public ports, as plain functions.

Each is a pair: a state dict, declared in the port's own order, and logits computed from it by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.models import resnet50

State = dict[str, Tensor]


@dataclass
class Declared:
    """Random tensors by name, in the order of their declaration."""

    state: State = field(default_factory=dict)

    def __post_init__(self) -> None:
        torch.manual_seed(0)

    def conv(self, name: str, out: int, per_group: int, size: int, *, bias: bool = True) -> None:
        std = (per_group * size * size) ** -0.5
        self.state[f"{name}.weight"] = 1.3 * std * torch.randn(out, per_group, size, size)
        if bias:
            self.state[f"{name}.bias"] = 0.2 * torch.randn(out)

    def norm(self, name: str, channels: int) -> None:
        self.state[f"{name}.weight"] = torch.rand(channels) + 0.5
        self.state[f"{name}.bias"] = 0.3 * torch.randn(channels)
        self.state[f"{name}.running_mean"] = 0.3 * torch.randn(channels)
        self.state[f"{name}.running_var"] = torch.rand(channels) + 0.5
        self.state[f"{name}.num_batches_tracked"] = torch.tensor(7)


@dataclass(frozen=True)
class By:
    """Layers of a state dict, called by name."""

    state: State

    def conv(self, x: Tensor, name: str, **options: int) -> Tensor:
        return F.conv2d(x, self.state[f"{name}.weight"], self.state.get(f"{name}.bias"), **options)

    def up(self, x: Tensor, name: str, **options: int) -> Tensor:
        weight, bias = self.state[f"{name}.weight"], self.state.get(f"{name}.bias")
        return F.conv_transpose2d(x, weight, bias, **options)

    def norm(self, x: Tensor, name: str) -> Tensor:
        names = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(self.state[f"{name}.{part}"] for part in names))

    def cbr(self, x: Tensor, conv: str, norm: str, **options: int) -> Tensor:
        return F.relu(self.norm(self.conv(x, conv, **options), norm))


def bilinear(x: Tensor, size_hw: Sequence[int]) -> Tensor:
    return F.interpolate(x, size=tuple(size_hw), mode="bilinear", align_corners=True)


# Fast-SCNN as Tramac has it.

BOTTLENECKS = tuple(
    (f"global_feature_extractor.bottleneck{group}.{index}.block", inputs, outputs, stride)
    for group, (before, outputs, first_stride) in enumerate(
        ((64, 64, 2), (64, 96, 2), (96, 128, 1)), 1
    )
    for index, (inputs, stride) in enumerate(
        ((before, first_stride), (outputs, 1), (outputs, 1))
    )
)  # fmt: skip


def tramac_state(num_classes: int, *, aux: bool = True) -> State:
    d = Declared()

    def conv_norm(name: str, out: int, per_group: int, size: int) -> None:
        d.conv(f"{name}.0", out, per_group, size, bias=False)
        d.norm(f"{name}.1", out)

    def separable(name: str, inputs: int, out: int) -> None:
        conv_norm(f"{name}.conv", inputs, 1, 3)
        d.conv(f"{name}.conv.3", out, inputs, 1, bias=False)
        d.norm(f"{name}.conv.4", out)

    conv_norm("learning_to_downsample.conv.conv", 32, 3, 3)
    separable("learning_to_downsample.dsconv1", 32, 48)
    separable("learning_to_downsample.dsconv2", 48, 64)
    for name, inputs, out, _ in BOTTLENECKS:
        conv_norm(f"{name}.0.conv", 6 * inputs, inputs, 1)
        conv_norm(f"{name}.1.conv", 6 * inputs, 1, 3)
        d.conv(f"{name}.2", out, 6 * inputs, 1, bias=False)
        d.norm(f"{name}.3", out)
    for branch in ("conv1", "conv2", "conv3", "conv4"):
        conv_norm(f"global_feature_extractor.ppm.{branch}.conv", 32, 128, 1)
    conv_norm("global_feature_extractor.ppm.out.conv", 128, 256, 1)
    conv_norm("feature_fusion.dwconv.conv", 128, 1, 3)
    for name, inputs in (("conv_lower_res", 128), ("conv_higher_res", 64)):
        d.conv(f"feature_fusion.{name}.0", 128, inputs, 1)  # biased, unlike all others
        d.norm(f"feature_fusion.{name}.1", 128)
    separable("classifier.dsconv1", 128, 128)
    separable("classifier.dsconv2", 128, 128)
    d.conv("classifier.conv.1", num_classes, 128, 1)
    if aux:
        d.conv("auxlayer.0", 32, 64, 3, bias=False)
        d.norm("auxlayer.1", 32)
        d.conv("auxlayer.4", num_classes, 32, 1)
    return d.state


def tramac_logits(state: State, image: Tensor) -> Tensor:
    by = By(state)

    def separable(x: Tensor, name: str, stride: int) -> Tensor:
        groups = x.shape[1]
        x = by.cbr(x, f"{name}.conv.0", f"{name}.conv.1", stride=stride, padding=1, groups=groups)
        return by.cbr(x, f"{name}.conv.3", f"{name}.conv.4")

    down, ppm, fusion = "learning_to_downsample", "global_feature_extractor.ppm", "feature_fusion"
    x = by.cbr(image, f"{down}.conv.conv.0", f"{down}.conv.conv.1", stride=2)
    detail = x = separable(separable(x, f"{down}.dsconv1", 2), f"{down}.dsconv2", 2)
    for name, inputs, out, stride in BOTTLENECKS:
        y = by.cbr(x, f"{name}.0.conv.0", f"{name}.0.conv.1")
        y = by.cbr(
            y,
            f"{name}.1.conv.0",
            f"{name}.1.conv.1",
            stride=stride,
            padding=1,
            groups=6 * inputs,
        )
        y = by.norm(by.conv(y, f"{name}.2"), f"{name}.3")
        x = x + y if stride == 1 and inputs == out else y
    levels = [x]
    for branch, bins in zip(("conv1", "conv2", "conv3", "conv4"), (1, 2, 3, 6), strict=True):
        pooled = F.adaptive_avg_pool2d(x, bins)
        y = by.cbr(pooled, f"{ppm}.{branch}.conv.0", f"{ppm}.{branch}.conv.1")
        levels.append(bilinear(y, x.shape[-2:]))
    x = by.cbr(torch.cat(levels, 1), f"{ppm}.out.conv.0", f"{ppm}.out.conv.1")
    x = F.interpolate(x, scale_factor=4, mode="bilinear", align_corners=True)
    x = by.cbr(x, f"{fusion}.dwconv.conv.0", f"{fusion}.dwconv.conv.1", padding=1, groups=128)
    low = by.norm(by.conv(x, f"{fusion}.conv_lower_res.0"), f"{fusion}.conv_lower_res.1")
    high = by.norm(by.conv(detail, f"{fusion}.conv_higher_res.0"), f"{fusion}.conv_higher_res.1")
    x = F.relu(low + high)
    x = separable(separable(x, "classifier.dsconv1", 1), "classifier.dsconv2", 1)
    return bilinear(by.conv(x, "classifier.conv.1"), image.shape[-2:])


# SegNet as delta-onera has it.

SEGNET_WIDTHS = {1: (3, 64, 64), 2: (64, 128, 128), 3: (128, 256, 256, 256)} | {
    4: (256, 512, 512, 512),
    5: (512, 512, 512, 512),
}


def onera_state(num_classes: int) -> State:
    d = Declared()
    for stage, widths in SEGNET_WIDTHS.items():
        for index in range(1, len(widths)):
            d.conv(f"conv{stage}{index}", widths[index], widths[index - 1], 3)
            d.norm(f"bn{stage}{index}", widths[index])
    for stage in (5, 4, 3, 2, 1):
        widths = SEGNET_WIDTHS[stage]
        for index in range(len(widths) - 1, 0, -1):
            last = (stage, index) == (1, 1)
            out = num_classes if last else widths[index - 1]
            d.conv(f"conv{stage}{index}d", out, widths[index], 3)
            if not last:
                d.norm(f"bn{stage}{index}d", out)
    return d.state


def onera_logits(state: State, image: Tensor) -> Tensor:
    by, x, handed_over = By(state), image, []
    for stage, widths in SEGNET_WIDTHS.items():
        for index in range(1, len(widths)):
            x = by.cbr(x, f"conv{stage}{index}", f"bn{stage}{index}", padding=1)
        x, indices = F.max_pool2d(x, 2, return_indices=True)
        handed_over.append(indices)
    for stage in (5, 4, 3, 2, 1):
        x = F.max_unpool2d(x, handed_over.pop(), 2)
        for index in range(len(SEGNET_WIDTHS[stage]) - 1, 0, -1):
            if (stage, index) == (1, 1):
                return by.conv(x, "conv11d", padding=1)
            x = by.cbr(x, f"conv{stage}{index}d", f"bn{stage}{index}d", padding=1)
    raise AssertionError


# SegFast as its authors' later code has it.


def segfast_state(num_classes: int) -> State:
    d = Declared()

    def conv_norm(conv: str, norm: str, out: int, per_group: int, size: int) -> None:
        d.conv(conv, out, per_group, size)
        d.norm(norm, out)

    def separable(name: str, inputs: int, out: int) -> None:
        conv_norm(f"{name}.layer.0", f"{name}.layer.1", inputs, 1, 3)
        conv_norm(f"{name}.layer.3", f"{name}.layer.4", out, inputs, 1)

    def spark(name: str, inputs: int, squeeze: int, expand: int) -> None:
        conv_norm(f"{name}.squeeze_layer.0", f"{name}.squeeze_layer.1", squeeze, inputs, 1)
        conv_norm(f"{name}.expand_1x1_layer.0", f"{name}.expand_1x1_layer.1", expand, squeeze, 1)
        separable(f"{name}.expand_kxk_layer.0", squeeze, expand)

    separable("primary_conv", 3, 64)
    for block, width in ((1, 64), (2, 128), (3, 256)):
        spark(f"down_block_{block}.layer.1", width, width // 2, width)
        spark(f"down_block_{block}.layer.2", 2 * width, width // 2, width)
    for block, width in ((3, 256), (2, 128), (1, 64)):
        up = f"up_block_{block}.up_layer.0.layer"
        conv_norm(f"{up}.0", f"{up}.1", width, 2 * width, 1)
        conv_norm(f"{up}.3", f"{up}.4", width, 1, 3)
        spark(f"up_block_{block}.concat_layer", 2 * width, width // 2, width // 2)
    d.conv("classifier.0", num_classes, 64, 1)
    return d.state


def segfast_logits(state: State, image: Tensor) -> Tensor:
    by = By(state)

    def separable(x: Tensor, name: str, stride: int = 1) -> Tensor:
        x = by.cbr(
            x,
            f"{name}.layer.0",
            f"{name}.layer.1",
            stride=stride,
            padding=1,
            groups=x.shape[1],
        )
        return by.cbr(x, f"{name}.layer.3", f"{name}.layer.4")

    def spark(x: Tensor, name: str) -> Tensor:
        x = by.cbr(x, f"{name}.squeeze_layer.0", f"{name}.squeeze_layer.1")
        one = by.cbr(x, f"{name}.expand_1x1_layer.0", f"{name}.expand_1x1_layer.1")
        return torch.cat((one, separable(x, f"{name}.expand_kxk_layer.0")), 1)

    skips = [separable(image, "primary_conv", 2)]
    for block in (1, 2, 3):
        x = F.avg_pool2d(skips[-1], 2)
        skips.append(spark(spark(x, f"down_block_{block}.layer.1"), f"down_block_{block}.layer.2"))
    x = skips.pop()
    for block in (3, 2, 1):
        up, skip = f"up_block_{block}.up_layer.0.layer", skips.pop()
        x = by.cbr(x, f"{up}.0", f"{up}.1")
        groups = x.shape[1]
        x = F.relu(by.norm(by.up(x, f"{up}.3", stride=2, padding=1, groups=groups), f"{up}.4"))
        bottom, right = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        x = torch.cat((F.pad(x, (0, right, 0, bottom)), skip), 1)
        x = spark(x, f"up_block_{block}.concat_layer")
    return bilinear(by.conv(x, "classifier.0"), image.shape[-2:])


# ShelfNet-50 as its authors have it.


def shelfnet_state(num_classes: int) -> State:
    d = Declared()
    backbone = resnet50()
    for name, tensor in backbone.state_dict().items():
        d.state[f"pretrained.{name}"] = tensor.clone()
    for name in [name for name in d.state if name.endswith("running_mean")]:
        layer = name.removesuffix(".running_mean")
        d.norm(layer, len(d.state[name]))

    def s_block(name: str, width: int) -> None:
        d.conv(f"{name}.conv1", width, width, 3)
        d.norm(f"{name}.bn1", width)
        d.norm(f"{name}.bn2", width)

    def up_lists(name: str) -> None:
        # Two module lists: all of the first come before all of the second.
        for i, width in enumerate((256, 128, 64)):
            weight = torch.randn(2 * width, width, 3, 3) * (9 * width / 2) ** -0.5
            d.state[f"{name}.up_conv_list.{i}.weight"] = weight
            d.state[f"{name}.up_conv_list.{i}.bias"] = torch.randn(width)
        for i, width in enumerate((256, 128, 64)):
            s_block(f"{name}.up_dense_list.{i}", width)

    for level, width in enumerate((64, 128, 256, 512), 1):
        d.conv(f"head.conv{level}", width, 4 * width, 1, bias=False)
    for level, width in enumerate((64, 128, 256, 512), 1):
        d.norm(f"head.bn{level}", width)
    s_block("head.decoder.inconv", 64)
    s_block("head.decoder.bottom", 512)
    up_lists("head.decoder")
    s_block("head.ladder.inconv", 64)
    for i, width in enumerate((64, 128, 256)):
        s_block(f"head.ladder.down_module_list.{i}", width)
    for i, width in enumerate((64, 128, 256)):
        d.conv(f"head.ladder.down_conv_list.{i}", 2 * width, width, 3)
    s_block("head.ladder.bottom", 512)
    up_lists("head.ladder")
    d.conv("head.final", num_classes, 64, 1)
    d.state["head.selayer.weight"] = torch.randn(num_classes, 512)
    d.state["head.selayer.bias"] = torch.randn(num_classes)
    d.conv("auxlayer.conv5.0", 256, 1024, 3, bias=False)
    d.norm("auxlayer.conv5.1", 256)
    d.conv("auxlayer.conv5.4", num_classes, 256, 1)
    return d.state


def shelfnet_logits(state: State, image: Tensor) -> Tensor:
    by, backbone = By(state), resnet50().eval()
    own = {n.removeprefix("pretrained."): t for n, t in state.items() if n.startswith("pretr")}
    backbone.load_state_dict(own)

    def s_block(x: Tensor, name: str) -> Tensor:
        y = by.cbr(x, f"{name}.conv1", f"{name}.bn1", padding=1)
        return F.relu(x + by.norm(by.conv(y, f"{name}.conv1", padding=1), f"{name}.bn2"))

    def upward(maps: Sequence[Tensor], name: str) -> list[Tensor]:
        column = [s_block(maps[3], f"{name}.bottom")]
        for i in range(3):
            up = by.up(
                column[-1], f"{name}.up_conv_list.{i}", stride=2, padding=1, output_padding=1
            )
            column.append(s_block(up + maps[2 - i], f"{name}.up_dense_list.{i}"))
        return column[::-1]

    x = backbone.maxpool(backbone.relu(backbone.bn1(backbone.conv1(image))))
    reduced = []
    for level in (1, 2, 3, 4):
        x = getattr(backbone, f"layer{level}")(x)
        reduced.append(by.cbr(x, f"head.conv{level}", f"head.bn{level}"))
    column_2 = upward(reduced, "head.decoder")
    x, column_3 = s_block(column_2[0], "head.ladder.inconv"), []
    for i in range(3):
        column_3.append(s_block(x + column_2[i], f"head.ladder.down_module_list.{i}"))
        x = F.relu(by.conv(column_3[-1], f"head.ladder.down_conv_list.{i}", stride=2, padding=1))
    column_4 = upward([*column_3, x], "head.ladder")
    return bilinear(by.conv(column_4[0], "head.final"), image.shape[-2:])
