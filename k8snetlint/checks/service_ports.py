"""Service ports and where they lead."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from k8snetlint.diagnostic import Diagnostic
from k8snetlint.engine import Context, check
from k8snetlint.model.services import Service
from k8snetlint.model.values import is_placeholder


@check("SVC005")
def service_target_port_name_undefined(service: Service, ctx: Context) -> Iterator[Diagnostic]:
    """A targetPort name that no selected container declares."""
    backends = [workload for workload in ctx.cluster.backends(service) if workload.containers]
    if not backends:
        return
    for port in service.ports:
        name = port.target
        if not isinstance(name, str) or name.isdigit() or is_placeholder(name):
            continue
        if any(declared.name == name for workload in backends for declared in workload.ports):
            continue
        names = sorted({declared.name for workload in backends for declared in workload.ports if declared.name})
        near = get_close_matches(name, names, 1)
        known = f"did you mean `{near[0]}`?" if near else f"they declare {_listed(names)}"
        count = f"the {len(backends)} workload{'s' if len(backends) > 1 else ''} it selects"
        path = (*port.path, "targetPort")
        title = f"Use the declared port `{near[0]}`" if near else ""
        yield ctx.report(
            service,
            *path,
            message=f"no container of {count} declares a port named `{name}`; {known}",
            label="no such port name",
            related=[
                ctx.location(workload, *workload.labels_path, label="selected here", key=True)
                for workload in backends[:3]
                if workload.root.get(*workload.labels_path) is not None
            ],
            help=f"name a port that the containers declare, or add `name: {name}` to a container port",
            fix=ctx.fix(title, ctx.replace(service, *path, text=near[0])) if near else None,
        )


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) if names else "no named port"
