"""Identifiers as people say them."""


def role_words(role: str) -> str:
    """Return a role's name in a sentence, such as `ML engineer` for `ml_engineer`."""
    return role.replace("_", " ").replace("ml ", "ML ")
