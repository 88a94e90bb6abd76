"""YAML as people write it, in which a key that is given twice is a mistake."""

from typing import Any

import yaml

from swiftseg.core.budgets import MAX_YAML_CHARACTERS, MAX_YAML_DEPTH, MAX_YAML_VALUES

YAML_SUFFIXES = (".yaml", ".yml")


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # PyYAML itself refuses keys that are no plain values
            if (key.tag, key.value) in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key {key.value} is given twice", problem_mark=key.start_mark
                )
            seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> Any:
    """Read one YAML document of plain values.

    Raises:
        yaml.YAMLError: It is none, or a mapping gives a key twice, where PyYAML takes the last; or
            its length, its depth or its values, aliases counted as what they stand for, exceed
            `swiftseg.core.budgets`.
    """
    if len(text) > MAX_YAML_CHARACTERS:
        raise yaml.YAMLError(f"it has more than {MAX_YAML_CHARACTERS} characters")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {}, MAX_YAML_DEPTH)
        return loader.construct_document(node)
    except RecursionError as error:
        raise _too_deep() from error
    # A number or a date that Python cannot hold, or a tag that does not fit what it stands at.
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        raise yaml.YAMLError(f"it holds a value that cannot be read: {error}") from error


def _count(node: yaml.Node, known: dict[int, int], depth: int) -> int:
    """Count the values below a node; raise yaml.YAMLError where they exceed a budget."""
    if depth == 0:  # also where an alias stands within what it stands for
        raise _too_deep()
    if id(node) in known:
        return known[id(node)]
    count = 1
    if isinstance(node, yaml.CollectionNode):
        for child in node.value:
            parts = child if isinstance(child, tuple) else (child,)
            count += sum(_count(part, known, depth - 1) for part in parts)
    if count > MAX_YAML_VALUES:
        raise yaml.YAMLError(f"it holds more than {MAX_YAML_VALUES} values")
    known[id(node)] = count
    return count


def _too_deep() -> yaml.YAMLError:
    return yaml.YAMLError(f"it is nested more than {MAX_YAML_DEPTH} times")
