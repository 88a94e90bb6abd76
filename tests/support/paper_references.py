"""The papers' networks once more, as plain functions of torch, read off their layer tables.

Each function takes an image and a network's tensors in the order of the tables, convolution before
normalization, and uses each once. Nothing here comes from `swiftseg.models` or `swiftseg.layers`:
pooling hands torch's own indices to torch's own unpooling, pyramid pooling is adaptive, and so on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Unit = Callable[[Tensor], Tensor]


class Tensors:
    """A state dict that hands out its tensors one after the other."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        named = {name: t for name, t in state.items() if not name.endswith("num_batches_tracked")}
        self.left: Iterator[tuple[str, Tensor]] = iter(named.items())

    def take(self) -> Tensor:
        return next(self.left)[1]

    def are_used_up(self) -> bool:
        return next(self.left, None) is None

    def conv(self, *, bias: bool = False, transposed: bool = False, **how: object) -> Unit:
        weight, shift = self.take(), self.take() if bias else None
        function = F.conv_transpose2d if transposed else F.conv2d
        return lambda x: function(x, weight, shift, **how)

    def depthwise(self, *, bias: bool = False, transposed: bool = False, **how: object) -> Unit:
        weight, shift = self.take(), self.take() if bias else None
        function = F.conv_transpose2d if transposed else F.conv2d
        return lambda x: function(x, weight, shift, groups=len(weight), **how)

    def norm(self, eps: float = 1e-5) -> Unit:
        scale, shift, mean, variance = (self.take()[:, None, None] for _ in range(4))
        return lambda x: (x - mean) / (variance + eps).sqrt() * scale + shift

    def prelu(self) -> Unit:
        slope = self.take()[:, None, None]
        return lambda x: torch.where(x > 0, x, slope * x)


def chain(*units: Unit) -> Unit:
    def run(x: Tensor) -> Tensor:
        for unit in units:
            x = unit(x)
        return x

    return run


def same(x: Tensor) -> Tensor:
    return x


def leaky(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.01 * x)


def upsampled(x: Tensor, like: Tensor, *, align_corners: bool = False) -> Tensor:
    return F.interpolate(x, like.shape[2:], mode="bilinear", align_corners=align_corners)


# ENet, Table 1 and Figure 2


def enet(state: Mapping[str, Tensor], image: Tensor, *, decoder_prelu: bool) -> Tensor:
    t = Tensors(state)
    conv, norm, act = t.conv(bias=True, stride=2, padding=1), t.norm(1e-3), t.prelu()
    x = act(norm(torch.cat((conv(image), F.max_pool2d(image, 2, 2)), 1)))
    x, indices_1, size_1 = enet_down(t, x, 64)
    for _ in range(4):
        x = enet_bottleneck(t, x)
    x, indices_2, size_2 = enet_down(t, x, 128)
    for _ in range(2):
        for kind in ("regular", 2, "asymmetric", 4, "regular", 8, "asymmetric", 16):
            x = enet_bottleneck(t, x, kind)
    x = enet_up(t, x, indices_2, size_2, prelu=decoder_prelu)
    for _ in range(2):
        x = enet_bottleneck(t, x, prelu=decoder_prelu)
    x = enet_up(t, x, indices_1, size_1, prelu=decoder_prelu)
    x = enet_bottleneck(t, x, prelu=decoder_prelu)
    x = t.conv(bias=True, transposed=True, stride=2)(x)
    assert t.are_used_up()
    return x


def enet_branch(
    t: Tensors, first: dict[str, int], main: Callable[[], Unit], *, prelu: bool
) -> Unit:
    act = t.prelu if prelu else lambda: F.relu
    units = [t.conv(**first), t.norm(1e-3), act(), main(), t.norm(1e-3), act(), t.conv()]
    return chain(*units, t.norm(1e-3))


def enet_main(t: Tensors, kind: str | int) -> Unit:
    if kind == "asymmetric":
        return chain(t.conv(padding=(2, 0)), t.conv(bias=True, padding=(0, 2)))
    dilation = 1 if kind == "regular" else int(kind)
    return t.conv(bias=True, padding=dilation, dilation=dilation)


def enet_bottleneck(
    t: Tensors, x: Tensor, kind: str | int = "regular", *, prelu: bool = True
) -> Tensor:
    branch = enet_branch(t, {}, lambda: enet_main(t, kind), prelu=prelu)
    return (t.prelu() if prelu else F.relu)(branch(x) + x)


def enet_down(t: Tensors, x: Tensor, channels: int) -> tuple[Tensor, Tensor, torch.Size]:
    branch = enet_branch(t, {"stride": 2}, lambda: enet_main(t, "regular"), prelu=True)
    pooled, indices = F.max_pool2d(x, 2, 2, return_indices=True)
    zeros = pooled.new_zeros(len(x), channels - pooled.shape[1], *pooled.shape[2:])
    return t.prelu()(branch(x) + torch.cat((pooled, zeros), 1)), indices, x.shape


def enet_up(t: Tensors, x: Tensor, indices: Tensor, size: torch.Size, *, prelu: bool) -> Tensor:
    main = chain(t.conv(), t.norm(1e-3))

    def transposed() -> Unit:
        return t.conv(bias=True, transposed=True, stride=2, padding=1, output_padding=1)

    branch = enet_branch(t, {}, transposed, prelu=prelu)
    unpooled = F.max_unpool2d(main(x), indices, 2, 2, output_size=size[2:])
    return (t.prelu() if prelu else F.relu)(branch(x) + unpooled)


# SegNet


def segnet(state: Mapping[str, Tensor], image: Tensor) -> Tensor:
    t = Tensors(state)

    def unit() -> Unit:
        return chain(t.conv(bias=True, padding=1), t.norm(), F.relu)

    encoder = [[unit() for _ in range(count)] for count in (2, 2, 3, 3, 3)]
    decoder = [[unit() for _ in range(count)] for count in (3, 3, 3, 2, 1)]
    x = pooled_and_unpooled(image, encoder, decoder)
    x = t.conv(bias=True, padding=1)(x)
    assert t.are_used_up()
    return x


def segnet_basic(state: Mapping[str, Tensor], image: Tensor, *, bias: bool) -> Tensor:
    t = Tensors(state)

    def unit() -> Unit:
        return chain(t.conv(bias=bias, padding=3), t.norm())

    encoder = [[chain(unit(), F.relu)] for _ in range(4)]
    decoder = [[unit()] for _ in range(4)]
    image = F.local_response_norm(image, 5, alpha=1e-4, beta=0.75, k=1.0)
    x = t.conv(bias=True)(pooled_and_unpooled(image, encoder, decoder))
    assert t.are_used_up()
    return x


def pooled_and_unpooled(
    x: Tensor, encoder: Sequence[Sequence[Unit]], decoder: Sequence[Sequence[Unit]]
) -> Tensor:
    handed_over: list[tuple[Tensor, torch.Size]] = []
    for stage in encoder:
        x = chain(*stage)(x)
        size = x.shape
        x, indices = F.max_pool2d(x, 2, 2, ceil_mode=True, return_indices=True)
        handed_over.append((indices, size))
    for stage in decoder:
        indices, size = handed_over.pop()
        x = chain(*stage)(F.max_unpool2d(x, indices, 2, 2, output_size=size[2:]))
    return x


# FCN-8s


def fcn8s(state: Mapping[str, Tensor], image: Tensor) -> Tensor:
    t = Tensors(state)
    stages = [
        [t.conv(bias=True, padding=100 if number == first == 0 else 1) for number in range(count)]
        for first, count in enumerate((2, 2, 3, 3, 3))
    ]
    fc6, fc7, score_fr, score_4, score_3 = (t.conv(bias=True) for _ in range(5))
    up2, up_pool4, up8 = (t.conv(transposed=True, stride=stride) for stride in (2, 2, 8))
    x, pools = image, []
    for stage in stages:
        for conv in stage:
            x = F.relu(conv(x))
        x = F.max_pool2d(x, 2, 2, ceil_mode=True)
        pools.append(x)
    x = up2(score_fr(F.relu(fc7(F.relu(fc6(x))))))
    x = x + cropped(score_4(0.01 * pools[3]), x, 5)
    x = up_pool4(x)
    x = x + cropped(score_3(0.0001 * pools[2]), x, 9)
    assert t.are_used_up()
    return cropped(up8(x), image, 31)


def cropped(x: Tensor, like: Tensor, offset: int) -> Tensor:
    return x[:, :, offset:, offset:][:, :, : like.shape[2], : like.shape[3]]


# SegFast


def segfast(state: Mapping[str, Tensor], image: Tensor, *, separable: bool) -> Tensor:
    t = Tensors(state)
    stem = t.conv(bias=True, stride=2, padding=1)

    def conv_3x3() -> Unit:
        if not separable:
            return t.conv(bias=True, padding=1)
        return chain(t.depthwise(bias=True, padding=1), t.norm(), t.conv(bias=True))

    def up() -> Unit:
        if not separable:
            return t.conv(bias=True, transposed=True, stride=2)
        halves = t.depthwise(bias=True, transposed=True, stride=2), t.norm()
        return chain(*halves, t.conv(bias=True))

    def spark() -> Unit:
        squeeze = chain(t.norm(), t.conv(bias=True), F.relu)
        expand_1 = chain(t.norm(), t.conv(bias=True), F.relu)
        expand_3 = chain(t.norm(), conv_3x3(), F.relu)
        return chain(squeeze, lambda x: torch.cat((expand_1(x), expand_3(x)), 1))

    stages = [chain(*(spark() for _ in range(count))) for count in (2, 2, 4)]
    decoder = [(chain(up(), F.relu), chain(conv_3x3(), F.relu)) for _ in range(3)]
    classifier = t.conv(bias=True)
    assert t.are_used_up()
    maps = [F.relu(stem(image))]
    for stage in stages:
        maps.append(stage(F.avg_pool2d(maps[-1], 2, 2)))
    x = maps.pop()
    for enlarge, conv in decoder:
        skip = maps.pop()
        enlarged = skip.new_zeros(len(skip), skip.shape[1], *skip.shape[2:])
        found = enlarge(x)
        enlarged[:, :, : found.shape[2], : found.shape[3]] = found
        x = conv(torch.cat((enlarged, skip), 1))
    return upsampled(classifier(x), image)


# Fast-SCNN, Tables 1 to 3


def fast_scnn(state: Mapping[str, Tensor], image: Tensor) -> Tensor:
    t = Tensors(state)

    def separable(stride: int) -> Unit:
        return chain(t.depthwise(stride=stride, padding=1), t.conv(), t.norm(), F.relu)

    def pointwise(*, relu: bool) -> Unit:
        return chain(t.conv(), t.norm(), F.relu if relu else same)

    def bottleneck(stride: int, *, adds: bool) -> Unit:
        wide = chain(pointwise(relu=True), t.depthwise(stride=stride, padding=1), t.norm(), F.relu)
        whole = chain(wide, pointwise(relu=False))
        return (lambda x: x + whole(x)) if adds else whole

    first = chain(t.conv(stride=2, padding=1), t.norm(), F.relu)
    learning_to_downsample = chain(first, separable(2), separable(2))
    blocks = [
        bottleneck(stride if number == 0 else 1, adds=number > 0)
        for stride in (2, 2, 1)
        for number in range(3)
    ]
    branches, joined = [pointwise(relu=True) for _ in range(4)], pointwise(relu=True)
    context = chain(t.depthwise(padding=4, dilation=4), t.norm(), F.relu, pointwise(relu=False))
    detail_conv = pointwise(relu=False)
    classifier = chain(separable(1), separable(1), t.conv(bias=True))
    assert t.are_used_up()

    detail = learning_to_downsample(image)
    x = chain(*blocks)(detail)
    pyramid = [
        upsampled(branch(F.adaptive_avg_pool2d(x, bins)), x)
        for branch, bins in zip(branches, (1, 2, 3, 6), strict=True)
    ]
    x = joined(torch.cat((x, *pyramid), 1))
    x = F.relu(context(upsampled(x, detail)) + detail_conv(detail))
    return upsampled(classifier(x), image)


# ShelfNet: columns 0 to 4 of levels A (finest) to D


def resnet_maps(t: Tensors, image: Tensor, blocks: Sequence[int], *, bottleneck: bool):
    x = F.relu(chain(t.conv(stride=2, padding=3), t.norm())(image))
    x = F.max_pool2d(x, 3, 2, 1)
    maps: list[Tensor] = []
    for level, count in enumerate(blocks):
        for number in range(count):
            stride = 2 if number == 0 and level > 0 else 1
            # A first block changes the size or the channels, but for the basic ones at level A.
            projects = number == 0 and (level > 0 or bottleneck)
            x = residual_block(t, x, stride, bottleneck=bottleneck, projects=projects)
        maps.append(x)
    return maps


def residual_block(
    t: Tensors, x: Tensor, stride: int, *, bottleneck: bool, projects: bool
) -> Tensor:
    if bottleneck:
        units = [t.conv(), t.norm(), F.relu, t.conv(stride=stride, padding=1), t.norm(), F.relu]
        units += [t.conv(), t.norm()]
    else:
        units = [t.conv(stride=stride, padding=1), t.norm(), F.relu, t.conv(padding=1), t.norm()]
    shortcut = chain(t.conv(stride=stride), t.norm()) if projects else same
    return F.relu(chain(*units)(x) + shortcut(x))


def s_block(t: Tensors, act: Unit, *, shared: bool = True) -> Unit:
    first = t.conv(bias=True, padding=1)
    second = first if shared else t.conv(bias=True, padding=1)
    norm_1, norm_2 = t.norm(), t.norm()
    return lambda x: F.relu(x + norm_2(second(act(norm_1(first(x))))))


def shelf(
    column_1: Sequence[Tensor],
    t: Tensors,
    block: Callable[[], Unit],
    up_step: Callable[[], Callable[[Tensor, Tensor], Tensor]],
) -> Tensor:
    levels = len(column_1)
    bottom_2, ups_2 = block(), [up_step() for _ in range(levels - 1)]
    middle = block()
    blocks_3 = [block() for _ in range(levels - 1)]
    downs_3 = [t.conv(bias=True, stride=2, padding=1) for _ in range(levels - 1)]
    bottom_4, ups_4 = block(), [up_step() for _ in range(levels - 1)]

    column_2 = {levels - 1: bottom_2(column_1[-1])}
    for level, up in zip(range(levels - 2, -1, -1), ups_2, strict=True):
        column_2[level] = up(column_2[level + 1], column_1[level])
    x, column_3 = middle(column_2[0]), []
    for level in range(levels - 1):
        column_3.append(blocks_3[level](x + column_2[level]))
        x = F.relu(downs_3[level](column_3[-1]))
    x = bottom_4(x)  # the coarsest level has no skip
    for level, up in zip(range(levels - 2, -1, -1), ups_4, strict=True):
        x = up(x, column_3[level])
    return x


def shelfnet(
    state: Mapping[str, Tensor], image: Tensor, blocks: Sequence[int], *, shared: bool
) -> Tensor:
    t = Tensors(state)
    column_0 = resnet_maps(t, image, blocks, bottleneck=True)
    column_1 = [chain(t.conv(), t.norm(), F.relu)(x) for x in column_0]

    def block() -> Unit:
        return s_block(t, F.relu, shared=shared)

    def up_step() -> Callable[[Tensor, Tensor], Tensor]:
        weight, bias = t.take(), t.take()
        after = block()

        def step(x: Tensor, skip: Tensor) -> Tensor:
            # Of the two sizes that a stride of 2 may come from, the skip's.
            extra = [skip.shape[i] - (2 * x.shape[i] - 1) for i in (2, 3)]
            up = F.conv_transpose2d(x, weight, bias, 2, 1, output_padding=extra)
            return after(up + skip)

        return step

    finest = shelf(column_1, t, block, up_step)
    x = t.conv(bias=True)(finest)
    assert t.are_used_up()
    return upsampled(x, image, align_corners=True)


def shelfnet_light(
    state: Mapping[str, Tensor], image: Tensor, blocks: Sequence[int], *, reduces: bool
) -> Tensor:
    t = Tensors(state)
    column_0 = resnet_maps(t, image, blocks, bottleneck=False)[1:]

    def conv_unit() -> Unit:
        return chain(t.conv(padding=1), t.norm(), leaky)

    column_1 = [chain(t.conv(), t.norm(), leaky)(x) for x in column_0] if reduces else column_0

    def up_step() -> Callable[[Tensor, Tensor], Tensor]:
        conv, weigh = conv_unit(), chain(t.conv(), t.norm(), torch.sigmoid)
        after = conv_unit()

        def step(x: Tensor, skip: Tensor) -> Tensor:
            x = conv(x)
            x = x * weigh(x.mean((2, 3), keepdim=True))
            return after(F.interpolate(x, skip.shape[2:], mode="nearest") + skip)

        return step

    x = shelf(column_1, t, lambda: s_block(t, leaky), up_step)
    x = chain(conv_unit(), t.conv(padding=1))(x)
    assert t.are_used_up()
    return upsampled(x, image, align_corners=True)
