"""FCN-8s with the names, shapes, order and arithmetic of wkentaro's and of SegFast's authors."""

from collections.abc import Callable, Sequence

from torch import Tensor
from torch.nn import functional as F

from tests.support.port_lookalikes import By, Declared, State

VGG_WIDTHS = (
    (3, 64, 64),
    (64, 128, 128),
    (128, 256, 256, 256),
    (256, 512, 512, 512),
    (512, 512, 512, 512),
)
VGG_NAMES = tuple(
    f"conv{stage}_{index}"
    for stage, widths in enumerate(VGG_WIDTHS, 1)
    for index in range(1, len(widths))
)
SEGFAST_FCN_NAMES = dict(
    zip(
        (*VGG_NAMES, "fc6", "fc7", "score_fr"),
        (
            *(f"features3.{i}" for i in (0, 2, 5, 7, 10, 12, 14)),
            *(f"features4.{i}" for i in (0, 2, 4)),
            *(f"features5.{i}" for i in (0, 2, 4)),
            *(f"score_fr.{i}" for i in (0, 3, 6)),
        ),
        strict=True,
    )
)


def fcn8s_state(num_classes: int, order: Sequence[str]) -> State:
    """Of wkentaro's names; `order` is that of the layers behind VGG-16's convolutions."""
    d = Declared()
    for stage, widths in enumerate(VGG_WIDTHS, 1):
        for index in range(1, len(widths)):
            d.conv(f"conv{stage}_{index}", widths[index], widths[index - 1], 3)
    for name in order:
        if name.startswith("upscore"):
            size = 16 if name == "upscore8" else 4
            d.conv(name, num_classes, num_classes, size, bias=False)
        elif name == "fc6":  # 411 MB: one kernel's worth of numbers, stretched, is a small file
            d.conv(name, 4096, 1, 7)
            weight = d.state["fc6.weight"] * 512**-0.5
            d.state["fc6.weight"] = weight.expand(4096, 512, 7, 7)
        elif name == "fc7":
            d.conv(name, 4096, 4096, 1)
        else:
            inputs = {"score_fr": 4096, "score_pool3": 256, "score_pool4": 512}[name]
            d.conv(name, num_classes, inputs, 1)
    return d.state


def fcn8s_logits(
    state: State, image: Tensor, *, scales: tuple[float, float] = (1.0, 1.0)
) -> Tensor:
    """Scores pool3 and pool4 times `scales`; the "at once" form has (0.0001, 0.01)."""
    by, x, pools = By(state), image, []
    for stage, widths in enumerate(VGG_WIDTHS, 1):
        for index in range(1, len(widths)):
            padding = 100 if (stage, index) == (1, 1) else 1
            x = F.relu(by.conv(x, f"conv{stage}_{index}", padding=padding))
        x = F.max_pool2d(x, 2, ceil_mode=True)
        pools.append(x)
    x = F.relu(by.conv(F.relu(by.conv(x, "fc6")), "fc7"))
    x = by.up(by.conv(x, "score_fr"), "upscore2", stride=2)
    x = x + cut(by.conv(pools[3] * scales[1], "score_pool4"), 5, x)
    x = by.up(x, "upscore_pool4", stride=2)
    x = x + cut(by.conv(pools[2] * scales[0], "score_pool3"), 9, x)
    return cut(by.up(x, "upscore8", stride=8), 31, image)


def cut(x: Tensor, offset: int, like: Tensor) -> Tensor:
    height, width = like.shape[-2:]
    return x[:, :, offset : offset + height, offset : offset + width]


def renamed(state: State, rename: Callable[[str], str]) -> State:
    """Renames layers, keeping the order."""
    return {
        f"{rename(name.rpartition('.')[0])}.{name.rpartition('.')[2]}": tensor
        for name, tensor in state.items()
    }
