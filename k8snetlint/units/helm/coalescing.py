"""Values of charts and their subcharts put together: what the parent says stands above what the subchart says."""

from __future__ import annotations

from .chart import Chart
from .functions.maps import copied
from .values import GoMap, TemplateError, Value, plain_map, put

GLOBAL = "global"


def coalesced(chart: Chart, values: dict[str, Value], *, merge: bool = False) -> GoMap:
    """The given values with the defaults of a chart and of its subcharts below them.

    A null among the given ones removes a default, unless `merge` keeps it. Raises TemplateError where a subchart's
    values are no mapping.
    """
    target = copied(values)
    assert isinstance(target, GoMap)
    _with_chart(chart, target, merge)
    return target


def _with_chart(chart: Chart, target: GoMap, merge: bool) -> None:
    _with_defaults(chart, target, merge)
    for subchart in chart.subcharts:
        own = target.get(subchart.name)
        if subchart.name not in target:
            own = target[subchart.name] = plain_map({})
        if not isinstance(own, GoMap):
            raise TemplateError(f"the values of subchart `{subchart.name}` are no mapping")
        _with_globals(own, target)
        _with_chart(subchart, own, merge)


def _with_defaults(chart: Chart, target: GoMap, merge: bool) -> None:
    defaults = copied(chart.values)
    assert isinstance(defaults, GoMap)
    subcharts = {subchart.name for subchart in chart.subcharts}
    for key, default in defaults.items():
        if key not in target:
            if merge or default is not None:
                if not merge:
                    _drop_nulls(default)
                put(target, defaults, key, default)
            continue
        given = target[key]
        if given is None and not merge:
            del target[key]
        elif isinstance(given, GoMap) and isinstance(default, GoMap):
            keeps_nulls = merge or key in subcharts
            if not keeps_nulls:
                _drop_nulls(default)
            overlay(given, default, merge=keeps_nulls)


def _with_globals(own: GoMap, outer: GoMap) -> None:
    """Puts the globals of the outer values over those of a subchart's."""
    below = own.get(GLOBAL) if GLOBAL in own else plain_map({})
    above = outer.get(GLOBAL) if GLOBAL in outer else plain_map({})
    if not isinstance(below, GoMap) or not isinstance(above, GoMap):
        return
    for key, item in above.items():
        old = below.get(key)
        if isinstance(item, GoMap):
            shallow = GoMap.like(item, item)
            if key not in below:
                below[key] = shallow
            elif isinstance(old, GoMap):
                overlay(shallow, old, merge=True)
                below[key] = shallow
        elif not isinstance(old, dict):
            put(below, above, key, item)
    own[GLOBAL] = below


def overlay(target: GoMap, source: GoMap, *, merge: bool) -> GoMap:
    """Fills a mapping from another where it says nothing itself; a null of the target removes the entry unless `merge`."""
    nulls = {key for key, item in source.items() if item is None}
    items: list[tuple[str, Value]] = list(source.items())
    items = [(key, None if key in target and target[key] is None else item) for key, item in items]
    items += [(key, None) for key, item in target.items() if item is None and key not in source]
    for key, item in items:
        has = key in target
        old = target.get(key)
        if has and old is None and not merge and key in source and key not in nulls:
            del target[key]
        elif not has:
            put(target, source, key, item)
        elif isinstance(item, GoMap) and isinstance(old, GoMap):
            overlay(old, item, merge=merge)
    return target


def _drop_nulls(value: Value) -> None:
    if isinstance(value, dict):
        for key in [key for key, item in value.items() if item is None]:
            del value[key]
        for item in value.values():
            _drop_nulls(item)
