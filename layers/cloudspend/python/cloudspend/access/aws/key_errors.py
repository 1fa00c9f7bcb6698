"""Error codes of access keys."""

# A key that AWS does not know (any more) or that is disabled, or a secret that does not match it.
INVALID_KEY = frozenset(
    {
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
