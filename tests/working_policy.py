"""The tests' policy with two requirements that take work: a script, and a run done again."""

from pathlib import Path
from typing import Any

import yaml
from django.conf import settings as django_settings

SCRIPT = """
import json, sys
facts = json.load(sys.stdin)
auc = facts["metrics"].get("test_roc_auc", 0)
print(json.dumps({"passed": auc >= 0.7, "message": f"The AUC is {auc}.", "values": {"auc": auc}}))
"""


def install(settings: Any, directory: Path, **changes: Any) -> None:
    """Let the policies of a test be the standard one with a script and a reproduction."""
    text = (Path(django_settings.BASE_DIR) / "tests/policies/standard.yaml").read_text()
    raw = yaml.safe_load(text)
    raw["scripts"] = {"floor": {"source": SCRIPT, "timeout_seconds": 10, **changes}}
    raw["gates"]["validation"]["requirements"] += [
        {
            "key": "floor",
            "check": "script_passes",
            "params": {"script": "floor"},
            "title": "The AUC is not below the floor",
        },
        {"key": "again", "check": "reproducible", "title": "Trained again", "blocking": False},
    ]
    directory.mkdir(exist_ok=True)
    (directory / "standard.yaml").write_text(yaml.safe_dump(raw))
    settings.POLICY_DIR = directory
