"""Run by the environment that has SAM: expands template.yaml as AWS does, and lints what comes of it.

``expand.py expand template.yaml`` reads choices of parameters, ``expand.py lint`` templates, both as JSON in
a list; each writes what it found, in the same order.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any


class Warnings(logging.Handler):
    """All that is said at WARNING or above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # SAM's own metrics are for AWS alone.
        if record.name != "samtranslator.metrics.metrics":
            self.said.append(record.getMessage())


class NoPolicies:
    """AWS's managed policies, which the template names none of."""

    def load(self) -> dict[str, str]:
        return {}


def expand(path: Path, choices: list[dict[str, str]]) -> list[dict[str, Any]]:
    from samcli.lib.translate.sam_template_validator import SamTemplateValidator
    from samcli.yamlhelper import yaml_parse

    expanded = []
    for chosen in choices:
        handler = Warnings()
        logging.getLogger().addHandler(handler)
        with warnings.catch_warnings(record=True) as warned:
            source = yaml_parse(path.read_text(encoding="utf-8"))
            validator = SamTemplateValidator(
                source, NoPolicies(), region="us-east-1", parameter_overrides=chosen
            )
            template = yaml_parse(validator.get_translated_template_if_valid())
        logging.getLogger().removeHandler(handler)
        said = handler.said + [str(warning.message) for warning in warned]
        expanded.append({"template": template, "warnings": said})
    return expanded


def lint(templates: list[dict[str, Any]]) -> list[list[str]]:
    import cfnlint.api

    return [
        [
            f"{match.rule.id} {match.message}"
            for match in cfnlint.api.lint(json.dumps(template), regions=["us-east-1"])
        ]
        for template in templates
    ]


if __name__ == "__main__":
    given = json.load(sys.stdin)
    found: Any = expand(Path(sys.argv[2]), given) if sys.argv[1] == "expand" else lint(given)
    json.dump(found, sys.stdout)
