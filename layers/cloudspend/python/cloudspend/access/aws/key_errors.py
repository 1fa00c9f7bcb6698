"""Error codes of access keys."""

# The key is unknown to AWS or disabled, or its secret does not match.
INVALID_KEY = frozenset(
    {
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
