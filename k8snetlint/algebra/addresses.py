"""Sets of IPv4 and IPv6 addresses; CIDR in and out."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import NamedTuple

import attrs

from .intervals import IntervalSet

BITS = {4: 32, 6: 128}
_OCTETS = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})")
_MAPPED_PREFIX = 0xFFFF << 32
_NONE = IntervalSet()


class Address(NamedTuple):
    """One IP address: its version, 4 or 6, and its value as an integer."""

    version: int
    value: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that a text names. IPv4 octets are decimal even with leading zeros, as Kubernetes reads them.

        An IPv4-mapped IPv6 address is the IPv4 address. Raises ValueError if the text is no address.
        """
        match = _OCTETS.fullmatch(text)
        if match:
            octets = [int(octet) for octet in match.groups()]
            if max(octets) > 255:
                raise ValueError(f"{text!r} is not an IPv4 address")
            return cls(4, int.from_bytes(bytes(octets), "big"))
        value = int(ipaddress.IPv6Address(text))
        if value >> 32 == 0xFFFF:
            return cls(4, value & 0xFFFFFFFF)
        return cls(6, value)

    def __str__(self) -> str:
        if self.version == 4:
            return str(ipaddress.IPv4Address(self.value))
        return str(ipaddress.IPv6Address(self.value))


@attrs.frozen
class AddressSet:
    """A set of IPv4 and IPv6 addresses. The families never mix: `0.0.0.0/0` holds no IPv6 address."""

    v4: IntervalSet = _NONE
    v6: IntervalSet = _NONE

    @classmethod
    def everything(cls) -> AddressSet:
        """All addresses of both families."""
        return cls(IntervalSet.span(0, 2**32 - 1), IntervalSet.span(0, 2**128 - 1))

    @classmethod
    def all_v4(cls) -> AddressSet:
        """All IPv4 addresses."""
        return cls(IntervalSet.span(0, 2**32 - 1))

    @classmethod
    def all_v6(cls) -> AddressSet:
        """All IPv6 addresses."""
        return cls(_NONE, IntervalSet.span(0, 2**128 - 1))

    @classmethod
    def single(cls, address: Address) -> AddressSet:
        """The set of one address."""
        return cls.span(address.version, address.value, address.value)

    @classmethod
    def span(cls, version: int, first: int, last: int) -> AddressSet:
        """The addresses of one version from `first` to `last`, both included."""
        interval = IntervalSet.span(first, last)
        return cls(interval) if version == 4 else cls(_NONE, interval)

    @classmethod
    def cidr(cls, text: str) -> AddressSet:
        """The addresses of a CIDR as Kubernetes reads it: host bits are masked, leading zeros are decimal.

        Raises ValueError if the text is no CIDR.
        """
        host, slash, length = text.partition("/")
        if not slash or not length.isascii() or not length.isdigit() or len(length) > 3:
            raise ValueError(f"{text!r} is not a CIDR")
        bits = int(length)
        address = Address.parse(host)
        if address.version == 4 and ":" in host:
            if bits < 96:
                address = Address(6, _MAPPED_PREFIX | address.value)
            else:
                bits -= 96
        if bits > BITS[address.version]:
            raise ValueError(f"{text!r} has a prefix longer than its address")
        free = BITS[address.version] - bits
        first = address.value >> free << free
        return cls.span(address.version, first, first + (1 << free) - 1)

    def __bool__(self) -> bool:
        return bool(self.v4) or bool(self.v6)

    def __contains__(self, address: Address) -> bool:
        return address.value in self.family(address.version)

    def __or__(self, other: AddressSet) -> AddressSet:
        return AddressSet(self.v4 | other.v4, self.v6 | other.v6)

    def __and__(self, other: AddressSet) -> AddressSet:
        return AddressSet(self.v4 & other.v4, self.v6 & other.v6)

    def __sub__(self, other: AddressSet) -> AddressSet:
        return AddressSet(self.v4 - other.v4, self.v6 - other.v6)

    def __le__(self, other: AddressSet) -> bool:
        """Whether every address of this set is in the other."""
        return self.v4 <= other.v4 and self.v6 <= other.v6

    def isdisjoint(self, other: AddressSet) -> bool:
        """Whether no address is in both sets."""
        return not (self & other)

    def family(self, version: int) -> IntervalSet:
        """The values of the addresses of one version."""
        return self.v4 if version == 4 else self.v6

    def ranges(self) -> Iterator[tuple[int, int, int]]:
        """Maximal ranges `(version, first, last)`, IPv4 first, ascending."""
        for version in (4, 6):
            for first, last in self.family(version):
                yield version, first, last

    def range_texts(self) -> tuple[str, ...]:
        """The maximal ranges as `first-last`, each fit to be read back by `parse_range`."""
        return tuple(f"{Address(version, first)}-{Address(version, last)}" for version, first, last in self.ranges())

    def cidr_texts(self) -> tuple[str, ...]:
        """The smallest list of CIDRs that together hold exactly these addresses."""
        texts: list[str] = []
        for first, last in self.v4:
            ends = ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
            texts += map(str, ipaddress.summarize_address_range(*ends))
        for first, last in self.v6:
            ends6 = ipaddress.IPv6Address(first), ipaddress.IPv6Address(last)
            texts += map(str, ipaddress.summarize_address_range(*ends6))
        return tuple(texts)


def parse_range(text: str) -> AddressSet:
    """The set that an address, a CIDR or a range `first-last` names. Raises ValueError if the text is none of these."""
    if "/" in text:
        return AddressSet.cidr(text)
    first, dash, last = text.partition("-")
    start = Address.parse(first.strip())
    end = Address.parse(last.strip()) if dash else start
    if start.version != end.version or end.value < start.value:
        raise ValueError(f"{text!r} is not a range of addresses")
    return AddressSet.span(start.version, start.value, end.value)
