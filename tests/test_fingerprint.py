import re

from k8snetlint.diagnostic import Confidence, Diagnostic, Location, ResourceId, Severity
from k8snetlint.fingerprint import with_fingerprints
from k8snetlint.source.parse import parse
from k8snetlint.source.text import Place, SourceFile, Span

MANIFEST = """\
apiVersion: v1
kind: Service
metadata: {name: cart}
spec:
  ports:
    - name: http
      targetPort: bad
    - port: 81
      targetPort: worse
"""
CART = ResourceId("v1", "Service", "shop", "cart")


def fingerprints(text: str, *marks: str, **changes: object) -> list[str]:
    source = SourceFile("a.yaml", text)
    diagnostics = []
    for mark in marks:
        start = text.index(mark)
        place = Place(source, Span(start, start + len(mark)))
        values = {"message": "m", "resource": CART} | changes
        diagnostics.append(
            Diagnostic("SVC005", Severity.ERROR, Confidence.HIGH, primary=Location(place), **values)  # type: ignore[arg-type]
        )
    result = with_fingerprints(diagnostics, lambda source: parse(source).documents, lambda path: path)
    return [each.fingerprint for each in result]


def test_a_fingerprint_is_32_hexadecimal_digits() -> None:
    (fingerprint,) = fingerprints(MANIFEST, "bad")
    assert re.fullmatch("[0-9a-f]{32}", fingerprint)


def test_moved_lines_other_words_and_units_keep_it() -> None:
    (before,) = fingerprints(MANIFEST, "bad")
    assert fingerprints("# new\n\n" + MANIFEST, "bad") == [before]
    assert fingerprints(MANIFEST, "bad", message="other", units=("x",)) == [before]
    swapped = MANIFEST.replace("    - name: http\n", "    - name: admin\n    - name: http\n")
    assert fingerprints(swapped, "bad") == [before]


def test_rule_object_place_and_ordinal_tell_apart() -> None:
    all_ = [
        *fingerprints(MANIFEST, "bad", "bad", "worse"),
        *fingerprints(MANIFEST.replace("cart", "card"), "bad"),
        *fingerprints(MANIFEST.replace("http", "grpc"), "bad"),
        *fingerprints(MANIFEST, "bad", path=("spec", "ports", 0, "appProtocol")),
        *fingerprints(MANIFEST, "bad", resource=None),
    ]
    assert len(set(all_)) == len(all_) == 7


def test_without_an_object_the_line_counts() -> None:
    before = fingerprints("a: [1\n", "[1", resource=None)
    assert fingerprints("# x\n  a: [1\n", "[1", resource=None) == before
    assert fingerprints("a: [1, 2\n", "[1", resource=None) != before
