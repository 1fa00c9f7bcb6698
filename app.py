"""The CDK application: every stack of CloudSpend, in the order of the data."""

import sys
from pathlib import Path

from aws_cdk import App, Aws, Validations
from cdk_nag import AwsSolutionsChecks

from cloudspend.errors import UsageError
from stacks.alerts_stack import AlertsStack
from stacks.collect_stack import CollectStack
from stacks.customer_stack import write_template
from stacks.findings_stack import FindingsStack
from stacks.ingest_stack import IngestStack
from stacks.lake_stack import LakeStack
from stacks.members_stack import write_members_template
from stacks.offboarding_stack import OffboardingStack
from stacks.onboarding_stack import OnboardingStack
from stacks.schemas_stack import SchemasStack
from stacks.stack_context import StackContext
from stacks.stage import Stage, chosen
from stacks.sweep_stack import SweepStack


def build(app: App, stage: Stage) -> App:
    """Add every stack to `app`. Synthesis fails at a finding of cdk-nag without a reason."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    settings = stage.settings(Aws.ACCOUNT_ID, Aws.REGION, Aws.PARTITION)
    folder = Path(app.outdir)
    templates = [write_template(folder / "customer"), write_members_template(folder / "members")]
    lake = LakeStack(app, "cloudspend-lake", stage=stage, settings=settings)
    alerts = AlertsStack(app, "cloudspend-alerts", stage=stage, settings=settings, lake=lake)
    ground = StackContext(stage, settings, lake, alerts)
    ingest = IngestStack(app, "cloudspend-ingest", ground=ground)
    onboarding = OnboardingStack(app, "cloudspend-onboarding", ground=ground, templates=templates)
    onboarding.add_stack_dependency(ingest)
    sweep = SweepStack(app, "cloudspend-sweep", ground=ground, ingest=ingest)
    FindingsStack(app, "cloudspend-findings", ground=ground, sweep=sweep)
    CollectStack(app, "cloudspend-collect", ground=ground)
    OffboardingStack(app, "cloudspend-offboarding", ground=ground)
    SchemasStack(app, "cloudspend-schemas")
    return app


def main() -> None:
    app = App(analytics_reporting=False)
    try:
        build(app, chosen(app.node)).synth()
    except UsageError as error:
        sys.exit(error.sentence)


if __name__ == "__main__":
    main()
