from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Document, Entry, Node, Plain
from k8snetlint.units.write import write_yaml

from .trees import an_object, found

scalars = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
# A carriage return, a lone surrogate and the like cannot stand in YAML, or not as themselves.
texts = st.text(max_size=12) | st.sampled_from(
    ["yes", "y", "null", "~", "0x1f", "1_000", "2024-01-01", "a: b", "- a", "="]
)
texts |= st.lists(st.sampled_from(["a", " b", "", "c ", "#d", "---"]), max_size=5).map("\n".join)
values = st.recursive(
    scalars | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def as_node(value: Plain, source: SourceFile) -> Node:
    if isinstance(value, dict):
        entries = {key: Entry(as_node(key, source), as_node(item, source)) for key, item in value.items()}
        return Node(entries, 0, 0, source)
    if isinstance(value, list):
        return Node([as_node(item, source) for item in value], 0, 0, source)
    return Node(value, 0, 0, source)


@given(st.dictionaries(texts, values, min_size=1, max_size=4))
def test_what_is_written_reads_as_it_was(value: dict[str, Plain]) -> None:
    text = write_yaml([Document(0, as_node(value, SourceFile("x.yaml", "")))])
    parsed = parse(SourceFile("written", text))
    assert parsed.problems == ()
    assert [document.root.plain() for document in parsed.documents] == [value]


def test_each_object_names_its_files(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "resources: [c.yaml]\n",
        "base/c.yaml": an_object("ConfigMap", "c", 'data: {a: "1", b: "two\\nlines\\n"}\n'),
        "live/kustomization.yaml": "namespace: shop\nresources: [../base]\n",
    }
    unit = found(tmp_path, files).units[0]
    assert write_yaml(unit.documents) == (
        "---\n"
        "# from: base/c.yaml, live/kustomization.yaml\n"
        "apiVersion: v1\n"
        "kind: ConfigMap\n"
        "metadata:\n"
        "  name: c\n"
        "  namespace: shop\n"
        "data:\n"
        '  a: "1"\n'
        "  b: |\n"
        "    two\n"
        "    lines\n"
    )
