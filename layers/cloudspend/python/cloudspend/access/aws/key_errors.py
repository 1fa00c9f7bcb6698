"""Error codes of access keys that AWS does not accept."""

# The key does not exist (any more) or is inactive, or its secret does not match (API references of
# AWS STS and AWS IAM, "Common errors").
INVALID_KEY = frozenset(
    {
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
