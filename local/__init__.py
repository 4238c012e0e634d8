"""template.yaml on this machine: MiniStack plays AWS, and every function runs from its source folder."""

import sys
from pathlib import Path

# The functions are folders, not installed packages; models and the example song are separation's to fetch.
sys.path.append(str(Path(__file__).resolve().parents[1] / "functions/separate"))
