"""The last stage by itself."""

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.labeling.inputs import Input
from swiftseg.labeling.job import Settings
from swiftseg.labeling.pieces import Piece
from swiftseg.labeling.place import LocalPlace
from swiftseg.labeling.stages import LabeledFrame, Staged, StagedPiece
from swiftseg.labeling.writing import WriteStage
from tests.support.exported import SHADES


def test_an_input_that_is_refused_is_set_aside_and_the_others_are_written(tmp_path):
    settings = Settings("m", "d", "onnxruntime", "f32", "auto", ("labels",), "png", SHADES.names)
    labels = np.zeros((3, 4), np.uint8)
    inputs = tuple(Input(name, f"/in/{name}.png") for name in "ab")
    found = [Staged([LabeledFrame(item.name, (3, 4), labels, None, None, None)]) for item in inputs]

    def check(key):
        if key == "a":
            raise SwiftsegError("a: set aside")

    write = WriteStage(LocalPlace(tmp_path), settings, SHADES)
    receipt = write(StagedPiece(Piece(0, inputs), found, {}), check)
    assert [outcome.status for outcome in receipt.outcomes] == ["failed", "done"]
    assert receipt.outcomes[0].reason == "a: set aside"
    assert [path.name for path in (tmp_path / "labels").iterdir()] == ["b.png"]
