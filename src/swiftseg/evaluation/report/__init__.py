"""A report of an evaluation as one self-contained HTML file."""

from swiftseg.evaluation.report.frame_scores import FrameScores
from swiftseg.evaluation.report.measured import report_model
from swiftseg.evaluation.report.page import Subject, report_page, write_report
from swiftseg.evaluation.report.shown_frames import ShownFrame, shown_frames
from swiftseg.runs.history import Epoch, read_epochs

__all__ = [
    "Epoch",
    "FrameScores",
    "ShownFrame",
    "Subject",
    "read_epochs",
    "report_model",
    "report_page",
    "shown_frames",
    "write_report",
]
