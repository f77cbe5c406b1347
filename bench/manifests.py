"""Generates manifests of a small company: applications with everything that they usually have, and nothing wrong.

Run as `python -m bench.manifests --documents 770 FOLDER`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

PER_APPLICATION = 7


def application(index: int) -> Iterator[str]:
    """The documents of one application."""
    name, namespace = f"app-{index}", f"team-{index % 10}"
    meta = f"metadata:\n  name: {name}\n  namespace: {namespace}\n  labels:\n    app.kubernetes.io/name: {name}\n"
    yield f"""\
apiVersion: apps/v1
kind: Deployment
{meta}spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
        app.kubernetes.io/part-of: {namespace}
    spec:
      serviceAccountName: {name}
      containers:
        - name: server
          image: registry.example/{name}:1.{index}.0
          args: ["--listen=:8080", "--metrics=:9090"]
          env:
            - name: NEXT_ADDR
              value: http://app-{index}:80
            - name: LOG_LEVEL
              value: info
          ports:
            - name: http
              containerPort: 8080
            - name: metrics
              containerPort: 9090
          readinessProbe:
            httpGet:
              path: /healthz
              port: http
          livenessProbe:
            httpGet:
              path: /healthz
              port: http
          resources:
            requests: {{cpu: 100m, memory: 128Mi}}
            limits: {{memory: 256Mi}}
          volumeMounts:
            - name: config
              mountPath: /etc/app
      volumes:
        - name: config
          configMap:
            name: {name}
"""
    yield f"""\
apiVersion: v1
kind: Service
{meta}spec:
  selector:
    app.kubernetes.io/name: {name}
  ports:
    - name: http
      port: 80
      targetPort: http
    - name: metrics
      port: 9090
      targetPort: metrics
"""
    yield f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
{meta}spec:
  ingressClassName: nginx
  tls:
    - hosts: [{name}.example.com]
      secretName: {name}-tls
  rules:
    - host: {name}.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {name}
                port:
                  name: http
"""
    yield f"""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{meta}spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {name}
  policyTypes: [Ingress]
  ingress:
    - ports:
        - port: 8080
    - from:
        - podSelector: {{}}
      ports:
        - port: metrics
"""
    settings = "    workers = 4\n    timeout = 30s\n    cache = /tmp\n"
    yield f"apiVersion: v1\nkind: ConfigMap\n{meta}data:\n  app.conf: |\n{settings}"
    yield f"apiVersion: v1\nkind: ServiceAccount\n{meta}automountServiceAccountToken: false\n"
    yield f"""\
apiVersion: policy/v1
kind: PodDisruptionBudget
{meta}spec:
  minAvailable: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
"""


def write(folder: Path, documents: int) -> tuple[int, int]:
    """Writes a file an application until there are so many documents; returns how many there are, and the bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    count = size = 0
    for index in range((documents + PER_APPLICATION - 1) // PER_APPLICATION):
        texts = list(application(index))
        text = "---\n".join(texts)
        (folder / f"app-{index}.yaml").write_text(text, encoding="utf-8")
        count += len(texts)
        size += len(text)
    return count, size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=770)
    arguments = parser.parse_args()
    count, size = write(arguments.folder, arguments.documents)
    print(f"{count} documents, {size} bytes")
