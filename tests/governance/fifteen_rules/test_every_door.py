"""No rule loses its tests unnoticed: each is tried over REST and on a page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RULES = range(1, 16)


@pytest.mark.slow
def test_every_rule_is_tried_over_rest_and_on_a_page() -> None:
    asked = [sys.executable, "-m", "pytest", "--collect-only", "-n", "0", "-m", "", str(HERE)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=HERE.parents[2])
    found = re.findall(r"::test_rule_(\d+)_\w+\[(rest|page)[-\]]", done.stdout)
    wanted = {(str(rule), door) for rule in RULES for door in ("rest", "page")}
    assert wanted - set(found) == set()
