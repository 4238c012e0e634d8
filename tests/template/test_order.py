"""template.yaml can be read: a table of contents, and a section for each function with all that is its."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.template import Template
from tests.template.parts import FUNCTIONS


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    """The resources as they are written."""
    whole = (root / "template.yaml").read_text(encoding="utf-8")
    return whole[whole.index("\nResources:\n") : whole.index("\nOutputs:\n")]


@pytest.fixture(scope="module")
def sections(text: str) -> dict[str, list[str]]:
    """The resources under each heading, by the heading's first word; those before the first under none."""
    sections: dict[str, list[str]] = {}
    heading = ""
    for word, name in re.findall(r"^  (?:# ---- (\w+):.*|(\w+):)$", text, re.MULTILINE):
        heading = word or heading
        sections.setdefault(heading, []).extend([name] if name else [])
    return sections


def mentioned(item: Any, names: dict[str, Any], kind: str) -> list[str]:
    """The resources of a kind that something refers to, however it does."""
    words = set(re.findall(r"\w+", json.dumps(item)))
    return [name for name, resource in names.items() if resource["Type"] == kind and name in words]


def belongings(function: str, resources: dict[str, Any]) -> list[str]:
    """The function and what is there for it alone, in the order in which it is to be read."""
    own = resources[function]["Properties"]
    mappings = [
        name
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::EventSourceMapping"
        and resource["Properties"]["FunctionName"] == {"Ref": function}
    ]
    sources = [own.get("EventInvokeConfig"), *(resources[name] for name in mappings)]
    queues = mentioned(sources, resources, "AWS::SQS::Queue")
    dead_letters = mentioned([resources[name] for name in queues], resources, "AWS::SQS::Queue")
    logs = mentioned(own["LoggingConfig"], resources, "AWS::Logs::LogGroup")
    return [function, *mappings, *queues, *dead_letters, *logs]


def test_the_table_of_contents_has_the_headings(text: str) -> None:
    headings = re.findall(r"^  # ---- (.+?) -+$", text, re.MULTILINE)
    assert re.findall(r"^  #   (.+)$", text, re.MULTILINE) == headings
    assert len({heading.split(":")[0] for heading in headings}) == len(headings)


def test_every_resource_is_in_a_section(sections: dict[str, list[str]], resources: dict[str, Any]) -> None:
    assert "" not in sections
    assert [name for section in sections.values() for name in section] == list(resources)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_functions_section_has_all_that_belongs_to_it(
    sections: dict[str, list[str]], resources: dict[str, Any], function: str
) -> None:
    section = sections[function.removesuffix("Function").lower()]
    expected = belongings(function, resources)
    assert [name for name in section if name in expected] == expected
    assert (section[0], section[-1]) == (expected[0], expected[-1])


def access_logs(resources: dict[str, Any]) -> dict[str, str]:
    """The log of each API that writes one."""
    return {
        name: log
        for name, api in resources.items()
        for log in mentioned(api["Properties"].get("AccessLogSettings"), resources, "AWS::Logs::LogGroup")
    }


def test_an_apis_log_follows_it(resources: dict[str, Any]) -> None:
    names = list(resources)
    for api, log in access_logs(resources).items():
        assert names.index(log) == names.index(api) + 1


def test_each_queue_and_log_belongs_to_one_function(resources: dict[str, Any]) -> None:
    # Else the tests above would not look for it.
    owned = [name for function in FUNCTIONS for name in belongings(function, resources)]
    owned += access_logs(resources).values()
    kinds = {resources[name]["Type"] for name in owned}
    assert sorted(owned) == sorted(name for name, resource in resources.items() if resource["Type"] in kinds)
    assert kinds == {
        "AWS::Serverless::Function",
        "AWS::Lambda::EventSourceMapping",
        "AWS::SQS::Queue",
        "AWS::Logs::LogGroup",
    }


def test_all_that_watches_is_in_the_last_section(
    sections: dict[str, list[str]], resources: dict[str, Any]
) -> None:
    kinds = ("AWS::CloudWatch::", "AWS::Budgets::")
    watching = [name for name, resource in resources.items() if resource["Type"].startswith(kinds)]
    assert sections["watch"] == watching
    assert list(sections)[-1] == "watch"


def test_outputs_are_in_the_order_of_their_resources(
    template: Template, sections: dict[str, list[str]]
) -> None:
    places = {name: place for place, section in enumerate(sections.values()) for name in section}
    order = [
        max(places[word] for word in re.findall(r"\w+", json.dumps(output["Value"])) if word in places)
        for output in template["Outputs"].values()
    ]
    assert order == sorted(order)
