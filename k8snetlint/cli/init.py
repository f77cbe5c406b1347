"""`init`: a commented configuration to begin with."""

from __future__ import annotations

import json
import os

import click

from k8snetlint.config import FILE_NAMES

from .output import write
from .pipeline import Failure

TEMPLATE = """\
# Configuration of k8snetlint. Every key may be left out; what is shown is an example.
# `k8snetlint config` prints what is in force, `k8snetlint rules` lists the rules.

# Rules are named by id (SVC005), prefix (SVC), name, or ALL.
# select: [ALL]            # only these
# extend-select: [NP028]   # these too
# ignore: [PORT009]        # not these
# pedantic: false          # all rules, and diagnostics of low confidence too

# severity:                # another severity than the rule's own: error, warning, note
#   SVC005: warning

# Paths that are not read, and rules that do not count below some. Patterns are those of .gitignore.
# exclude: [vendor/]
# per-path-ignores:
#   examples/: [NP]

# Single diagnostics that do not count. All that is given has to fit; an entry that matches nothing is reported.
# ignores:
#   - rule: SVC005
#     kind: Service
#     namespace: shop
#     name: cart
#     path: shop/cart.yaml
#     reason: the port is added by an operator
#     expires: 2030-01-31

# What is applied together, where k8snetlint cannot find it out itself.
# units:
#   - name: shop
#     paths: [shop/]
#     context: [platform/]   # there too, not reported on
#   - name: shop-live        # a chart as it is installed: a unit for each set of values
#     paths: [charts/shop/]
#     values: [environments/live.yaml, {ingress: {enabled: true}}]
#     release: shop
#     namespace: live
# context: [platform/]       # the same for every unit

# What is known of the cluster.
# namespace: default         # of objects that name none
# kube-version: "1.31"
# cni: calico
# cluster:
#   pod-cidrs: [10.244.0.0/16]
#   service-cidrs: [10.96.0.0/12]
#   node-cidrs: [192.168.0.0/24]
#   dns-domain: cluster.local
#   proxy-mode: iptables     # iptables, ipvs, nftables
#   mtu: 1500
#   node-port-range: 30000-32767

# Objects that live elsewhere: never "not found". Names are namespace/name; * matches any part.
# external:
#   namespaces:
#     monitoring: {team: platform}
#   services: [monitoring/prometheus]
#   secrets: [shop/*]
#   ingress-classes: [nginx]

# Custom kinds that make pods, and where their pod template stands.
# workloads:
#   - group: example.com
#     kind: Worker
#     template: spec.template

# Statements to prove with `k8snetlint verify`.
# intents: [intents.yaml]

# Kustomizations and charts are rendered by our own code (auto), by helm and kustomize (program), or never.
# render: auto
# max-file-size: 16MB

# Options of single rules, as their documents name them (`k8snetlint explain RULE`).
# rules:
#   DISC008: {services: 50}
"""


@click.command(name="init")
@click.option("--format", "-f", "format_", type=click.Choice(["yaml", "json"]), default="yaml")
@click.option(
    "--output", "-o", "output", metavar="FILE", help=f"Where to write; `-` prints (default: {FILE_NAMES[0]})."
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def command(format_: str, output: str | None, force: bool) -> int:
    """Write a commented configuration file; every line of it is a comment until you change it."""
    place = output or (FILE_NAMES[0] if format_ == "yaml" else "-")
    text = TEMPLATE if format_ == "yaml" else json.dumps({}, indent=2) + "\n"
    if place == "-":
        write(text, None)
        return 0
    if os.path.lexists(place) and not force:
        raise Failure(f"`{place}` is there already; --force replaces it")
    write(text, place)
    click.echo(f"wrote {place}", err=True)
    return 0
