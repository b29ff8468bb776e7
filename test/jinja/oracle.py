"""Renders chat templates as transformers does, to compare with: Jinja2's immutable sandbox, with the settings, the filter
and the functions of transformers/utils/chat_template_utils.py.

Reads JSON from standard input, a list of {"source": text, "variables": {...}}, and writes a list of
{"text": text} or {"error": message}.
"""

import json
import sys
from datetime import datetime
from functools import lru_cache

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(Extension):
    """The tag that marks what a model wrote; rendering only groups it."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise TemplateError(message)


def environment():
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: datetime(2025, 4, 2, 9, 5, 7).strftime(form)
    return env


def main():
    compile_template = lru_cache(environment().from_string)
    results = []
    for case in json.load(sys.stdin):
        try:
            results.append({"text": compile_template(case["source"]).render(**case["variables"])})
        except Exception as error:  # whatever the template does is a result
            results.append({"error": f"{type(error).__name__}: {error}"})
    json.dump(results, sys.stdout)


main()
