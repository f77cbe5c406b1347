"""Functions whose result only a clock, a random source or a cluster knows: placeholders that match anything."""

from __future__ import annotations

from k8snetlint.units.helm.runtime import Builtin, Registry
from k8snetlint.units.helm.values import UNKNOWN, Method, Struct, Value, plain_map

_TEXTS = {
    "randAlphaNum": "i",
    "randAlpha": "i",
    "randAscii": "i",
    "randNumeric": "i",
    "randBytes": "i",
    "randInt": "ii",
    "shuffle": "s",
    "uuidv4": "",
    "bcrypt": "s",
    "genPrivateKey": "s",
    "derivePassword": "aaaaa",
    "encryptAES": "ss",
    "decryptAES": "ss",
    "ago": "a",
    "date": "sa",
    "dateInZone": "sas",
    "date_in_zone": "sas",
    "htmlDate": "a",
    "htmlDateInZone": "as",
    "unixEpoch": "a",
    "durationRound": "a",
    "duration": "a",
}
_TIMES = {
    "now": "",
    "toDate": "ss",
    "mustToDate": "ss",
    "dateModify": "sa",
    "date_modify": "sa",
    "mustDateModify": "sa",
    "must_date_modify": "sa",
}
_CERTIFICATES = {
    "genCA": "si",
    "genCAWithKey": "sis",
    "genSelfSignedCert": "saai",
    "genSelfSignedCertWithKey": "saais",
    "genSignedCert": "saaia",
    "genSignedCertWithKey": "saaias",
    "buildCustomCert": "ss",
}


def _text(*arguments: Value) -> str:
    return UNKNOWN


def _time(*arguments: Value) -> Struct:
    names = ("Unix", "UnixNano", "Year", "Month", "Day", "Hour", "Minute", "Second", "String")
    fields: dict[str, Value] = dict.fromkeys(names, UNKNOWN)
    fields["Format"] = Method(_text, "s")
    fields["UTC"] = UNKNOWN
    return Struct("time.Time", fields, UNKNOWN)


def _certificate(*arguments: Value) -> Value:
    return plain_map({"Cert": UNKNOWN, "Key": UNKNOWN})


def _htpasswd(user: str, *arguments: Value) -> str:
    return f"{user}:{UNKNOWN}"


def functions() -> Registry:
    """Random values, dates, certificates and passwords."""
    found: Registry = {name: Builtin(_text, parameters) for name, parameters in _TEXTS.items()}
    found.update({name: Builtin(_time, parameters) for name, parameters in _TIMES.items()})
    found.update({name: Builtin(_certificate, parameters) for name, parameters in _CERTIFICATES.items()})
    found["htpasswd"] = Builtin(_htpasswd, "ss?s")
    return found
