"""The doctor: what is wrong with a user's data, and what its masks mean."""

from swiftseg.data.doctor.contact_sheet import contact_sheet, with_ignored
from swiftseg.data.doctor.diagnosis import Diagnosis
from swiftseg.data.doctor.examine import check_data
from swiftseg.data.doctor.structure import check_structure

__all__ = ["Diagnosis", "check_data", "check_structure", "contact_sheet", "with_ignored"]
