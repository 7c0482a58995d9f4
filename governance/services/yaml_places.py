"""Where in a YAML text a key stands, for errors that people can find."""

from collections.abc import Iterator

import yaml

Path = tuple[str | int, ...]


def place_of(root: yaml.Node | None, path: Path) -> tuple[int, int]:
    """Return line and column of a path, or of its nearest part that exists; both begin at 1."""
    place = (1, 1)
    node = root
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        mark, node = found
        place = (mark.line + 1, mark.column + 1)
    return place


def repeated_keys(node: yaml.Node | None, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every key that stands twice in the same mapping."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here = (*path, str(key.value))
            if key.value in seen:
                yield here
            seen.add(key.value)
            yield from repeated_keys(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield from repeated_keys(value, (*path, place))


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        value = node.value[step]
        return value.start_mark, value
    return None
