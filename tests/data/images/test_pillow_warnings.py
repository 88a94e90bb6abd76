import threading
import warnings

import pytest
from PIL import Image

from swiftseg.data.images.pillow_warnings import pillow_warnings_ignored


def warn_as_pillow():
    warnings.warn_explicit("odd metadata", UserWarning, "Image.py", 1, module="PIL.Image")


def test_pillow_is_silent_inside_and_heard_again_outside():
    with pillow_warnings_ignored():
        warn_as_pillow()
    with pytest.warns(UserWarning, match="odd metadata"):
        warn_as_pillow()


def test_others_are_heard_inside():
    with pillow_warnings_ignored(), pytest.warns(RuntimeWarning):
        warnings.warn("not Pillow's", RuntimeWarning, stacklevel=1)


def test_readers_that_overlap_leave_the_filters_as_they_were():
    before = list(warnings.filters)
    first_in, second_out = threading.Event(), threading.Event()

    def stay_longer():
        with pillow_warnings_ignored():
            first_in.set()
            assert second_out.wait(10)
            warn_as_pillow()  # the other's leaving has not changed a thing

    thread = threading.Thread(target=stay_longer)
    thread.start()
    assert first_in.wait(10)
    with pillow_warnings_ignored():
        pass
    second_out.set()
    thread.join(10)
    assert list(warnings.filters) == before


def test_many_threads_read_in_silence(tmp_path, monkeypatch):
    from swiftseg.data.images.image_file import read_image

    Image.new("RGB", (8, 6), (9, 9, 9)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)  # Pillow warns of 48 pixels
    before = list(warnings.filters)
    failures = []

    def read():
        try:
            for _ in range(50):
                read_image(tmp_path / "a.png")
        except Exception as error:  # whatever a thread raises is to be seen
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(warnings.filters) == before
