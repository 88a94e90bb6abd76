"""The network in the page's own WebAssembly, run by node, against ONNX Runtime."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from swiftseg.exporting.plan_file import Plan
from swiftseg.exporting.web_plan import make_plan
from tests.web.conftest import page_file

FRAME_HW = (37, 50)

# Reads the kernel, the plan and the frames; writes the scores of each. Node 20 asks for the flag.
RUN = """
const { readFileSync, writeFileSync } = require("node:fs");
const { isMainThread, parentPort, Worker, workerData } = require("node:worker_threads");
require("node:v8").setFlagsFromString("--experimental-wasm-relaxed-simd");
async function main([kernel, threads, plan]) {
  const pages = Math.ceil(plan.memory / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  new Uint8Array(memory.buffer).set(readFileSync("plan"));
  new Int32Array(memory.buffer)[2] = threads;
  const module = await WebAssembly.compile(readFileSync(kernel));
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  for (let thread = 1; thread < threads; thread++) {
    const worker = new Worker(__filename, { workerData: { module, memory, thread } });
    await new Promise((resolve) => worker.once("message", resolve));
  }
  const frames = readFileSync("frames");
  const count = frames.length / plan.frame_bytes;
  const bytes = 4 * plan.shape.reduce((product, number) => product * number);
  const scores = Buffer.concat(Array.from({ length: count }, (_, i) => {
    const frame = frames.subarray(i * plan.frame_bytes, (i + 1) * plan.frame_bytes);
    new Uint8Array(memory.buffer, plan.frame).set(frame);
    exports.start();
    return Buffer.from(new Uint8Array(memory.buffer, plan.scores, bytes));
  }));
  writeFileSync("scores", scores);
  process.exit(0);
}
async function serve({ module, memory, thread }) {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  parentPort.postMessage("ready");
  exports.serve(thread);
}
if (isMainThread) main(JSON.parse(process.argv[2]));
else serve(workerData);
"""


@pytest.fixture(scope="module")
def kernel() -> Path:
    return page_file("assets/network-*.wasm")


class _Graph:
    """A graph that grows operator by operator; its weights are drawn."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self.frame = self.op("Transpose", "frames", perm=[0, 3, 1, 2])
        self.frame = self.op("Cast", self.frame, to=TensorProto.FLOAT)

    def op(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weight(self, array: np.ndarray) -> str:
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def drawn(self, *shape: int) -> str:
        return self.weight(self.random.normal(0, 0.3, shape).astype(np.float32))

    def conv(self, x: str, shape: Sequence[int], **attributes: object) -> str:
        attributes.setdefault("kernel_shape", list(shape[2:]))
        return self.op("Conv", x, self.drawn(*shape), self.drawn(shape[0]), **attributes)

    def model(self, scores: str, size_hw: tuple[int, int] = FRAME_HW) -> bytes:
        height, width = size_hw
        frames = helper.make_tensor_value_info("frames", TensorProto.UINT8, ["N", height, width, 3])
        self.nodes.append(helper.make_node("Identity", [scores], ["scores"]))
        output = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None] * 4)
        graph = helper.make_graph(self.nodes, "graph", [frames], [output], self.weights)
        opsets = [helper.make_opsetid("", 18)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def _scaled(graph: _Graph) -> str:
    factor, shift = (
        graph.weight(np.array(values, np.float32).reshape(1, 3, 1, 1))
        for values in ((0.02, 0.01, 0.03), (-1, 0.5, 2))
    )
    return graph.op("Add", graph.op("Mul", graph.frame, factor), shift)


def _whole_convolutions(graph: _Graph) -> str:
    """Strides, dilations, paddings, kernels that are no squares, channels that fill no register."""
    x = graph.op(
        "Relu", graph.conv(_scaled(graph), (13, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    )
    y = graph.conv(x, (24, 13, 1, 5), pads=[0, 2, 0, 2])
    x = graph.op("Relu", graph.op("Add", graph.conv(x, (24, 13, 1, 1)), y))
    x = graph.op(
        "Relu", graph.conv(x, (16, 24, 3, 3), dilations=[2, 3], pads=[2, 3, 2, 3], strides=[1, 2])
    )
    return graph.conv(x, (5, 16, 1, 1))


def _convolutions_by_channel(graph: _Graph) -> str:
    x = graph.conv(_scaled(graph), (20, 3, 1, 1))
    x = graph.op("Relu", graph.conv(x, (20, 1, 3, 3), group=20, strides=[2, 2], pads=[1, 1, 1, 1]))
    y = graph.conv(x, (20, 1, 3, 3), group=20, dilations=[4, 4], pads=[4, 4, 4, 4])
    x = graph.op("Add", x, graph.conv(y, (20, 20, 1, 1)))
    x = graph.conv(x, (20, 1, 5, 3), group=20, strides=[2, 3], pads=[2, 1, 2, 1])
    return graph.conv(x, (11, 20, 1, 1))


def _pyramid(graph: _Graph) -> str:
    """Means over regions, resized and joined to what they come from."""
    x = graph.op("Relu", graph.conv(_scaled(graph), (16, 3, 5, 4), strides=[3, 4]))
    height, width = 11, 12
    sizes = graph.weight(np.array([1, 8, height, width], np.int64))
    parts = [x]
    for bins, mode in ((1, "half_pixel"), (3, "half_pixel"), (2, "align_corners")):
        y = graph.op("MatMul", graph.drawn(bins, height), x)
        y = graph.op("MatMul", y, graph.drawn(width, bins + 1))
        y = graph.op("Relu", graph.conv(y, (8, 16, 1, 1)))
        modes = {"mode": "linear", "coordinate_transformation_mode": mode}
        parts.append(graph.op("Resize", y, "", "", sizes, **modes))
    x = graph.conv(graph.op("Concat", *parts, axis=1), (16, 40, 3, 3), pads=[1, 1, 1, 1])
    sizes = graph.weight(np.array([1, 16, 29, 12], np.int64))
    return graph.op("Resize", x, "", "", sizes, mode="linear")


GRAPHS = [_whole_convolutions, _convolutions_by_channel, _pyramid]


def _plan(graph: Callable[[_Graph], str]) -> tuple[Plan | None, bytes]:
    made = _Graph()
    model = made.model(graph(made))
    onnx.checker.check_model(onnx.load_from_string(model))
    return make_plan(model, "frames", "scores"), model


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("graph", GRAPHS)
def test_the_scores_are_onnx_runtimes(
    kernel: Path, graph: Callable[[_Graph], str], threads: int, tmp_path: Path
) -> None:
    plan, model = _plan(graph)
    assert plan is not None
    frames = np.random.default_rng(1).integers(0, 256, (4, *FRAME_HW, 3), dtype=np.uint8)
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    expected = np.concatenate([session.run(None, {"frames": f[None]})[0] for f in frames])
    assert plan.shape == expected.shape[1:]
    (tmp_path / "run.js").write_text(RUN)
    (tmp_path / "plan").write_bytes(plan.content)
    frames.tofile(tmp_path / "frames")
    about = vars(plan) | {"content": None, "frame_bytes": frames[0].nbytes}
    command = ["node", "run.js", json.dumps([str(kernel), threads, about])]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    scores = np.fromfile(tmp_path / "scores", np.float32).reshape(expected.shape)
    # Sums of up to 225 products, each rounded once instead of twice.
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def _first(graph: _Graph) -> str:
    return graph.conv(_scaled(graph), (16, 3, 2, 2), strides=[2, 2])


def _resized(graph: _Graph, *ends: str, **attributes: object) -> str:
    x = _first(graph)
    inputs = ends or ("", "", graph.weight(np.array([1, 16, 40, 40], np.int64)))
    return graph.op("Resize", x, *inputs, **{"mode": "linear"} | attributes)


def _joined(graph: _Graph, channels: int) -> str:
    x = _first(graph)
    return graph.op("Concat", graph.conv(x, (channels, 16, 1, 1)), x, axis=1)


OTHERS: dict[str, Callable[[_Graph], str]] = {
    "another operator": lambda g: g.op("Sigmoid", _first(g)),
    "groups": lambda g: g.conv(_first(g), (16, 4, 1, 1), group=4),
    "several maps a channel": lambda g: g.conv(_first(g), (32, 1, 1, 1), group=16),
    "another activation": lambda g: g.op("LeakyRelu", _first(g), alpha=0.1),
    "padding by name": lambda g: g.conv(_first(g), (16, 16, 3, 3), auto_pad="SAME_UPPER"),
    "nearest": lambda g: _resized(g, mode="nearest"),
    "antialias": lambda g: _resized(g, antialias=1),
    "other pixels": lambda g: _resized(g, coordinate_transformation_mode="asymmetric"),
    "half a pixel more": lambda g: _resized(g, "", g.weight(np.array([1, 1, 1.03, 1], np.float32))),
    "no room side by side": lambda g: _joined(g, 12),
    "joined twice": lambda g: g.op("Concat", _joined(g, 8), _first(g), axis=1),
    "joined below one another": lambda g: g.op("Concat", *[_first(g)] * 2, axis=2),
    "sum of two frames": lambda g: g.conv(g.op("Add", g.frame, g.frame), (8, 3, 1, 1)),
    "a factor for each column": lambda g: g.conv(
        g.op("Mul", g.frame, g.drawn(FRAME_HW[1])), (8, 3, 1, 1)
    ),
    "twice transposed": lambda g: g.conv(
        g.op("Transpose", g.frame, perm=[0, 1, 3, 2]), (8, 3, 1, 1)
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_the_kernel_does_not_compute_has_no_plan(name: str) -> None:
    plan, _ = _plan(OTHERS[name])
    assert plan is None


def test_a_network_that_has_no_room_has_no_plan() -> None:
    graph = _Graph()
    model = graph.model(_first(graph), size_hw=(20_000, 20_000))
    assert make_plan(model, "frames", "scores") is None
