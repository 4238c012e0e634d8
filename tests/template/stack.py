"""What CloudFormation makes of a template and a choice of parameters."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from local.template import Template

R2 = {
    "StorageProvider": "r2",
    "R2Endpoint": "https://account.r2.cloudflarestorage.com",
    "R2SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys-AbCdEf",
    "R2UploadsBucket": "uploads",
    "R2StemsBucket": "stems",
}
QUEUE = {
    "R2QueueId": "queue",
    "R2QueueSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:token-AbCdEf",
    "CloudflareAccountId": "account",
}
WEBHOOK = {"R2Webhook": "true"}

_NO_VALUE = {"Ref": "AWS::NoValue"}


class Stack:
    """A template with its parameters chosen.

    Parameters
    ----------
    template
        In its long form.
    chosen
        The parameters that are not left at their defaults.
    """

    def __init__(self, template: Template, chosen: dict[str, str]) -> None:
        self._template = template
        self._chosen = chosen
        self._parameters = {
            name: str(parameter.get("Default", "")) for name, parameter in template["Parameters"].items()
        } | chosen

    def holds(self, expression: Any) -> Any:
        """The value of a condition's expression."""
        if not isinstance(expression, dict):
            return expression
        ((function, argument),) = expression.items()
        match function:
            case "Ref":
                return self._parameters[argument]
            case "Condition":
                return self.holds(self._template["Conditions"][argument])
            case "Fn::Equals":
                left, right = argument
                return self.holds(left) == self.holds(right)
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::And":
                return all(self.holds(part) for part in argument)
            case "Fn::Or":
                return any(self.holds(part) for part in argument)
        raise AssertionError(f"unknown: {function}")

    def conditional(self) -> set[str]:
        """The conditional resources that are there."""
        return {
            name
            for name, resource in self._template["Resources"].items()
            if "Condition" in resource and self.holds({"Condition": resource["Condition"]})
        }

    def refusals(self) -> list[str]:
        """What the rules have against the parameters."""
        return [
            assertion["AssertDescription"]
            for rule in self._template["Rules"].values()
            if self.holds(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self.holds(assertion["Assert"])
        ]

    def resolved(self) -> Template:
        """The template with its conditions decided; what is left of its parameters has the chosen values."""
        template = copy.deepcopy(self._template)
        for name in ("Metadata", "Rules", "Conditions"):
            template.pop(name, None)
        for section in ("Resources", "Outputs"):
            template[section] = {
                name: self._decided({key: value for key, value in item.items() if key != "Condition"})
                for name, item in template[section].items()
                if self.holds({"Condition": item["Condition"]} if "Condition" in item else True)
            }
        words = set(re.findall(r"\w+", json.dumps([template["Resources"], template["Outputs"]])))
        template["Parameters"] = {
            name: parameter | ({"Default": self._chosen[name]} if name in self._chosen else {})
            for name, parameter in template["Parameters"].items()
            if name in words
        }
        return template

    def _decided(self, item: Any) -> Any:
        if isinstance(item, list):
            return [part for part in map(self._decided, item) if part != _NO_VALUE]
        if not isinstance(item, dict):
            return item
        if "Fn::If" in item:
            condition, yes, no = item["Fn::If"]
            return self._decided(yes if self.holds({"Condition": condition}) else no)
        decided = {key: self._decided(value) for key, value in item.items()}
        return {key: value for key, value in decided.items() if value != _NO_VALUE}
