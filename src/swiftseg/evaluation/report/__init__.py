"""A report of an evaluation as one self-contained HTML file."""

from swiftseg.evaluation.report.measured import report_model

__all__ = ["report_model"]
