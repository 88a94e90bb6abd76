from benchmarks.report_markdown import report_markdown
from swiftseg.benchmarking.report import milliseconds
from tests.support.reports import report


def test_a_report_becomes_tables():
    text = report_markdown(report())
    for told in (
        "## A report",
        "`python benchmarks/one.py`",
        "Test CPU, cores: 2 (avx2 fma), 16 GB; threads: 2; batch: 1",
        "| SegNet / ENet | 20.00 | 9.90 | Table 2 |",
        "| speed | 2 times | 4 times | 3 times | must |",
        "| start | 1 s | 0.5 s | 0.4 s | goal |",
        "| video | 85 % | 95 % |  | not measured |",
        "| `enet` | onnxruntime | f32 | 360x640 | frame to labels | 4 | 4 | 4 |",
        "read 1, network 4, color 0.5",
        "- A note.",
    ):
        assert told in text


def test_every_row_has_as_many_cells_as_its_head():
    lines = [line for line in report_markdown(report()).splitlines() if line.startswith("|")]
    counts = [line.count("|") for line in lines]
    assert sorted(set(counts)) == [5, 7, 12]


def test_a_busy_machine_is_told():
    assert "Measured while" not in report_markdown(report())
    assert "**Measured while the machine is busy" in report_markdown(report(busy_cpus=1.5))


def test_milliseconds_have_three_digits():
    assert [milliseconds(v) for v in (0.1234, 4.0, 12.34, 505.4, 99.96)] == [
        *("0.123", "4", "12.3", "505", "100")
    ]
