import json

import numpy as np
import pytest

from swiftseg.core import InputSpec, LabelSet, ModelSpec, Sample
from swiftseg.core.files import write_file
from swiftseg.evaluation import Evaluation
from swiftseg.evaluation.report.frame_pictures import error_map, frame_pictures
from swiftseg.evaluation.report.page import Subject, report_page
from swiftseg.evaluation.report.shown_frames import ShownFrame
from swiftseg.runs.history import Epoch
from tests.support.parsed_html import Element, decode_picture, parse_html, urls

HOSTILE = "<script>alert('x')</script>"
LABELS = LabelSet(("soil", HOSTILE, 'weed & "co"'), ((90, 60, 30), (0, 160, 0), (9, 9, 9)), 255)
SUBJECT = Subject(
    ModelSpec(f"m{HOSTILE}", "enet", LABELS, InputSpec((24, 32))),
    data=f"plants/{HOSTILE}",
    split="val",
    facts={"command": "swiftseg report m --data 'a b' && <b>"},
    card=f"# a card\n</pre>{HOSTILE}",
)
EPOCHS = [
    Epoch("encoder", 2.0, 1e-3, None, None),
    Epoch("encoder", 1.5, 1e-3, 0.25, 2.5),
    Epoch("full", 1.0, 1e-4, 0.5, 2.0),
]


def frame(index: int, size_hw: tuple[int, int] = (24, 32)) -> tuple[Sample, np.ndarray]:
    rng = np.random.default_rng(index)
    mask = rng.integers(0, 2, size_hw).astype(np.uint8)  # the third class occurs nowhere
    mask[0] = 255
    label_map = np.where(rng.random(size_hw) < 0.7, mask, 1).astype(np.uint8)
    label_map[label_map == 255] = 0
    image = rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    return Sample(f"frame_{index}{HOSTILE}", image, mask), label_map


def shown(kind: str, sample: Sample, label_map: np.ndarray) -> ShownFrame:
    pictures = frame_pictures(sample, label_map, LABELS)
    return ShownFrame(kind, 0.5, sample.name, sample.mask.shape, pictures)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    result = Evaluation(LABELS)
    for index in range(4):
        sample, label_map = frame(index)
        probs = np.full((3, *label_map.shape), 0.1, np.float32)
        np.put_along_axis(probs, label_map[None].astype(np.int64), 0.8, axis=0)
        result.add(label_map, sample.mask, probs=probs)
    return result


@pytest.fixture(scope="module")
def page(evaluation) -> Element:
    frames = [shown(k, *frame(i)) for i, k in enumerate(("worst", "median", "best"))]
    return parse_html(report_page(evaluation, SUBJECT, frames=frames, epochs=EPOCHS))


def test_nothing_is_fetched_and_nothing_runs(page):
    assert urls(page)
    assert all(url.startswith("data:image/") for url in urls(page))
    assert not page.all("script")
    assert not page.all("link")
    [policy] = [m for m in page.all("meta") if "http-equiv" in m.attributes]
    assert policy.attributes["content"].startswith("default-src 'none'")


def test_what_comes_from_users_is_text(page):
    told = page.text
    assert SUBJECT.card in told
    assert SUBJECT.facts["command"] in told
    [title] = page.all("title")[:1]
    assert HOSTILE.rpartition("/")[2] in title.text
    rows = page.all("table", "classes")[0].all("th")
    assert set(LABELS.names) <= {row.text for row in rows}


def test_the_numbers_are_the_evaluations(page, evaluation):
    tiles = {"".join(t.own_text): t.all("b")[0].text for t in page.all("div", "tile")}
    scores = evaluation.scores
    assert tiles["mean IoU"] == f"{100 * scores.mean_iou:.2f} %"
    assert tiles["class average"] == f"{100 * scores.mean_class_accuracy:.2f} %"
    assert tiles["all pixels"] == f"{100 * scores.global_accuracy:.2f} %"
    assert tiles["calibration error"] == f"{100 * evaluation.calibration_error:.2f} %"
    low, high = evaluation.mean_iou_interval
    assert f"95 % interval {100 * low:.2f} % to {100 * high:.2f} %" in page.text
    [numbers] = [pre for pre in page.all("pre") if pre.attributes.get("id") == "evaluation"]
    assert json.loads(numbers.text) == json.loads(json.dumps(evaluation.to_dict()))


def test_every_class_has_its_row(page, evaluation):
    rows = page.all("tbody")[0].all("tr")
    for index, row in enumerate(rows[:2]):
        values = [cell.text for cell in row.all("td")]
        truth = evaluation.matrix.sum(axis=1)
        assert values[0] == f"{100 * evaluation.scores.iou[index]:.2f} %"
        assert values[1] == f"{100 * evaluation.scores.class_accuracy[index]:.2f} %"
        assert values[3] == f"{100 * truth[index] / truth.sum():.2f} %"
    assert rows[2].all("td")[0].text == "–"  # noqa: RUF001 the class that never occurs


def test_the_matrix_tells_the_share_of_the_row(page, evaluation):
    [matrix] = page.all("svg", "matrix")
    told = {cell.text for cell in matrix.all("rect", "cell")}
    share = evaluation.matrix[0, 1] / evaluation.matrix[0].sum()
    assert f"soil taken for {HOSTILE}: {100 * share:.2f} %" in told
    assert len(told) == np.count_nonzero(evaluation.matrix)


@pytest.mark.parametrize("count", [1, 11, 66, 255])
def test_matrices_of_all_sizes_keep_their_names_apart(count):
    names = tuple(f"construction--barrier--class-{index}" for index in range(count))
    labels = LabelSet(names, ((1, 2, 3),) * count, 255)
    result = Evaluation(labels)
    diagonal = np.arange(count, dtype=np.uint8)[None]
    result.add(diagonal, diagonal)
    subject = Subject(ModelSpec("m", "enet", labels, InputSpec((8, 8))), "d", "val")
    [matrix] = parse_html(report_page(result, subject)).all("svg", "matrix")
    shown = ["".join(text.own_text) for text in matrix.all("text", "name")]
    assert len(set(shown)) == count
    width = float(matrix.attributes["viewbox"].split()[2])
    assert width / count >= 14  # room for a line of the font


def test_four_pictures_a_frame(page):
    assert [h.text for h in page.all("h3")] == ["Best frames", "Median frames", "Worst frames"]
    assert len(page.all("div", "frame")) == 3
    for shown in page.all("div", "frame"):
        captions = [caption.text for caption in shown.all("figcaption")]
        assert captions == ["image", "truth", "prediction", "errors"]
        pictures = [decode_picture(img.attributes["src"]) for img in shown.all("img")]
        assert {picture.size for picture in pictures} == {(32, 24)}
    sample, _ = frame(2)
    truth = decode_picture(page.all("div", "frame")[0].all("img")[1].attributes["src"])
    colors = np.vstack([LABELS.colors, np.zeros((253, 3), np.uint8)])
    np.testing.assert_array_equal(np.asarray(truth.convert("RGB")), colors[sample.mask])


def test_large_frames_are_shown_small(evaluation):
    frames = [shown("best", *frame(0, (512, 1024)))]
    page = parse_html(report_page(evaluation, SUBJECT, frames=frames))
    sizes = {decode_picture(img.attributes["src"]).size for img in page.all("img")}
    assert sizes == {(640, 320)}


def test_errors_are_bright_over_the_dimmed_frame_in_all_its_strips():
    sample, label_map = frame(1, (600, 20))
    painted = error_map(sample, label_map, 255)
    is_void, is_wrong = sample.mask == 255, label_map != sample.mask
    assert (painted[is_void] == 0).all()
    assert (painted[is_wrong & ~is_void] == (255, 70, 40)).all()
    gray = sample.image @ np.array([299, 587, 114]) / 1000
    right = ~is_void & ~is_wrong
    np.testing.assert_allclose(
        painted[right], (gray // 3 + 20)[right][:, None].repeat(3, 1), atol=1
    )


def test_curves_of_all_stages(page):
    loss, score, rate = page.all("div", "charts")[0].all("svg")
    assert [chart.attributes["aria-label"] for chart in (loss, score, rate)] == [
        "loss",
        "mean IoU on val, %",
        "learning rate",
    ]
    assert {"encoder", "full"} <= {text.text for text in loss.all("text")}
    lines = loss.all("polyline")
    assert [len(line.attributes["points"].split()) for line in lines] == [3, 2]  # training, val
    assert [dot.text for dot in score.all("circle")] == ["mean IoU 25 at 2", "mean IoU 50 at 3"]


def test_what_was_not_taken_is_not_shown(evaluation):
    bare = Evaluation(LABELS)
    bare.add(frame(0)[1], frame(0)[0].mask)
    titles = [h.text for h in parse_html(report_page(bare, SUBJECT)).all("h2")]
    assert titles == ["What was measured", "Classes", "Confusion"]


def test_no_frames_at_all_is_a_page_without_numbers():
    page = parse_html(report_page(Evaluation(LABELS), SUBJECT))
    assert {t.all("b")[0].text for t in page.all("div", "tile")} == {"–"}  # noqa: RUF001


def test_the_file_is_the_page(evaluation, tmp_path):
    path = tmp_path / "new" / "report.html"
    write_file(path, report_page(evaluation, SUBJECT))
    assert path.read_text("utf-8") == report_page(evaluation, SUBJECT)
