"""Identifiers as people say them."""


def role_words(role: str) -> str:
    """Return a role's name in a sentence, such as `ML engineer` for `ml_engineer`."""
    return role.replace("_", " ").replace("ml ", "ML ")


def review_words(gate: str) -> str:
    """Return what the review at a gate is called, such as `experiment review` or `data review`."""
    return gate.replace("_", " ").replace("-", " ").removesuffix(" review") + " review"
