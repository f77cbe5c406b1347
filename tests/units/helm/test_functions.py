"""Functions of templates, each as Helm 4.3.1 answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8snetlint.units.helm.functions import function_library
from k8snetlint.units.helm.functions.cases import pascal, separated
from k8snetlint.units.helm.functions.durations import duration_of, printed

from .test_charts import chart

VALUES = """
n: null
a: {x: null, l: [1, null]}
t: "{{ .Release.Name }}-x"
list: [{name: a, port: 1}, {name: b}]
num: 8080
big: 10000000
empty: ""
"""


# The functions that Go, Sprig and Helm document; Helm takes `env` and `expandenv` away.
NAMES = """
abbrev abbrevboth add add1 add1f addf adler32sum ago all any append atoi b32dec b32enc b64dec b64enc base bcrypt
biggest buildCustomCert call camelcase cat ceil chunk clean coalesce compact concat contains date dateInZone
dateModify date_in_zone date_modify decryptAES deepCopy deepEqual default derivePassword dict dig dir div divf
duration durationDays durationHours durationMicroseconds durationMilliseconds durationMinutes
durationNanoseconds durationRound durationRoundTo durationSeconds durationTruncateTo durationWeeks empty
encryptAES eq ext fail first float64 floor fromJson fromJsonArray fromToml fromYaml fromYamlArray ge genCA
genCAWithKey genPrivateKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey get
getHostByName gt has hasKey hasPrefix hasSuffix hello html htmlDate htmlDateInZone htpasswd include indent index
initial initials int int64 isAbs join kebabcase keys kindIs kindOf last le len list lookup lower lt max maxf
merge mergeOverwrite min minf mod mul mulf mustAppend mustChunk mustCompact mustDateModify mustDeepCopy
mustFirst mustFromJson mustHas mustInitial mustLast mustMerge mustMergeOverwrite mustPrepend mustRegexFind
mustRegexFindAll mustRegexMatch mustRegexReplaceAll mustRegexReplaceAllLiteral mustRegexSplit mustRest
mustReverse mustSlice mustToDate mustToDuration mustToJson mustToPrettyJson mustToRawJson mustToToml mustToYaml
mustUniq mustWithout must_date_modify ne nindent nospace not now omit osBase osClean osDir osExt osIsAbs pick
pluck plural prepend print printf println quote randAlpha randAlphaNum randAscii randBytes randInt randNumeric
regexFind regexFindAll regexMatch regexQuoteMeta regexReplaceAll regexReplaceAllLiteral regexSplit repeat
replace required rest reverse round semver semverCompare seq set sha1sum sha256sum sha512sum shuffle slice
snakecase sortAlpha split splitList splitn squote sub subf substr swapcase ternary title toDate toDecimal toJson
toPrettyJson toRawJson toString toStrings toToml toYaml toYamlPretty tpl trim trimAll trimPrefix trimSuffix
trimall trunc tuple typeIs typeIsLike typeOf uniq unixEpoch unset until untilStep untitle upper urlJoin urlParse
urlquery uuidv4 values without wrap wrapWith
"""


def text_of(folder: Path, action: str) -> str:
    """What an action prints."""
    rendered = chart(folder, f"a: |+\n  <{action}>\n", VALUES)
    assert rendered.problems == ()
    assert rendered.syntax == ()
    text = str(rendered.documents[0].document.root.at("a").value)
    return text[text.index("<") + 1 : text.rindex(">")]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        # Printing
        ('{{ printf "%5.2f|%05d|%-5s|%+d|%x|%t|%c|%U|%e|%%|%3d" 3.14159 42 "a" 5 255 true 65 65 1234.5 7 }}',
         " 3.14|00042|a    |+5|ff|true|A|U+0041|1.234500e+03|%|  7"),
        ('{{ printf "%s %d %s" nil "a" 5 }}', "%!s(<nil>) %!d(string=a) %!s(int=5)"),
        ('{{ printf "%v %s" }}', "%!v(MISSING) %!s(MISSING)"),
        ('{{ printf "a" 1 }}', "a%!(EXTRA int=1)"),
        ('{{ printf "%[2]s %[1]s" "a" "b" }}', "b a"),
        ('{{ printf "%*d|%6v|%-6v|" 5 42 1 true }}', "   42|     1|true  |"),
        ('{{ printf "%v" (dict "b" 1 "a" (list 1 "x" nil)) }}', "map[a:[1 x <nil>] b:1]"),
        ('{{ print 1 2 "a" "b" 3 }}', "1 2ab3"),
        ('{{ quote nil }}{{ quote 1 true nil "a" }}{{ squote 1.5 }}', "\"1\" \"true\" \"a\"'1.5'"),
        ("{{ .Values.num }} {{ .Values.big }} {{ .Values.big | int }}", "8080 1e+07 10000000"),
        ("{{ html \"<a b='c'>\" }} {{ urlquery \"a b&c\" }}", "&lt;a b=&#39;c&#39;&gt; a+b%26c"),
        # Numbers
        ('{{ int "0x10" }} {{ int "08" }} {{ int "1.9" }} {{ int 1.9 }} {{ int nil }} {{ int true }}', "16 0 0 1 0 1"),
        ('{{ add 1 2.9 "3" }} {{ div 7 2 }} {{ div -7 2 }} {{ mod -7 3 }} {{ sub 1 2 }}', "6 3 -3 -1 -1"),
        ("{{ addf 0.1 0.2 }} {{ mulf -1 0 }} {{ divf 1 4 }} {{ round 1.256 2 }}", "0.3 0 0.25 1.26"),
        ('{{ floor 1.9 }} {{ ceil 1.1 }} {{ max 1 5 3 }} {{ min 1 5 }} {{ toDecimal "777" }}', "1 2 5 1 511"),
        ("{{ seq 1 3 }} {{ seq 3 1 }} {{ until 3 }} {{ untilStep 0 6 2 }}", "1 2 3 3 2 1 [0 1 2] [0 2 4]"),
        # Strings
        ('{{ trunc 3 "abcdef" }} {{ trunc -3 "abcdef" }} {{ substr 1 3 "abcdef" }}', "abc def bc"),
        ('{{ trimAll "$" "$5$" }} {{ trimPrefix "a" "ab" }} {{ trimSuffix "" "ab" }}', "5 b ab"),
        ('{{ title "hello world" }} {{ untitle "Hello" }} {{ initials "a b" }} {{ abbrev 8 "hello world" }}',
         "Hello World hello ab hello..."),
        ('{{ snakecase "fooBarBaz" }} {{ camelcase "foo_bar" }} {{ kebabcase "HTTP2xx" }}', "foo_bar_baz FooBar http-2xx"),
        ('{{ plural "one" "many" 1 }} {{ cat "a" nil 1 }} {{ nospace "a b" }}', "one a 1 ab"),
        ('{{ "a,b" | splitList "," | join "-" }} {{ (split ":" "a:b")._1 }}', "a-b b"),
        ('{{ (split ":" "a")._1 | b64enc | quote }}', '""'),
        ('{{ join "," (list nil 1) }} {{ sortAlpha (list "b" "a") }}', "1 [a b]"),
        # Lists
        ("{{ rest (list) | toJson }} {{ initial (list) | toJson }} {{ concat | toJson }}", "null null null"),
        ("{{ without (list 1 2 3) 2 }} {{ uniq (list 1 1 2) }} {{ compact (list 0 1 \"\") }}", "[1 3] [1 2] [1]"),
        ("{{ slice (list 1 2 3) 1 }} {{ chunk 2 (list 1 2 3) }} {{ reverse (list 1 2) }}", "[2 3] [[1 2] [3]] [2 1]"),
        ("{{ has 1 (list 1) }} {{ has 1 nil }} {{ first (list) | toJson }}", "true false null"),
        # Maps
        ('{{ dig "a" "c" "d" (dict "a" (dict "b" 3)) }} {{ get (dict) "x" | quote }}', 'd ""'),
        ('{{ merge (dict "a" 0) (dict "a" 1 "b" 2) | toJson }}', '{"a":1,"b":2}'),
        ('{{ mergeOverwrite (dict "a" 1) (dict "a" "") | toJson }}', '{"a":""}'),
        ('{{ $a := dict "a" 1 }}{{ $_ := merge $a (dict "b" 2) }}{{ $a }}', "map[a:1 b:2]"),
        ('{{ pick (dict "a" 1 "b" 2) "a" }} {{ omit (dict "a" 1 "b" 2) "a" }} {{ hasKey (dict "a" nil) "a" }}',
         "map[a:1] map[b:2] true"),
        ('{{ pluck "a" (dict "a" 1) (dict "b" 1) }} {{ keys (dict "b" 1 "a" 2) | sortAlpha }}', "[1] [a b]"),
        # Logic
        ('{{ default "d" "" }} {{ default 1 false }} {{ default "d" }} {{ coalesce nil "" "x" }}', "d 1 d x"),
        ("{{ and 1 0 2 }} {{ or 0 \"\" \"x\" }} {{ not \"\" }} {{ eq 1 2 1 }} {{ lt \"a\" \"b\" }}", "0 x true true true"),
        ("{{ eq .Values.n nil }} {{ eq .Values.n \"\" }} {{ ternary 1 2 false }}", "true false 2"),
        ('{{ kindOf 1.5 }} {{ typeOf (list) }} {{ typeOf (splitList "," "a") }} {{ kindOf nil }}',
         "float64 []interface {} []string invalid"),
        # Encodings
        ('{{ toJson (dict "a" 1.0 "b" 1e21 "c" "<>") }} {{ toRawJson "<" }}', '{"a":1,"b":1e+21,"c":"\\u003c\\u003e"} "<"'),
        ('{{ toYaml (dict "a" "1" "b" "true" "c" nil "d" (list) "e" "a: b" "n" 1) | nindent 2 }}',
         "\na: \"1\"\nb: \"true\"\nc: null\nd: []\ne: 'a: b'\n\"n\": 1"),
        ('{{ toYaml (dict "a" (list 1)) | nindent 2 }}', "\na:\n- 1"),
        ('{{ toYamlPretty (dict "a" (list 1) "b" 1e7) | nindent 2 }}', "\na:\n  - 1\nb: 1e+07"),
        ('{{ toToml (dict "a" 1 "c" (dict "d" 1.5 "e" (list "x"))) | nindent 2 }}', '\na = 1\n\n[c]\n  d = 1.5\n  e = ["x"]\n'),
        ('{{ toToml (dict "l" (list (dict "a" "b"))) | nindent 2 }}', '\n[[l]]\n  a = "b"\n'),
        ('{{ fromYaml "a: 1\\nb: [x]" | toJson }} {{ (fromYaml "[1]").Error }}',
         '{"a":1,"b":["x"]} error unmarshaling JSON: while decoding JSON: json: '
         "cannot unmarshal array into Go value of type map[string]interface {}"),
        ('{{ b64enc "h\u00e9" }} {{ b64dec "aGk=" }} {{ b64dec "a:b" }}', "aMOp hi illegal base64 data at input byte 1"),
        ('{{ sha256sum "a" | trunc 8 }} {{ sha1sum "a" | trunc 8 }} {{ adler32sum "a" }}', "ca978112 86f7e437 6422626"),
        # Regular expressions, versions, paths
        ('{{ regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W" }} {{ regexReplaceAll "a(x*)b" "-ab-" "$1W" }}', "-W-xxW- --"),
        ('{{ regexFindAll "[0-9]" "a1b2" -1 }} {{ regexSplit "-" "a-b-c" 2 }} {{ regexQuoteMeta "a.b" }}', "[1 2] [a b-c] a\\.b"),
        ('{{ semverCompare ">=1.19-0" "v1.29.0-gke.1" }} {{ semverCompare ">=1.19" "1.29.0-gke.1" }}', "true false"),
        ('{{ (semver "1.2.3-a+b").Prerelease }} {{ semverCompare "^1.2.x || ~2.1" "2.1.9" }}', "a true"),
        ('{{ base "a/b.c" }} {{ dir "a/b" }} {{ ext "a.b" }} {{ clean "a/../b" }} {{ isAbs "/a" }}', "b.c a .b b true"),
        ('{{ (urlParse "http://u:p@h:80/p?q=1#f").host }} {{ (urlParse "mailto:x").opaque }}', "h:80 x"),
        # Durations
        ('{{ durationHours "90m" }} {{ durationSeconds 5 }} {{ durationDays "x" }}', "1.5 5 0"),
        ('{{ mustToDuration "1h30m" }} {{ durationRoundTo "1h44m" "30m" }} {{ durationTruncateTo "1h44m" "1h" }}',
         "1h30m0s 1h30m0s 1h0m0s"),
        # Helm's own
        ("{{ tpl .Values.t . }} {{ tpl (toYaml .Values.list) $ | len }}", "release-name-x 29"),
        ('{{ required "m" 0 }} {{ required "m" false }}', "0 false"),
        ('{{ lookup "v1" "Secret" "a" "b" }} {{ (lookup "v1" "Secret" "a" "b").data }}', "map[] "),
        ('{{ .Capabilities.APIVersions.Has "apps/v1" }} {{ .Capabilities.APIVersions.Has "apps/v1/Nothing" }}', "true false"),
        ("{{ .Chart.Annotations.none | quote }} {{ .Release.Service }} {{ .Template.Name }}", '"" Helm shop/templates/a.yaml'),
    ],
)  # fmt: skip
def test_functions(tmp_path: Path, action: str, expected: str) -> None:
    assert text_of(tmp_path, action) == expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("{{ range $i, $e := .Values.list }}{{ if eq $i 1 }}{{ break }}{{ end }}{{ $e.name }}{{ end }}", "a"),
        ("{{ range $i := until 5 }}{{ if eq $i 2 }}{{ continue }}{{ end }}{{ $i }},{{ end }}", "0,1,3,4,"),
        ("{{ range 3 }}{{ . }}{{ end }}{{ range $i := 2 }}{{ $i }}{{ end }}", "01201"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}{{ if true }}{{ $x := 3 }}{{ end }}{{ $x }}", "22"),
        ("{{ with .Values.none }}a{{ else with .Values.num }}{{ . }}{{ else }}no{{ end }}", "8080"),
        ("{{ if .Values.none }}a{{ else if eq 1 2 }}b{{ else }}c{{ end }}", "c"),
        ("{{ if and .Values.none .Values.none.foo }}a{{ else }}b{{ end }}", "b"),
        ("{{ ((.Values.none).foo).bar | default \"d\" }}", "d"),
        ("{{ $n := .Values.none }}{{ $n.foo }}", ""),
        ('{{ block "y" . }}B{{ .Release.Name }}{{ end }}', "Brelease-name"),
        ('{{ define "x" }}{{ .a }}{{ end }}{{ include "x" (dict "a" 1) }}{{ template "x" (dict "a" 2) }}', "12"),
        ('{{ define "z" }}[{{ .foo.bar }}]{{ end }}{{ include "z" nil }}{{ template "z" }}', "[][]"),
        ("{{- range $k, $v := dict \"b\" 1 \"a\" 2 }}{{ $k }}{{ $v }}{{- end }}", "a2b1"),
        ("x {{- \" a \" -}} y", "x a y"),
        ("{{/* nothing */}}a{{- /* nothing */ -}} b", "ab"),
        ('{{ `raw {{ string` }}{{ "\\u00e9" }}{{ \'a\' }} {{ 1_000 }} {{ 0x10 }} {{ 1e3 }} {{ 07 }} {{ -3 }}', "raw {{ string\u00e997 1000 16 1000 7 -3"),
        ('{{ tpl "{{ define \\"q\\" }}Q{{ end }}{{ include \\"q\\" . }}" . }}', "Q"),
        ("{{ range .Values.n }}x{{ else }}e{{ end }}", "e"),
        ("{{ hasKey (.Values.none).x \"a\" }} {{ merge (dict \"a\" 1) (.Values.n) | toJson }}", 'false {"a":1}'),
        ("{{ if false }}{{ nil }}{{ end }}", ""),
        ("{{ (index .Values.list 0).name }}{{ index .Values.list 1 \"name\" }}{{ (first .Values.list).port }}", "ab1"),
    ],
)  # fmt: skip
def test_syntax(tmp_path: Path, action: str, expected: str) -> None:
    assert text_of(tmp_path, action) == expected


@pytest.mark.parametrize(
    "action",
    [
        "{{ range list nil }}{{ .foo }}{{ end }}",
        "{{ range $v := list nil }}{{ $v.foo }}{{ end }}",
        "{{ .Values.none.foo }}",
        "{{ .Values.num.x }}",
        '{{ include "none" . }}',
        '{{ required "set it" .Values.empty }}',
        '{{ fail "no" }}',
        "{{ nosuch }}",
        "{{ eq 1 1.0 }}",
        "{{ trim .Values.n }}",
        "{{ .Values.n | upper }}",
        "{{ indent true \"a\" }}",
        "{{ has 1 \"a\" }}",
        "{{ slice \"abc\" }}",
        "{{ deepCopy nil }}",
        "{{ index .Values.n \"a\" }}",
        "{{ index (list 1) 3 }}",
        "{{ semverCompare \"y.z\" \"1.0.0\" }}",
        "{{ .Release.Name \"x\" }}",
        "{{ \"a\" \"b\" }}",
        "{{ if }}x{{ end }}",
        "{{ hasKey .Values.n \"a\" }}",
        "{{ merge (dict) .Values.none }}",
        "{{ range $a, $b := 3 }}{{ end }}",
        "{{ nil }}",
        "{{/* a */ }}x{{/* b */ -}}",
        "{{ if true }}x",
        "{{ end }}",
        "{{ $undefined }}",
        "{{ break }}",
        "{{ 1 | 2 }}",
        '{{ if true }}{{ define "b" }}{{ end }}{{ end }}',
        "{{ mod 1 0 }}",
        '{{ urlParse "a\\nb" }}',
        '{{ mustToDuration "x" }}',
    ],
)  # fmt: skip
def test_what_helm_refuses_is_said(tmp_path: Path, action: str) -> None:
    rendered = chart(tmp_path, f"a: {action}\n", VALUES)
    assert len(rendered.problems) == 1
    assert rendered.documents == ()
    assert rendered.problems[0].place is not None
    assert rendered.problems[0].place.source.path == "shop/templates/a.yaml"


@pytest.mark.parametrize(
    "action",
    [
        "{{ randAlphaNum 5 }}",
        "{{ now | date \"2006\" }}",
        "{{ uuidv4 }}",
        "{{ (genCA \"a\" 1).Cert }}",
        "{{ genPrivateKey \"rsa\" | b64enc }}",
        "{{ (split \":\" (htpasswd \"u\" \"p\"))._1 | b64enc }}",
        "{{ now.Year }}",
        "{{ derivePassword 1 \"long\" \"p\" \"u\" \"s\" }}",
        "{{ randAlphaNum 5 | sha256sum | trunc 4 }}",
        "{{ randAlphaNum 9 | substr 0 3 }}",
        "{{ randAlphaNum 9 | replace \"_\" \"-\" }}",
        "{{ uuidv4 | trimAll \"_\" }}",
        "{{ add 1 (randInt 0 9) }}",
        "{{ now | unixEpoch | int }}",
        "{{ if gt (int (randInt 0 9)) 3 }}1{{ else }}{{ uuidv4 }}{{ end }}",
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_a_placeholder(tmp_path: Path, action: str) -> None:
    rendered = chart(tmp_path, f"a: {action}\n", VALUES)
    assert rendered.problems == ()
    assert rendered.documents[0].document.root.at("a").value == "__K8SNETLINT_UNKNOWN__"


def test_long_lines_are_folded_as_helm_folds_them(tmp_path: Path) -> None:
    words = "word " * 30
    rendered = chart(tmp_path, f'a: |\n  {{{{ toYaml (dict "long" "{words.strip()}") | nindent 2 }}}}\n')
    text = str(rendered.documents[0].document.root.at("a").value)
    assert text.strip().split("\n") == ["long: " + "word " * 15 + "word", "  " + "word " * 13 + "word"]


def test_every_function_of_helm_is_there() -> None:
    assert set(NAMES.split()) - function_library().keys() == set()
    assert {"env", "expandenv"} & function_library().keys() == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTPServer", "http_server"),
        ("NoHTTPS", "no_https"),
        ("GO PATH", "go_path"),
        ("Bld4Floor3rd", "bld4_floor_3rd"),
        ("1.2.3", "1.2.3"),
        (" x ", "_x_"),
        ("", ""),
    ],
)
def test_snake_case(text: str, expected: str) -> None:
    assert separated(text, "_") == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("foo_bar", "FooBar"), ("HELLO", "Hello"), ("a--b", "A-B"), ("_a_", "_A_"), ("", "")]
)
def test_pascal_case(text: str, expected: str) -> None:
    assert pascal(text) == expected


@pytest.mark.parametrize("text", ["1h30m0s", "1.5s", "2m0s", "1ms", "1.5\u00b5s", "7ns", "0s", "-3s"])
def test_durations_print_as_they_are_read(text: str) -> None:
    assert printed(duration_of(text)) == text
