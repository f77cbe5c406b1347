"""Sets of connections: which destination ports of which protocols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .intervals import Interval, IntervalSet

PROTOCOLS = ("TCP", "UDP", "SCTP")
FIRST_PORT, LAST_PORT = 1, 65535
ALL_PORTS = IntervalSet.span(FIRST_PORT, LAST_PORT)
_NO_PORTS = IntervalSet()


class ConnectionSet:
    """A set of (protocol, destination port) pairs over TCP, UDP and SCTP and the ports 1 to 65535.

    Immutable and canonical: one `IntervalSet` per protocol in the order of `PROTOCOLS`, so that equality of sets is
    equality of representations. Everything together is one value: `ConnectionSet.everything()`.
    """

    __slots__ = ("_hash", "ports")

    ports: tuple[IntervalSet, IntervalSet, IntervalSet]

    # A plain class for the reason that IntervalSet is one.
    def __init__(
        self, tcp: IntervalSet = _NO_PORTS, udp: IntervalSet = _NO_PORTS, sctp: IntervalSet = _NO_PORTS
    ) -> None:
        """Ports outside 1 to 65535 are left out."""
        self.ports = (_clipped(tcp), _clipped(udp), _clipped(sctp))
        self._hash = hash(self.ports)

    @classmethod
    def everything(cls) -> ConnectionSet:
        """Every port of every protocol."""
        return cls(ALL_PORTS, ALL_PORTS, ALL_PORTS)

    @classmethod
    def nothing(cls) -> ConnectionSet:
        """The empty set."""
        return cls()

    @classmethod
    def of(cls, protocol: str, ports: IntervalSet = ALL_PORTS) -> ConnectionSet:
        """Ports of one protocol; all of them when none are given. Raises ValueError for an unknown protocol."""
        if protocol not in PROTOCOLS:
            raise ValueError(f"{protocol!r} is not one of {', '.join(PROTOCOLS)}")
        return cls(**{protocol.lower(): ports})

    @classmethod
    def span(cls, protocol: str, first: int, last: int) -> ConnectionSet:
        """The ports of one protocol from `first` to `last`, both included."""
        return cls.of(protocol, IntervalSet.span(first, last))

    @classmethod
    def from_mapping(cls, ports: Mapping[str, IntervalSet]) -> ConnectionSet:
        """The set whose ports are listed by protocol."""
        return cls(*(ports.get(protocol, _NO_PORTS) for protocol in PROTOCOLS))

    def __repr__(self) -> str:
        return f"ConnectionSet({self})"

    def __str__(self) -> str:
        """`all`, `none`, or as `TCP 80,443,8000-8100; UDP all`."""
        if all(ports == ALL_PORTS for ports in self.ports):
            return "all"
        parts = [f"{protocol} {_ports_text(ports)}" for protocol, ports in self.items()]
        return "; ".join(parts) or "none"

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, ConnectionSet):
            return NotImplemented
        return self._hash == other._hash and self.ports == other.ports

    def __bool__(self) -> bool:
        return any(self.ports)

    def __contains__(self, connection: tuple[str, int]) -> bool:
        """Whether a `(protocol, port)` is in the set; an unknown protocol is in no set."""
        protocol, port = connection
        return protocol in PROTOCOLS and port in self.ports[PROTOCOLS.index(protocol)]

    def __or__(self, other: ConnectionSet) -> ConnectionSet:
        return _raw(tuple(mine | theirs for mine, theirs in zip(self.ports, other.ports, strict=True)))

    def __and__(self, other: ConnectionSet) -> ConnectionSet:
        return _raw(tuple(mine & theirs for mine, theirs in zip(self.ports, other.ports, strict=True)))

    def __sub__(self, other: ConnectionSet) -> ConnectionSet:
        return _raw(tuple(mine - theirs for mine, theirs in zip(self.ports, other.ports, strict=True)))

    def __le__(self, other: ConnectionSet) -> bool:
        """Whether every connection of this set is in the other."""
        return not (self - other)

    def isdisjoint(self, other: ConnectionSet) -> bool:
        """Whether no connection is in both sets."""
        return not (self & other)

    def items(self) -> Iterator[tuple[str, IntervalSet]]:
        """The protocols that have ports, in the order of `PROTOCOLS`, each with its ports."""
        for protocol, ports in zip(PROTOCOLS, self.ports, strict=True):
            if ports:
                yield protocol, ports

    def as_lists(self) -> dict[str, list[list[int]]]:
        """The set as outputs write it: protocol to a list of `[first, last]`."""
        return {protocol: [[first, last] for first, last in ports] for protocol, ports in self.items()}


def _raw(ports: tuple[IntervalSet, ...]) -> ConnectionSet:
    made = ConnectionSet.__new__(ConnectionSet)
    made.ports = ports  # type: ignore[assignment]  # always three: it is built from two triples
    made._hash = hash(ports)
    return made


def _clipped(ports: IntervalSet) -> IntervalSet:
    if ports.intervals and (ports.intervals[0][0] < FIRST_PORT or ports.intervals[-1][1] > LAST_PORT):
        return ports & ALL_PORTS
    return ports


def _ports_text(ports: IntervalSet) -> str:
    if ports == ALL_PORTS:
        return "all"

    def text(interval: Interval) -> str:
        first, last = interval
        return str(first) if first == last else f"{first}-{last}"

    return ",".join(map(text, ports))
