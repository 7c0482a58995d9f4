"""Where in a YAML text a key stands, for errors that people can find."""

from collections.abc import Iterator

import yaml

Path = tuple[str | int, ...]


def line_of(root: yaml.Node | None, path: Path) -> int:
    """Return the line of a path, or of its nearest part that exists."""
    line = 1
    node = root
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        line, node = found
    return line


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


def _child(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        value = node.value[step]
        return value.start_mark.line + 1, value
    return None
