import pytest

from swiftseg.core import SwiftsegError
from swiftseg.runs.history import Epoch, read_epochs

ROWS = "stage,epoch,loss,lr,val/mean_iou\nencoder,1,2.5,0.001,\nfull,1,1.5,0.0005,0.25\n"


@pytest.mark.parametrize("scored_on", ["val", "held_out"])
def test_epochs_as_a_run_writes_them(tmp_path, scored_on):
    path = tmp_path / "metrics.csv"
    path.write_text(ROWS.replace("val", scored_on))
    assert read_epochs(path) == [
        Epoch("encoder", 2.5, 0.001, None, None),
        Epoch("full", 1.5, 0.0005, 0.25, None, scored_on=scored_on),
    ]


@pytest.mark.parametrize(
    "content",
    [b"a,b\n1,2\n", b"stage,loss,lr\nx,many,1\n", b"stage,loss,lr\nx,1\n", b"\xff\xfe\x00\x01"],
)
def test_rubbish_is_one_line_that_names_the_file(tmp_path, content):
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    with pytest.raises(SwiftsegError, match=r"metrics\.csv: expected the stage, loss and lr"):
        read_epochs(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SwiftsegError, match=r"metrics\.csv: no such file"):
        read_epochs(tmp_path / "metrics.csv")
