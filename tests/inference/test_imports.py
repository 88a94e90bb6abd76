import subprocess
import sys

LOOK = """
import sys
import swiftseg.inference
unused = {"yaml", "pydantic", "rich", "av", "swiftseg.data.opening"}
sys.exit(", ".join(sorted(unused & set(sys.modules))) or None)
"""


def test_segmenting_imports_no_reader_of_data_sets_and_no_table():
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
