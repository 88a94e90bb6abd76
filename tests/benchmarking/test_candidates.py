import pytest

from swiftseg.benchmarking.candidates import existing_ways
from swiftseg.core import UsageError


def test_pairs_that_do_not_exist_are_left_out_and_told():
    ways, missing = existing_ways(["onnxruntime", "openvino", "torch"], ["f32", "bf16"])
    assert missing == [("onnxruntime", "bf16")]
    assert ways == [
        *(("onnxruntime", "f32"), ("openvino", "f32"), ("openvino", "bf16")),
        *(("torch", "f32"), ("torch", "bf16")),
    ]


def test_nothing_but_missing_pairs_is_refused():
    with pytest.raises(UsageError, match=r"unknown precision of onnxruntime 'bf16'; .*f32"):
        existing_ways(["onnxruntime"], ["bf16"])


def test_unknown_backends_are_refused():
    with pytest.raises(UsageError, match="unknown backend 'onxruntime'"):
        existing_ways(["onnxruntime", "onxruntime"], ["f32"])
