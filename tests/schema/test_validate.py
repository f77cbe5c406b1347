"""Each kind of problem: its message, its place, and what must stay silent."""

from itertools import product
from textwrap import dedent

import pytest

from k8snetlint.schema.validate import ProblemType, SchemaProblem, has_schema, is_valid, validate
from k8snetlint.source.parse import parse
from k8snetlint.source.text import SourceFile
from k8snetlint.source.tree import Node


def root_of(text: str) -> Node:
    return parse(SourceFile("test.yaml", dedent(text))).documents[0].root


def problems_of(text: str, kube_version: str = "1.37") -> list[SchemaProblem]:
    root = root_of(text)
    api_version, kind = str(root.at("apiVersion").value), str(root.at("kind").value)
    found = validate(root, api_version, kind, kube_version)
    assert is_valid(root, api_version, kind, kube_version) == (not found)
    return found


def only(text: str, kube_version: str = "1.37") -> tuple[str, str, str, str | None]:
    (problem,) = problems_of(text, kube_version)
    line, column = problem.node.source.position(problem.node.start)
    place = f"{line}:{column} {problem.node.place.text}"
    return problem.type.value, place, problem.message, problem.suggestion


SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
POLICY = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\n"


def test_unknown_field_points_at_its_key_and_names_the_near_one() -> None:
    assert only(SERVICE + "spec:\n  ports:\n  - port: 80\n    targetport: 8080\n") == (
        "unknown-field",
        "7:5 targetport",
        "`targetport` is not a field of `spec.ports[0]`, so it is rejected or ignored; did you mean `targetPort`?",
        "targetPort",
    )


def test_unknown_field_that_resembles_none_lists_the_valid_ones() -> None:
    assert only(
        POLICY + "spec:\n  podSelector: {}\n  ingress:\n  - from:\n    - ipBlock: {cidr: 10.0.0.0/8, via: x}\n"
    ) == (
        "unknown-field",
        "8:35 via",
        "`via` is not a field of `spec.ingress[0].from[0].ipBlock`, so it is rejected or ignored; "
        "valid are `cidr` and `except`",
        None,
    )


def test_quoted_number_where_an_integer_is_required() -> None:
    assert only(SERVICE + 'spec:\n  ports:\n  - port: "80"\n') == (
        "wrong-type",
        '6:11 "80"',
        '`spec.ports[0].port` is the string `"80"` where an integer is required; write `80`',
        "80",
    )


def test_annotation_that_is_a_boolean() -> None:
    text = """\
        apiVersion: v1
        kind: Service
        metadata:
          name: web
          annotations:
            service.beta.kubernetes.io/aws-load-balancer-internal: true
        """
    assert only(text) == (
        "wrong-type",
        "6:60 true",
        '`metadata.annotations["service.beta.kubernetes.io/aws-load-balancer-internal"]` is the boolean `true` '
        'where a string is required; write `"true"`',
        '"true"',
    )


def test_mapping_where_a_list_is_required() -> None:
    assert only(SERVICE + "spec:\n  ports: {port: 80}\n") == (
        "wrong-type",
        "5:10 {port: 80}",
        "`spec.ports` is a mapping where a list is required",
        None,
    )


def test_word_where_an_integer_is_required_has_no_conversion() -> None:
    assert only(SERVICE + "spec:\n  ports:\n  - port: http\n")[2:] == (
        "`spec.ports[0].port` is the string `http` where an integer is required",
        None,
    )


def test_missing_field_points_at_the_parent() -> None:
    (problem,) = problems_of(
        """\
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: web}
        spec:
          rules:
          - http:
              paths:
              - path: /
                backend: {service: {name: web, port: {number: 80}}}
        """
    )
    assert problem.type is ProblemType.MISSING_FIELD
    assert problem.message == "`spec.rules[0].http.paths[0]` lacks the required field `pathType`"
    assert problem.path == ("spec", "rules", 0, "http", "paths", 0, "pathType")
    assert problem.node.source.position(problem.node.start) == (8, 9)


def test_two_missing_fields_are_two_problems() -> None:
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1}\n"
    assert [(p.message, p.node.place.text) for p in problems_of(text)] == [
        ("`spec` lacks the required field `selector`", "spec"),
        ("`spec` lacks the required field `template`", "spec"),
    ]


def test_bad_enum_of_a_custom_kind() -> None:
    text = """\
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: web}
        spec:
          rules:
          - matches:
            - path: {type: PathPrefx, value: /}
        """
    assert only(text) == (
        "bad-enum",
        "7:20 PathPrefx",
        "`spec.rules[0].matches[0].path.type` is the string `PathPrefx`; did you mean `PathPrefix`?",
        "PathPrefix",
    )


def test_problems_come_in_the_order_of_the_text() -> None:
    text = SERVICE + 'spec:\n  typ: ClusterIP\n  ports:\n  - {port: "80", protcol: TCP}\n'
    assert [problem.path for problem in problems_of(text)] == [
        ("spec", "typ"),
        ("spec", "ports", 0, "port"),
        ("spec", "ports", 0, "protcol"),
    ]


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param("spec: {ports: null, selector: }\n", id="null is absent"),
        pytest.param("spec: {ports: [{port: 1, targetPort: 8080}, {port: 2, targetPort: http}]}\n", id="int or string"),
        pytest.param("spec: {ports: [{port: 80.0}]}\n", id="a whole float is an integer"),
        pytest.param("spec: {ports: [null]}\n", id="null item"),
        pytest.param("spec: {ports: [{port: '${PORT}'}]}\n", id="placeholder with braces"),
        pytest.param("spec: {ports: [{port: $(PORT)}]}\n", id="placeholder with parentheses"),
        pytest.param("spec: {ports: [{port: <port>}]}\n", id="placeholder in angle brackets"),
        pytest.param("spec: {ports: [{port: __PORT__}]}\n", id="placeholder in underscores"),
        pytest.param("spec: {ports: [{port: HELMSUBST_PORT}]}\n", id="word in capitals"),
        pytest.param("spec:\n  ports:\n  - port: {{ .Values.port }}\n", id="unquoted template, integer"),
        pytest.param("spec:\n  type: {{ .Values.type }}\n", id="unquoted template, string"),
        pytest.param("spec:\n  ports: {{ .Values.ports }}\n", id="unquoted template, list"),
        pytest.param("spec:\n  selector: {{ .Values.selector }}\n", id="unquoted template, map"),
        pytest.param("spec: {ports: '${PORTS}'}\n", id="placeholder for a list"),
        pytest.param("spec: '${SPEC}'\n", id="placeholder for an object"),
        pytest.param("status: {loadBalancer: {anything: 1}}\n", id="status is not checked"),
        pytest.param("spec: {'${KEY}': 1}\n", id="placeholder for a key"),
    ],
)
def test_silent(rest: str) -> None:
    assert problems_of(SERVICE + rest) == []


def test_yes_in_capitals_is_a_mistake_not_a_placeholder() -> None:
    assert only(SERVICE + 'spec: {publishNotReadyAddresses: "TRUE"}\n')[2] == (
        '`spec.publishNotReadyAddresses` is the string `"TRUE"` where a boolean is required'
    )


def test_null_creation_timestamp_and_required_fields_that_are_null() -> None:
    text = """\
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: web, creationTimestamp: null}
        spec:
          podSelector:
            matchLabels:
        """
    assert problems_of(text) == []


def test_policy_without_a_pod_selector_is_accepted_by_the_api_server() -> None:
    assert problems_of(POLICY + "spec: {policyTypes: [Ingress]}\n") == []


def test_quantity_may_be_a_number() -> None:
    text = """\
        apiVersion: v1
        kind: Pod
        metadata: {name: web}
        spec:
          containers:
          - name: web
            resources: {limits: {cpu: 0.5, memory: 1Gi, pods: 3}}
        """
    assert problems_of(text) == []


def test_field_of_a_later_release() -> None:
    text = SERVICE + "spec: {trafficDistribution: PreferClose}\n"
    assert problems_of(text, "1.30") == []
    assert problems_of(text, "v1.30.2") == []
    assert only(text, "1.29")[2].startswith("`trafficDistribution` is not a field of `spec`")


def test_releases_beyond_the_data_are_taken_as_the_nearest() -> None:
    text = SERVICE + "spec: {trafficDistribution: PreferClose}\n"
    assert problems_of(text, "1.99") == []
    assert len(problems_of(text, "1.20")) == 1


def test_text_that_is_no_version() -> None:
    with pytest.raises(ValueError, match=r"^`latest` is not a Kubernetes version such as `1\.37`$"):
        validate(root_of(SERVICE), "v1", "Service", "latest")


@pytest.mark.parametrize("api_version", ["example.com/v1", "../core/v1", "v1beta7", "", "kinds/v1", "core/v1"])
def test_kind_without_a_schema_has_no_problems(api_version: str) -> None:
    assert not has_schema(api_version, "Nothing")
    assert validate(root_of("a: 1\n"), api_version, "Nothing") == []


def test_document_that_is_no_mapping() -> None:
    (problem,) = validate(root_of("- 1\n"), "v1", "Service")
    assert problem.message == "the document is a list where a mapping is required"


def test_hostile_depth_is_bounded() -> None:
    deep = "{a: " * 190 + "1" + "}" * 190
    (problem,) = problems_of(SERVICE + f"spec: {deep}\n")
    assert problem.path == ("spec", "a")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - {name: a, hostNetwork: true}\n",
            "`hostNetwork` is not a field of `spec.containers[0]`, so it is rejected or ignored; it belongs in `spec`",
            id="an outer object has it",
        ),
        pytest.param(
            "apiVersion: v1\nkind: ConfigMap\nlabels: {a: b}\n",
            "`labels` is not a field of the top level, so it is rejected or ignored; it belongs in `metadata`",
            id="an inner object has it",
        ),
        pytest.param(
            "apiVersion: v1\nkind: Service\nspec: {data: {}, apiversion: v1}\n",
            "`apiversion` is not a field of `spec`, so it is rejected or ignored",
            id="not where it stands already",
        ),
        pytest.param(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec:\n  podSelector: {app.kubernetes.io/name: web}\n",
            "`app.kubernetes.io/name` is not a field of `spec.podSelector`, so it is rejected or ignored; "
            "it belongs in `spec.podSelector.matchLabels`",
            id="a label in a selector",
        ),
        pytest.param(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nspec:\n  backend: {service: {name: web}}\n",
            "`backend` is not a field of `spec`, so it is rejected or ignored; write `defaultBackend` instead",
            id="a field of the version before",
        ),
    ],
)
def test_where_an_unknown_field_belongs(text: str, message: str) -> None:
    assert message in [problem.message for problem in problems_of(text)]


@pytest.mark.parametrize("kind", ["NetworkPolicy", "Ingress", "IngressClass"])
def test_status_is_ignored_even_where_a_release_has_none(kind: str) -> None:
    text = f"apiVersion: networking.k8s.io/v1\nkind: {kind}\nmetadata: {{name: web}}\nstatus: {{}}\n"
    assert problems_of(text) == []


def test_long_and_many_lined_text_is_shown_on_one_short_line() -> None:
    text = SERVICE + 'spec:\n  ports: "one\n    two ' + "x" * 100 + '"\n'
    assert only(text)[2] == '`spec.ports` is the string `"one two ' + "x" * 50 + "…` where a list is required"


def test_suggestions_are_made_for_the_first_problems_of_a_document_only() -> None:
    names = {"".join(letters) for letters in product(*((c, c.upper()) for c in "loadbalancer"), ["IP"])}
    names.discard("loadBalancerIP")
    found = problems_of(SERVICE + "spec:\n" + "".join(f"  {name}: x\n" for name in sorted(names)[:300]))
    assert [problem.suggestion for problem in found] == ["loadBalancerIP"] * 200 + [None] * 100
