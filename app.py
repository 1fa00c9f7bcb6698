"""What is deployed: a stage's stacks, data flowing downwards."""

from aws_cdk import App, Aws, Tags

from cloudspend.settings import PREFIX, Settings
from stacks.alerts_stack import AlertsStack
from stacks.ingest_stack import IngestStack
from stacks.lake_stack import LakeStack
from stacks.onboarding_stack import OnboardingStack
from stacks.stage import chosen

app = App()
stage = chosen(app.node)
settings = Settings(
    account_id=Aws.ACCOUNT_ID,
    region=Aws.REGION,
    partition=Aws.PARTITION,
    response_hosts=stage.response_hosts,
)

lake = LakeStack(app, "CloudSpend-Lake", stage=stage, settings=settings)
alerts = AlertsStack(app, "CloudSpend-Alerts", stage=stage, settings=settings, lake=lake)
OnboardingStack(
    app, "CloudSpend-Onboarding", stage=stage, settings=settings, lake=lake, alerts=alerts
)
IngestStack(app, "CloudSpend-Ingest", stage=stage, settings=settings, lake=lake, alerts=alerts)

Tags.of(app).add("application", PREFIX)
app.synth()
