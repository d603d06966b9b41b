"""What AWS makes of template.yaml and of the templates that it nests: JSON on standard output, by file.

SAM's own translator does it, on this machine alone. It is run by the Python it is installed for:

  .local/venv-sam/bin/python infra/local/transform.py
"""

import json
import os
import sys

from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse

from engine import REGION
from layout import ROOT


class NoManagedPolicies:
    """SAM looks a policy up in an AWS account if a function names one. Ours name none."""

    def load(self):
        raise SystemExit("A function has a managed policy: its role cannot be shown without asking AWS.")


def transform(path):
    """The templates by their paths below ROOT, each one before those that it nests."""
    validator = SamTemplateValidator(yaml_parse(path.read_text()), NoManagedPolicies(), region=REGION)
    template = yaml_parse(validator.get_translated_template_if_valid())
    nested = [resource["Properties"]["TemplateURL"] for resource in template["Resources"].values()
              if resource["Type"] == "AWS::CloudFormation::Stack"]
    templates = {str(path.relative_to(ROOT)): template}
    for url in nested:
        templates |= transform(path.parent / url)
    return templates


if __name__ == "__main__":
    # A profile of the user's, which may not even exist, has no say here.
    os.environ.pop("AWS_PROFILE", None)
    json.dump(transform(ROOT / "template.yaml"), sys.stdout, indent=1)
