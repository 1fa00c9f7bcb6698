"""Custom resource of the deployment: copy a template to where the link points."""

from typing import Any

from cloudspend import wiring
from cloudspend.wiring import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    status, reason = "SUCCESS", "The template is in place."
    platform = wiring.platform()
    properties = event["ResourceProperties"]
    try:
        if event["RequestType"] == "Delete":
            platform.remove_template(properties["Template"])
        else:
            platform.copy_template(properties["Template"], properties["Bucket"], properties["Key"])
    except wiring.AWS_ERRORS as error:
        status, reason = "FAILED", f"The template could not be copied: {error}"
    platform.responder.put(
        event["ResponseURL"],
        {
            "Status": status,
            "Reason": reason,
            "PhysicalResourceId": "customer-template",
            **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
        },
    )
