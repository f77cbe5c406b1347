"""Helm's own functions: those that run templates, and those that stop rendering."""

from __future__ import annotations

from k8snetlint.units.helm.compiler import compile_text, rendered
from k8snetlint.units.helm.lexer import TemplateSyntaxError
from k8snetlint.units.helm.novalue import without_no_value
from k8snetlint.units.helm.runtime import Builtin, Caller, Library, Registry, Running
from k8snetlint.units.helm.values import Method, TemplateError, Text, Value, plain_map


def _include(caller: Caller, name: str, dot: Value) -> Text:
    frame = caller.frame
    template = frame.templates.get(name)
    if template is None:
        raise TemplateError(f'there is no template "{name}"', caller.mark)
    return rendered(template, frame.run, frame.templates, dot)


def _tpl(registry: Library) -> Running:
    def tpl(caller: Caller, text: str, dot: Value) -> str:
        if "{{" not in text:
            return text
        frame = caller.frame
        run = frame.run
        key = (str(text), text.pieces if isinstance(text, Text) else caller.mark)
        templates = run.texts.get(key)
        if templates is None:
            try:
                templates = compile_text("", text, registry, caller.mark)
            except TemplateSyntaxError as error:
                raise TemplateError(f"a value is no template: {error.message}", caller.mark) from None
            run.texts[key] = templates
        visible = frame.templates if len(templates) == 1 else {**frame.templates, **templates}
        return without_no_value(rendered(templates[""], run, visible, dot))

    return Running(tpl, "sa")


def _required(message: str, value: Value) -> Value:
    if value is None or value == "":
        raise TemplateError(f"a required value is not set: {message}")
    return value


def _fail(message: str) -> Value:
    raise TemplateError(f"the chart stops itself: {message.strip()}")


def _call(function: Value, *arguments: Value) -> Value:
    if not isinstance(function, Method):
        raise TemplateError("`call` takes a function")
    return function.call(*arguments)


def _lookup(*arguments: str) -> Value:
    return plain_map({})


def functions(registry: Library) -> Registry:
    """Helm's own functions; `tpl` compiles with the functions of the registry given."""
    return {
        "include": Running(_include, "sa"),
        "tpl": _tpl(registry),
        "required": Builtin(_required, "sa"),
        "fail": Builtin(_fail, "s"),
        "lookup": Builtin(_lookup, "ssss"),
        "call": Builtin(_call, "aa*"),
        "getHostByName": Builtin(lambda name: "", "s"),
    }
