"""What the console reads out of a quick-create link."""

from urllib.parse import quote

import pytest

from local.world.console import QuickCreate

TEMPLATE = "https://a-bucket.s3.us-east-1.amazonaws.com/folder/template.yaml"


def link(
    template: str = TEMPLATE, path: str = "/stacks/quickcreate", query: str = "region=us-east-1"
) -> str:
    fragment = (
        f"{path}?templateURL={quote(template, safe='')}&stackName=cloudspend&param_Name=a%20b"
    )
    return f"https://us-east-1.console.aws.amazon.com/cloudformation/home?{query}#{fragment}"


def test_everything_comes_out_of_the_link() -> None:
    assert QuickCreate.parse(link()) == QuickCreate(
        region="us-east-1",
        template_bucket="a-bucket",
        template_key="folder/template.yaml",
        stack_name="cloudspend",
        parameters={"Name": "a b"},
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (link(path="/stacks/create"), "quick-create"),
        (link(query="lang=en"), "region"),
        (link(template="https://example.com/template.yaml"), "S3"),
        (link(template="http://a-bucket.s3.us-east-1.amazonaws.com/template.yaml"), "S3"),
        (link().replace("&stackName=cloudspend", ""), "stackName"),
        (link() + "&param_Long=" + "x" * 1024, "1024"),
    ],
)
def test_what_the_console_would_not_follow(wrong: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        QuickCreate.parse(wrong)
