"""Numba's cache mixes up functions that return arrays and are called in two ways.

A process that loads from the cache a compiled function that Python calls, and one that calls it
from compiled code, may fail with "numpy array: descr is NULL". So no function is used in both ways.
"""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "sprite_obs"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): ast.parse(path.read_text())
    for path in PACKAGE.rglob("*.py")
}


def is_compiled(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any("njit" in ast.unparse(decorator) for decorator in decorators)


def names_of(module: str) -> dict[str, tuple[str, str]]:
    """Returns where the functions that a module can call by name are defined."""
    names = {}
    for node in ast.walk(MODULES[module]):
        for name in node.names if isinstance(node, ast.ImportFrom) else ():
            called, whole = name.asname or name.name, f"{node.module}.{name.name}"
            if node.module in MODULES:
                names[called] = node.module, name.name
            for function in MODULES[whole].body if whole in MODULES else ():
                if isinstance(function, ast.FunctionDef):
                    names[f"{called}.{function.name}"] = whole, function.name
    own = [node for node in MODULES[module].body if isinstance(node, ast.FunctionDef)]
    return names | {node.name: (module, node.name) for node in own}


def calls(node: ast.AST, compiled: bool = False) -> list[tuple[str, bool]]:
    """Returns the names that are called, and whether compiled code does it."""
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            found.append((ast.unparse(child.func), compiled))
        inside = is_compiled(child) if isinstance(child, ast.FunctionDef) else compiled
        found += calls(child, inside)
    return found


def test_no_function_that_returns_arrays_is_called_from_python_and_compiled():
    returns = {
        (module, node.name): ast.unparse(node.returns) if node.returns else "not said"
        for module, tree in MODULES.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and is_compiled(node)
    }
    callers: dict[tuple[str, str], set[bool]] = {place: set() for place in returns}
    for module, tree in MODULES.items():
        names = names_of(module)
        for name, compiled in calls(tree):
            if names.get(name) in callers:
                callers[names[name]].add(compiled)
    assert sum(bool(ways) for ways in callers.values()) > 50
    both = {place: returns[place] for place, ways in callers.items() if len(ways) == 2}
    assert both and not [place for place, type in both.items() if "ndarray" in type]
    assert "not said" not in both.values()
