"""A packet's way over ports as one formula: the entry, the Service's target, the container, the policies of the pod.

It is stated anew, from the manifests' own words: a selector as labels that a workload has, a port name as the first
declaration of it. `analysis.portpath` composes the same hops by look-up, and tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import attrs
import z3

from k8snetlint.algebra.connections import PROTOCOLS, ConnectionSet
from k8snetlint.analysis.portpath import Chain, Entry, Refusal, admitting, entries, example_source
from k8snetlint.analysis.universe import Universe
from k8snetlint.analysis.verdict import Question, Side
from k8snetlint.analysis.vocabulary import number_of
from k8snetlint.model.cluster import Cluster
from k8snetlint.model.services import Service
from k8snetlint.model.workloads import ContainerPort, Workload
from k8snetlint.policy.ir import PeerExpr, PolicySet
from k8snetlint.policy.peers import Flow

from .encoding import Encoding
from .terms import Term, any_of, is_satisfiable, value_of

_REFUSALS = tuple(Refusal)


@attrs.frozen(eq=False)
class Mismatch:
    """A flow that one hop accepts and the next refuses; `flow` where the policies refuse it and admit what it dials."""

    entry: Entry
    workload: Workload
    refusal: Refusal
    flow: Flow | None


class PortPaths:
    """The ways of a cluster's entries into its workloads, encoded once."""

    def __init__(self, cluster: Cluster, policies: PolicySet, resource_limit: int | None = None) -> None:
        self._policies = admitting(policies)
        self._universe = Universe((self._policies,), policies.peers.pods)
        self._encoding = Encoding(self._universe, (self._policies,), resource_limit=resource_limit)
        self._context = context = self._encoding.context
        self._cluster = cluster
        self._workloads = cluster.workloads
        self._entries = tuple(entries(cluster))
        self._workload = z3.BitVec("workload", max(1, len(self._workloads).bit_length()), context)
        self._entry = z3.BitVec("entry", max(1, len(self._entries).bit_length()), context)
        self._refusal = z3.BitVec("refusal", len(_REFUSALS).bit_length(), context)
        self._dialled = z3.BitVec("dialled", 16, context)

    def mismatches(self) -> Iterator[Mismatch]:
        """Every entry, workload and hop for which there is such a flow, by the workloads and addresses at hand.

        Raises Undecided if the resources do not suffice.
        """
        if not self._entries or not self._workloads:
            return
        solver = self._encoding.solver()
        solver.add(self._formula())
        while is_satisfiable(solver):
            model = solver.model()
            found = [value_of(model, term) for term in (self._entry, self._workload, self._refusal)]
            refusal = _REFUSALS[found[2]]
            flow = self._flow(model, found[0], found[1]) if refusal is Refusal.SHIFTED else None
            yield Mismatch(self._entries[found[0]], self._workloads[found[1]], refusal, flow)
            solver.add(z3.Or(self._entry != found[0], self._workload != found[1], self._refusal != found[2]))

    def unseen_shift(self, chain: Chain, sources: PeerExpr) -> Flow | None:
        """A flow of a pod that the manifests do not hold, let in at the number dialled and not where it comes out.

        Raises Undecided if the resources do not suffice.
        """
        peer = self._policies.peers.of(chain.workload)
        if peer is None or chain.port is None:
            return None
        here = ConnectionSet.span(chain.entry.protocol, chain.port, chain.port)
        question = Question(Side(imagined=sources), Side((peer,)), here)
        solver = self._encoding.solver()
        solver.add(self._encoding.is_in_question(question), self._dialled == chain.entry.number, self._is_shifted())
        return self._encoding.flow(solver.model(), question) if is_satisfiable(solver) else None

    def _flow(self, model: Term, entry: int, workload: int) -> Flow | None:
        peer = self._policies.peers.of(self._workloads[workload])
        if peer is None:
            return None
        source = example_source(self._policies, self._universe.points, 1 << self._encoding.source_point(model), peer)
        port = value_of(model, self._encoding.port)
        return Flow(source, peer, self._entries[entry].protocol, port, through_service=True)

    def _formula(self) -> Term:
        """That a packet enters, passes hop after hop, and that the hop named by `refusal` is the first to refuse."""
        lands = self._of_entry(self._leads)
        declared = self._of_workload(self._declares)
        passes = z3.And(lands, declared, self._is_destination())
        outcomes = {
            Refusal.TARGET: self._of_entry(lambda entry: z3.Not(self._has_target(entry))),
            Refusal.CONTAINER: z3.And(lands, z3.Not(declared)),
            Refusal.SHIFTED: z3.And(passes, self._encoding.is_at_hand("source"), self._is_shifted()),
            Refusal.CLOSED: z3.And(passes, self._is_closed(self._encoding.port), self._is_closed(self._dialled)),
        }
        refused = [z3.And(self._refusal == _REFUSALS.index(kind), term) for kind, term in outcomes.items()]
        is_workload = z3.ULT(self._workload, len(self._workloads))
        return z3.And(is_workload, self._of_entry(self._enters), z3.Or(refused))

    def _of_entry(self, holds: Callable[[Entry], Term]) -> Term:
        each = (z3.And(self._entry == number, holds(entry)) for number, entry in enumerate(self._entries))
        return any_of(self._context, each)

    def _of_workload(self, holds: Callable[[Workload], Term]) -> Term:
        each = (z3.And(self._workload == number, holds(item)) for number, item in enumerate(self._workloads))
        return any_of(self._context, each)

    def _is_protocol(self, name: str) -> Term:
        if name not in PROTOCOLS:
            return z3.BoolVal(False, self._context)
        return self._encoding.protocol == PROTOCOLS.index(name)

    def _enters(self, entry: Entry) -> Term:
        """The number and protocol of an entry, and that it selects the workload."""
        here = [self._is_protocol(entry.protocol), self._dialled == entry.number]
        if isinstance(entry.resource, Workload):
            owner = next(number for number, item in enumerate(self._workloads) if item is entry.resource)
            return z3.And(*here, self._workload == owner)
        return z3.And(*here, *self._selected(entry.resource))

    def _selected(self, service: Service) -> Iterator[Term]:
        yield self._has("namespace", [item.namespace for item in self._workloads], service.namespace)
        for key, value in (service.selector or {}).items():
            yield self._has(key, [item.pod_labels.get(key) for item in self._workloads], value)

    def _has(self, field: str, held: Sequence[str | None], wanted: str | None) -> Term:
        """Whether a field of the workload has a value: texts are numbered, the field is a table over workloads."""
        values = tuple(sorted({value for value in held if value is not None}))
        width = (len(values) + 2).bit_length()
        table = z3.BitVecVal(number_of(held[-1], values), width, self._context)
        for number, value in enumerate(held[:-1]):
            here = z3.BitVecVal(number_of(value, values), width, self._context)
            table = z3.If(self._workload == number, here, table)
        return table == number_of(wanted, values)

    def _has_target(self, entry: Entry) -> Term:
        """Whether the workload has the port that a Service port names; a number needs no declaration."""
        name = _target_name(entry)
        if name is None:
            return z3.BoolVal(True, self._context)
        return self._of_workload(lambda item: any_of(self._context, self._resolutions(item, name, lambda _: ())))

    def _leads(self, entry: Entry) -> Term:
        """Whether the pod's port is the one that an entry leads to."""
        port, name = self._encoding.port, _target_name(entry)
        if name is not None:
            return self._of_workload(
                lambda item: any_of(self._context, self._resolutions(item, name, lambda number: (port == number,)))
            )
        if entry.container_port is not None:
            return port == entry.container_port.number
        service_port = entry.service_port
        if service_port is None or (isinstance(entry.resource, Service) and entry.resource.is_headless):
            return port == entry.number
        return port == service_port.effective_target

    def _resolutions(self, workload: Workload, name: str, holds: Callable[[int], Sequence[Term]]) -> Iterator[Term]:
        """For each declaration of a port name: that no earlier one of the protocol hides it, and what holds of it."""
        earlier: list[Term] = []
        for declared in _running_ports(workload):
            if declared.name != name:
                continue
            is_protocol = self._is_protocol(declared.protocol)
            if declared.number is not None:
                yield z3.And(is_protocol, *(z3.Not(term) for term in earlier), *holds(declared.number))
            earlier.append(is_protocol)

    def _declares(self, workload: Workload) -> Term:
        """Whether a workload declares the pod's port, or no port at all."""
        numbered = [port for port in _running_ports(workload) if port.number is not None]
        if not numbered:
            return z3.BoolVal(True, self._context)
        each = (z3.And(self._is_protocol(port.protocol), self._encoding.port == port.number) for port in numbered)
        return any_of(self._context, each)

    def _is_destination(self) -> Term:
        """That the flow's destination is where policies see the workload."""
        points = self._universe.points
        at = {id(peer): number for number, point in enumerate(points) for peer in point.peers}

        def holds(workload: Workload) -> Term:
            peer = self._policies.peers.of(workload)
            if peer is None:
                return z3.BoolVal(False, self._context)
            return self._encoding.is_at("destination", 1 << at[id(peer)])

        return self._of_workload(holds)

    def _is_shifted(self) -> Term:
        let_in = self._encoding.verdict(self._policies, port=self._dialled)
        return z3.And(let_in, z3.Not(self._encoding.verdict(self._policies)))

    def _is_closed(self, port: Term) -> Term:
        """That the policies let nobody in at a port: said for every source, since a formula without quantifiers has to."""
        sources = range(len(self._universe.points))
        return z3.And([z3.Not(self._encoding.verdict(self._policies, port=port, source=each)) for each in sources])


def _target_name(entry: Entry) -> str | None:
    """The port name that an entry leads to; None where it leads to a number."""
    if entry.service_port is None or not isinstance(entry.resource, Service) or entry.resource.is_headless:
        return None
    target = entry.service_port.effective_target
    return target if isinstance(target, str) else None


def _running_ports(workload: Workload) -> Iterator[ContainerPort]:
    """The declared ports of containers, then of the init containers that keep running."""
    for is_init in (False, True):
        for container in workload.containers:
            if container.is_init == is_init and (not is_init or container.is_sidecar):
                yield from container.ports
