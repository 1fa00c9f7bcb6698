"""Settings of every test: fake credentials, no AWS, and one hypothesis profile."""

import os

from hypothesis import HealthCheck, settings

for _name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
    del os.environ[_name]

os.environ.update(
    AWS_ACCESS_KEY_ID="000000000000",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
    POWERTOOLS_TRACE_DISABLED="true",
)

# The speed of a busy machine is not a property of the code under test.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# `make fuzz`: many new examples for the tests of test_convert_fuzz.py.
settings.register_profile("fuzz", max_examples=3000, deadline=None)
settings.load_profile("tests")
