"""Which subcharts take part: alias, version, tags, conditions; and the values that a chart imports from them."""

from __future__ import annotations

import attrs

from k8snetlint.source.text import Place

from .chart import Chart, Dependency
from .coalescing import coalesced, overlay
from .functions.maps import copied
from .functions.versions import satisfies
from .values import GoMap, Value, plain_map, text_of


def process_dependencies(chart: Chart, values: dict[str, Value]) -> list[tuple[str, Place | None]]:
    """Takes out the subcharts that values disable, applies aliases and imports values. What is missing is said."""
    problems: list[tuple[str, Place | None]] = []
    _process_enabled(chart, values, "", problems)
    _process_imports(chart)
    return problems


def _process_enabled(
    chart: Chart, values: dict[str, Value], path: str, problems: list[tuple[str, Place | None]]
) -> None:
    if not chart.lists_dependencies:
        return
    # A subchart of another version than the one asked for takes part under its own name.
    kept = [
        subchart
        for subchart in chart.subcharts
        if not any(
            dependency.name == subchart.name and _is_compatible(dependency.version, subchart.version)
            for dependency in chart.dependencies
        )
    ]
    names = {subchart.name for subchart in chart.subcharts}
    present: set[int] = set()
    for dependency in chart.dependencies:
        found = _subchart_of(chart.subcharts, dependency)
        if found is not None:
            kept.append(found)
            present.add(id(dependency))
        elif dependency.name in names:
            present.add(id(dependency))
        if dependency.alias:
            dependency.name = dependency.alias
    chart.subcharts = kept
    together = coalesced(chart, values)
    for dependency in chart.dependencies:
        dependency.enabled = _enabled_by_tags(dependency, together)
        switch = _enabled_by_condition(dependency, together, path)
        dependency.enabled = dependency.enabled if switch is None else switch
        # Of the subcharts' own dependencies Helm asks nothing: the root usually brings them along.
        if dependency.enabled and id(dependency) not in present and not path:
            message = f"subchart `{dependency.name}` {dependency.version} is not in charts/: what it makes is not known"
            problems.append((message.replace("  ", " "), dependency.place))
    disabled = {dependency.name for dependency in chart.dependencies if not dependency.enabled}
    chart.subcharts = [subchart for subchart in chart.subcharts if subchart.name not in disabled]
    chart.dependencies = [dependency for dependency in chart.dependencies if dependency.name not in disabled]
    for subchart in chart.subcharts:
        _process_enabled(subchart, together, f"{path}{subchart.name}.", problems)


def _subchart_of(subcharts: list[Chart], dependency: Dependency) -> Chart | None:
    for subchart in subcharts:
        if subchart.name == dependency.name and _is_compatible(dependency.version, subchart.version):
            # One chart may stand under several aliases: each has its own dependencies and values.
            return attrs.evolve(
                subchart,
                name=dependency.alias or subchart.name,
                dependencies=[attrs.evolve(each) for each in subchart.dependencies],
                subcharts=[_own(each) for each in subchart.subcharts],
            )
    return None


def _own(chart: Chart) -> Chart:
    return attrs.evolve(
        chart, dependencies=[attrs.evolve(each) for each in chart.dependencies], subcharts=list(chart.subcharts)
    )


def _is_compatible(constraint: str, version: str) -> bool:
    try:
        return satisfies(constraint, version)
    except ValueError:
        return not constraint


def _found(values: dict[str, Value], path: str) -> Value:
    value: Value = values
    for step in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def _enabled_by_condition(dependency: Dependency, values: dict[str, Value], path: str) -> bool | None:
    for condition in dependency.condition.strip().split(","):
        if condition:
            value = _found(values, path + condition.strip())
            if isinstance(value, bool):
                return value
    return None


def _enabled_by_tags(dependency: Dependency, values: dict[str, Value]) -> bool:
    tags = values.get("tags")
    if not isinstance(tags, dict):
        return True
    switches = [tags[tag] for tag in dependency.tags if isinstance(tags.get(tag), bool)]
    return any(switches) or not switches


def _process_imports(chart: Chart) -> None:
    for subchart in chart.subcharts:
        _process_imports(subchart)
    # What nobody imports is put together all the same: nulls and globals come out of it otherwise.
    if not chart.dependencies:
        return
    together = coalesced(chart, plain_map({}), merge=True)
    imported = plain_map({})
    for dependency in chart.dependencies:
        for entry in dependency.imports:
            if isinstance(entry, dict):
                child, parent = text_of(entry.get("child")), text_of(entry.get("parent"))
            elif isinstance(entry, str):
                child, parent = f"exports.{entry}", "."
            else:
                continue
            table = _found(together, f"{dependency.name}.{child}")
            if isinstance(table, GoMap):
                imported = overlay(imported, _at(parent, table), merge=True)
    own = copied(together)
    assert isinstance(own, GoMap)
    chart.values = overlay(own, imported, merge=True)


def _at(path: str, values: GoMap) -> GoMap:
    if path == ".":
        return values
    for step in reversed(path.split(".")):
        values = plain_map({step: values})
    return values
