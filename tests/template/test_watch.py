"""What watches the template, docs/operations.md, and what the code counts: each in step with the others."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest

from local.template import Template
from stempipe.observability import COLD_START, Metric
from tests.alarms import Watch
from tests.template.parts import properties
from tests.template.stack import QUEUE, R2, WEBHOOK, Stack

ALARM_KINDS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
OURS = {metric.value[0] for metric in Metric} | {COLD_START}
OF_THE_COMMAND_LINE = {"query", "output", "max-items", "cli-binary-format"}
FULL = {"Monitoring": "full"} | R2 | QUEUE | WEBHOOK


@pytest.fixture(scope="module")
def alarms(resources: dict[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in resources.items() if item["Type"] in ALARM_KINDS}


@pytest.fixture(scope="module")
def operations(root: Path) -> str:
    return (root / "docs/operations.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sections(operations: str) -> dict[str, str]:
    """The sections of alarms, by their names."""
    found = re.split(r"^#+ (.+)$", operations, flags=re.MULTILINE)[1:]
    return {
        heading: text
        for heading, text in zip(found[::2], found[1::2], strict=True)
        if re.fullmatch(r"\w+Alarm|Budget", heading)
    }


def bodies(template: Template) -> dict[str, Any]:
    """What dashboards show, with names of resources for what they refer to."""
    dashboards = properties(template["Resources"], "AWS::CloudWatch::Dashboard")
    texts = {name: item["DashboardBody"]["Fn::Sub"] for name, item in dashboards.items()}
    return {name: json.loads(re.sub(r"\$\{([^}]+)\}", r"\1", text)) for name, text in texts.items()}


def shown(template: Template) -> list[list[Any]]:
    """The metrics of dashboards: namespace, name, dimensions."""
    widgets = [widget for body in bodies(template).values() for widget in body["widgets"]]
    return [metric for widget in widgets for metric in widget["properties"].get("metrics", [])]


def test_every_alarm_names_its_section_and_every_section_its_alarm(
    alarms: dict[str, Any], sections: dict[str, str]
) -> None:
    assert sections.keys() - {"Budget"} == alarms.keys()
    for name, alarm in alarms.items():
        description = alarm["Properties"]["AlarmDescription"]
        assert re.fullmatch(rf"[A-Z].+\. See docs/operations\.md#{name.lower()}\.", description)


def test_every_section_says_what_it_means_what_to_look_at_and_what_to_do(sections: dict[str, str]) -> None:
    for name, text in sections.items():
        words = re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE)
        assert words == ["Means", "Look", "Do"], name
        look = text[text.index("**Look.**") : text.index("**Do.**")]
        assert re.search(r"^    \S", look, re.MULTILINE), f"{name}: no command"


def test_commands_name_what_is_there(template: Template, operations: str) -> None:
    resources, outputs = template["Resources"], template["Outputs"]
    commands = "\n".join(re.findall(r"^    .*$", operations, re.MULTILINE))
    assert set(re.findall(r"\breal (\w+)", commands)) <= resources.keys()
    assert set(re.findall(r"\bout (\w+)", commands)) <= outputs.keys()
    assert set(re.findall(r"\blogs_of (\w+)", commands)) <= {
        name.removesuffix("LogGroup") for name in properties(resources, "AWS::Logs::LogGroup")
    }


def test_commands_look_for_lines_that_are_logged(root: Path, operations: str) -> None:
    commands = "\n".join(re.findall(r"^    .*$", operations, re.MULTILINE))
    code = [*root.glob("layers/common/python/stempipe/**/*.py"), *root.glob("functions/*/app.py")]
    said = re.compile(r'logger\.\w+\(\s*"([^"]+)"')
    logged = [message for file in code for message in said.findall(file.read_text(encoding="utf-8"))]
    wanted = re.findall(r"""'"([A-Z][^"']*)("?)'""", commands)
    assert len(wanted) > 8
    for words, end in wanted:
        assert any(line == words if end else line.startswith(words) for line in logged), words


def test_commands_are_awss_own(operations: str) -> None:
    session = botocore.session.get_session()
    commands = operations.replace("\\\n", " ")
    found = re.findall(r"\baws ([a-z\d]+) ([a-z\d-]+)([^\n|;`]*)", commands)
    assert len(found) > 40
    for service, operation, rest in found:
        if (service, operation) == ("logs", "tail"):  # the command line's alone
            continue
        model = session.get_service_model(service.removesuffix("api"))
        names = {botocore.xform_name(name, "-"): name for name in model.operation_names}
        shape = model.operation_model(names[operation]).input_shape
        known = {botocore.xform_name(name, "-") for name in shape.members} if shape else set()
        options = {name.removeprefix("no-") for name in re.findall(r"\s--([a-z-]+)", rest)}
        assert options - OF_THE_COMMAND_LINE <= known, f"{service} {operation}"


def test_commands_are_a_shells(operations: str) -> None:
    blocks = re.findall(r"(?:^    .*\n)+", operations, re.MULTILINE)
    commands = "\n".join(block for block in blocks if "─►" not in block)
    checked = subprocess.run(["bash", "-n"], input=commands, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_what_alarms_and_dashboards_show_is_counted_and_what_is_counted_is_shown(
    template: Template, operations: str
) -> None:
    watch = Watch(template, FULL)
    looked_at = {
        metric.key[1]
        for alarm in watch.alarms.values()
        for metric in alarm.metrics.values()
        if metric.key[0] == "Stempipe"
    }
    on_dashboards = {metric[1] for metric in shown(template) if metric[0] == "Stempipe"}
    assert looked_at <= OURS
    assert on_dashboards == OURS
    for name in OURS:
        assert f"`{name}`" in operations


def test_metrics_are_counted_by_the_stack_alone(template: Template) -> None:
    for namespace, name, *rest in shown(template):
        if namespace == "Stempipe":
            more = {"function_name": "SeparateFunction"} if name == COLD_START else {}
            pairs = dict(zip(rest[:-1:2], rest[1:-1:2], strict=True))
            assert pairs == {"service": "AWS::StackName"} | more
    for alarm in Watch(template, FULL).alarms.values():
        for metric in alarm.metrics.values():
            if metric.key[0] == "Stempipe":
                assert metric.key[2] == {("service", "stempipe")}


def test_metrics_have_one_list(root: Path) -> None:
    code = [*root.glob("layers/common/python/stempipe/**/*.py"), *root.glob("functions/*/app.py")]
    assert len(code) > 40
    counting = [file.stem for file in code if "add_metric(" in file.read_text(encoding="utf-8")]
    assert counting == ["observability"]


def test_whatever_is_left_in_a_queue_that_nobody_works_on_is_told_of(
    template: Template, resources: dict[str, Any]
) -> None:
    worked_on = {
        mapping["EventSourceArn"]["Fn::GetAtt"][0]
        for mapping in properties(resources, "AWS::Lambda::EventSourceMapping").values()
    }
    dead_letters = properties(resources, "AWS::SQS::Queue").keys() - worked_on
    watched = Watch(template, {"Monitoring": "basic"}).alarms.values()
    told_of = [
        queue
        for alarm in watched
        if alarm.name.endswith("DeadLetterAlarm")
        for metric in alarm.metrics.values()
        for _, queue in metric.key[2]
    ]
    # By the queue's own name: an alarm of another stack tells of that one's alone.
    assert sorted(told_of) == sorted(dead_letters)


def test_every_alarm_tells_the_topic_and_the_composite_wakes_somebody(alarms: dict[str, Any]) -> None:
    for alarm in alarms.values():
        actions = alarm["Properties"]["AlarmActions"]
        if alarm["Type"] == "AWS::CloudWatch::Alarm":
            assert actions["Fn::If"][:2] == ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}]]
        else:
            (action,) = actions
            assert action["Fn::If"][:2] == ["HasPagerTopic", {"Ref": "PagerTopicArn"}]


def test_one_can_have_none_some_or_all_of_it_and_its_cost_is_said(
    template: Template, operations: str
) -> None:
    def resources(chosen: dict[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = Stack(template, chosen).resolved()["Resources"]
        return found

    def kinds(level: str) -> list[str]:
        return [item["Type"] for item in resources({"Monitoring": level}).values()]

    assert not [kind for kind in kinds("none") if kind.startswith(("AWS::CloudWatch", "AWS::Budgets"))]
    for level in ("basic", "full"):
        # An alarm costs as much as it has metrics.
        metrics = sum(len(alarm.metrics) for alarm in Watch(template, {"Monitoring": level}).alarms.values())
        row = f"| `{level}` | {kinds(level).count(ALARM_KINDS[0])} alarms of {metrics} metrics"
        assert row in operations
    assert kinds("basic").count(ALARM_KINDS[1]) == 1


def test_what_pages_is_there_with_the_page(resources: dict[str, Any], template: Template) -> None:
    (members,) = Watch(template, {"Monitoring": "basic"}).composites.values()
    assert members
    for name in members:
        assert resources[name]["Condition"] == resources["ServingAlarm"]["Condition"] == "Watch"


def test_thresholds_follow_from_the_workers_time(template: Template, resources: dict[str, Any]) -> None:
    seconds = template["Mappings"]["Times"]["Separate"]["FunctionTimeout"]
    assert resources["WorkerTimeAlarm"]["Properties"]["Threshold"] == 0.8 * seconds * 1000
    assert resources["WorkerSpeedAlarm"]["Properties"]["Threshold"] == 0.8 * seconds
    # No song is worked on for so long that the messages behind it seem to wait for nobody.
    waiting = Watch(template, {"Monitoring": "basic"}).alarms["JobsWaitingAlarm"]
    assert waiting.periods * waiting.period >= 0.8 * seconds


def test_what_counts_as_the_accounts_limit_is_a_new_accounts(template: Template) -> None:
    parameters = template["Parameters"]
    assert parameters["AccountConcurrency"]["Default"] == 10


def test_dashboards_show_the_alarms_that_are_there(template: Template) -> None:
    widgets = bodies(template)["ServingDashboard"]["widgets"]
    (widget,) = (widget for widget in widgets if widget["type"] == "alarm")
    named = {name.removesuffix(".Arn") for name in widget["properties"]["alarms"]}
    watch = Watch(template, {"Monitoring": "basic"})
    assert named == {*watch.alarms, *watch.composites}


def test_no_widget_lies_over_another(template: Template) -> None:
    for body in bodies(template).values():
        taken: set[tuple[int, int]] = set()
        for widget in body["widgets"]:
            cells = {
                (x, y)
                for x in range(widget["x"], widget["x"] + widget["width"])
                for y in range(widget["y"], widget["y"] + widget["height"])
            }
            assert max(x for x, _ in cells) < 24
            assert taken.isdisjoint(cells)
            taken |= cells


def test_whoever_is_told_to_go_on_is_not_taken_for_a_loop(resources: dict[str, Any]) -> None:
    # A worker sends the next job's message to the queue of its own: Lambda would stop the seventeenth.
    assert resources["SeparateFunction"]["Properties"]["RecursiveLoop"] == "Allow"


def test_no_bucket_tells_a_function_of_what_it_puts_there_itself(resources: dict[str, Any]) -> None:
    assert "NotificationConfiguration" not in resources["StemsBucket"]["Properties"]
    told = [
        name
        for name, function in properties(resources, "AWS::Serverless::Function").items()
        if any(event["Type"] == "S3" for event in function.get("Events", {}).values())
    ]
    assert told == ["IntakeFunction"]
    may = json.dumps(resources["IntakeFunction"]["Properties"]["Policies"])
    assert "s3:PutObject" not in may
