"""Reads the imports of all modules and holds them to the table in docs/architecture.md."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = "sprite_obs"
PATHS = [*(ROOT / PACKAGE).rglob("*.py"), *(ROOT / "agents").glob("*.py")]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removeprefix(f"{PACKAGE}."): path
    for path in PATHS
}
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \|", re.MULTILINE)
TABLE = {
    name: [] if row == "nothing" else row.split(", ")
    for name, row in ROW.findall((ROOT / "docs" / "architecture.md").read_text())
}


def imports(path: Path) -> set[str]:
    """Returns what a file imports of the package, inside functions too; "" is the package root."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path} has a relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in names if name.removeprefix(f"{PACKAGE}.") in FILES}
            found |= modules or {node.module}
    return {name[len(PACKAGE) + 1 :] for name in found if is_within(name, PACKAGE)}


def is_within(name: str, prefix: str) -> bool:
    return f"{name}.".startswith(f"{prefix}.")


def part(module: str) -> str:
    return module.partition(".")[0]


IMPORTS = {module: imports(path) for module, path in FILES.items()}


def test_the_table_names_all_parts_and_no_other():
    assert set(TABLE) == {part(module) for module in FILES}


def test_modules_import_only_what_the_table_allows():
    offences = [
        f"{module} imports {name or 'the package root'}"
        for module, names in IMPORTS.items()
        for name in names
        if TABLE[part(module)] != ["everything"] or not name
        if not any(is_within(name, allowed) for allowed in [part(module), *TABLE[part(module)]])
    ]
    assert offences == []


def test_imports_form_no_cycle():
    TopologicalSorter(IMPORTS).prepare()


def test_what_plays_never_reaches_what_learns():
    reached: set[str] = set()
    ahead = {"wrapper"} | {module for module in FILES if part(module) == "extractors"}
    while ahead:
        reached |= ahead
        ahead = {name for module in ahead for name in IMPORTS[module]} - reached
    assert {part(module) for module in reached} & {
        "frames",
        "discover",
        "pretrain",
        "commands",
        "cli",
    } == set()
