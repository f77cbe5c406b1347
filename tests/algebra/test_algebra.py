"""The laws of the algebra, against Python's own sets as the model."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8snetlint.algebra import bits
from k8snetlint.algebra.addresses import Address, AddressSet, parse_range
from k8snetlint.algebra.connections import ALL_PORTS, PROTOCOLS, ConnectionSet
from k8snetlint.algebra.intervals import IntervalSet

small = st.integers(-5, 40)
intervals = st.lists(st.tuples(small, small), max_size=6)
interval_sets = intervals.map(IntervalSet)
ports = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), max_size=4).map(IntervalSet)
connection_sets = st.builds(ConnectionSet, ports, ports, ports)
index_sets = st.frozensets(st.integers(0, 200))


def members(ranges: IntervalSet) -> set[int]:
    return {value for first, last in ranges for value in range(first, last + 1)}


def connections(held: ConnectionSet) -> set[tuple[str, int]]:
    return {(protocol, port) for protocol, held_ports in held.items() for port in members(held_ports)}


@given(intervals)
def test_intervals_hold_exactly_what_was_given_and_are_canonical(given_intervals):
    built = IntervalSet(given_intervals)
    assert members(built) == {v for first, last in given_intervals for v in range(first, last + 1)}
    pairs = built.intervals
    assert all(first <= last for first, last in pairs)
    assert all(pairs[i][1] + 1 < pairs[i + 1][0] for i in range(len(pairs) - 1))
    assert len(built) == len(members(built))
    assert bool(built) == bool(members(built))


@given(interval_sets, interval_sets)
def test_interval_operations_are_set_operations(left, right):
    a, b = members(left), members(right)
    assert members(left | right) == a | b
    assert members(left & right) == a & b
    assert members(left - right) == a - b
    assert (left <= right) == (a <= b)
    assert left.isdisjoint(right) == a.isdisjoint(b)
    assert (left == right) == (a == b)
    if left == right:
        assert hash(left) == hash(right)


@given(interval_sets, interval_sets)
def test_interval_results_are_canonical(left, right):
    for result in (left | right, left & right, left - right):
        assert result == IntervalSet(result.intervals)
        assert result.intervals == IntervalSet(result.intervals).intervals


@given(interval_sets, small)
def test_interval_membership(held, value):
    assert (value in held) == (value in members(held))


@given(connection_sets, connection_sets, connection_sets)
def test_connection_sets_are_a_lattice(a, b, c):
    assert a & (b | c) == (a & b) | (a & c)
    assert a - (b | c) == (a - b) & (a - c)
    assert (a - b) | (a & b) == a
    assert connections(a | b) == connections(a) | connections(b)
    assert connections(a & b) == connections(a) & connections(b)
    assert connections(a - b) == connections(a) - connections(b)
    assert (a <= b) == (connections(a) <= connections(b))
    assert a.isdisjoint(b) == connections(a).isdisjoint(connections(b))
    assert a & ConnectionSet.everything() == a
    assert a | ConnectionSet.nothing() == a


@given(connection_sets, st.sampled_from(PROTOCOLS), st.integers(1, 30))
def test_connection_membership(held, protocol, port):
    assert ((protocol, port) in held) == ((protocol, port) in connections(held))


def test_connection_sets_read_and_write():
    web = ConnectionSet.span("TCP", 80, 80) | ConnectionSet.span("TCP", 8000, 8100) | ConnectionSet.of("UDP")
    assert str(web) == "TCP 80,8000-8100; UDP all"
    assert web.as_lists() == {"TCP": [[80, 80], [8000, 8100]], "UDP": [[1, 65535]]}
    assert str(ConnectionSet.everything()) == "all"
    assert str(ConnectionSet.nothing()) == "none"
    whole = ConnectionSet.of("TCP") | ConnectionSet.of("UDP") | ConnectionSet.of("SCTP")
    assert whole == ConnectionSet.everything()
    assert ConnectionSet(IntervalSet([(-3, 70000)])) == ConnectionSet.of("TCP", ALL_PORTS)
    assert ("ICMP", 8) not in whole
    with pytest.raises(ValueError, match="'tcp' is not one of TCP, UDP, SCTP"):
        ConnectionSet.of("tcp")


@given(index_sets, index_sets)
def test_bits_are_sets(left, right):
    a, b = bits.of(left), bits.of(right)
    assert bits.indices(a) == sorted(left)
    assert bits.indices(a | b) == sorted(left | right)
    assert bits.indices(a & b) == sorted(left & right)
    assert bits.indices(a & ~b) == sorted(left - right)
    if left:
        assert bits.lowest(a) == min(left)
    assert bits.full(len(left)).bit_count() == a.bit_count()


def test_the_empty_set_has_no_lowest_bit():
    with pytest.raises(ValueError, match="smallest"):
        bits.lowest(0)


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_ipv4_cidrs_agree_with_the_standard_library(value, length):
    network = ipaddress.IPv4Network((value, length), strict=False)
    held = AddressSet.cidr(f"{ipaddress.IPv4Address(value)}/{length}")
    assert held == AddressSet.span(4, int(network.network_address), int(network.broadcast_address))
    assert held.cidr_texts() == (str(network),)


@given(st.integers(0, 2**128 - 1), st.integers(0, 128))
def test_ipv6_cidrs_agree_with_the_standard_library(value, length):
    text = str(ipaddress.IPv6Address(value))
    if value >> 32 == 0xFFFF:
        return
    network = ipaddress.IPv6Network((value, length), strict=False)
    held = AddressSet.cidr(f"{text}/{length}")
    assert held == AddressSet.span(6, int(network.network_address), int(network.broadcast_address))


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("10.0.0.5/24", ("10.0.0.0-10.0.0.255",)),
        ("010.0.0.0/8", ("10.0.0.0-10.255.255.255",)),
        ("10.0.0.0/08", ("10.0.0.0-10.255.255.255",)),
        ("::ffff:10.0.0.0/104", ("10.0.0.0-10.255.255.255",)),
        ("0.0.0.0/0", ("0.0.0.0-255.255.255.255",)),
        ("fd00::/126", ("fd00::-fd00::3",)),
    ],
)
def test_cidrs_are_read_as_kubernetes_reads_them(text, ranges):
    assert AddressSet.cidr(text).range_texts() == ranges


@pytest.mark.parametrize(
    "text", ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "300.0.0.0/8", "fd00::/129", "x/8", "1.1.1.1/-1", "1.1.1.1/١"]
)
def test_what_is_no_cidr_raises(text):
    with pytest.raises(ValueError):
        AddressSet.cidr(text)


def test_address_families_never_mix():
    v4, v6 = AddressSet.cidr("0.0.0.0/0"), AddressSet.cidr("::/0")
    assert v4.isdisjoint(v6)
    assert Address.parse("fd00::1") not in v4
    assert Address.parse("1.2.3.4") not in v6
    assert v4 | v6 == AddressSet.everything()
    assert AddressSet.everything() - v4 == AddressSet.all_v6()


@pytest.mark.parametrize("text", ["10.0.0.1-10.0.0.9", "10.0.0.1", "10.0.0.0/30", "fd00::1-fd00::5"])
def test_ranges_read_back_what_was_written(text):
    held = parse_range(text)
    assert all(parse_range(written) == held for written in held.range_texts())


@pytest.mark.parametrize("text", ["10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1", "shop/web", "1-2"])
def test_what_is_no_range_raises(text):
    with pytest.raises(ValueError):
        parse_range(text)
