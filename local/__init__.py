"""template.yaml on this machine: MiniStack plays AWS, and every function runs from its source folder."""

import sys
from pathlib import Path

# Neither is installed here. Models and the example song are separation's to fetch; the demo is the command's.
for folder in ("functions/separate", "cli/src"):
    sys.path.append(str(Path(__file__).resolve().parents[1] / folder))
