"""What a command does is a documented function with types, importable from the package."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import swiftseg

FUNCTIONS = [
    "benchmark",
    "check_data",
    "create_model",
    "evaluate",
    "export",
    "label_images",
    "predict_images",
    "predict_video",
    "train",
]
README = Path(__file__).parents[2] / "README.md"


def test_the_list_is_complete():
    assert {"Segmenter", *FUNCTIONS} <= set(swiftseg.__all__)
    assert {*swiftseg.__all__, "__all__", "__doc__", "__version__"} <= set(dir(swiftseg))
    for name in swiftseg.__all__:
        assert getattr(swiftseg, name) is not None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_says_what_it_takes_and_gives(name: str):
    function = getattr(swiftseg, name)
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    documentation = inspect.getdoc(function)
    assert documentation
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty, parameter.name
        assert re.search(rf"^ +{parameter.name}: ", documentation, re.MULTILINE), parameter.name


def test_importing_the_package_imports_neither_half():
    script = (
        "import sys, swiftseg\n"
        "dir(swiftseg)\n"
        "assert not {'torch', 'numpy', 'onnxruntime'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_readmes_python_names_what_there_is():
    [block] = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    compile(block, "README.md", "exec")
    named = set(re.findall(r"swiftseg\.(\w+)", block))
    assert {"Segmenter", "predict_images", "train", "export", "evaluate"} <= named
    assert named <= set(swiftseg.__all__)


def test_torch_alone_is_not_the_train_extra():
    script = (
        "import sys, swiftseg\n"
        "sys.modules['accelerate'] = None\n"
        "try:\n"
        "    swiftseg.train\n"
        "except swiftseg.SwiftsegError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "swiftseg.train needs an extra: pip install 'swiftseg[train]'\n"
