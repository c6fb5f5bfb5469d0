#!/usr/bin/env python3
"""Compares the core's public functions with those that the body of calls makes the compiler instantiate.

api.py RUSTDOC.json MONO_ITEMS.txt

RUSTDOC.json    rustdoc's description of the crate, hidden items too
MONO_ITEMS.txt  what rustc -Zprint-mono-items=yes prints for the program that calls everything

Every public function, method and trait method has to be instantiated; what is generic in the number's type R for f32
and f64, what is generic in the dimension D for each of DIMENSIONS. Ends with 1 and the list of those that are not, with
2 if it does not understand what it reads. """

import json
import re
import sys

# of the toolchain that this was written for: another one may say something else
FORMAT_VERSIONS = {57}
PRECISIONS = ("f32", "f64")
DIMENSIONS = ("1", "2", "3", "7")
# Fewer than the crate had when this was written would mean that the walk has lost its way.
LEAST = 250

# (type, trait, method) that are not called, each with its reason; None is any. An exception that excepts nothing is an
# error.
EXCEPTIONS = {
    (None, "Debug", "fmt"): "ends in core::fmt, which can panic",
    (None, "Display", "fmt"): "ends in core::fmt, which can panic",
    (None, "Eq", "assert_fields_are_eq"): "of derive(Eq), for the type checker: has no body",
}


def stop(message):
    print(f"api.py: {message}", file=sys.stderr)
    sys.exit(2)


class Crate:
    """The public functions of a rustdoc description: {(type, trait, method): (precisions, place of D in the type's
    arguments)}."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            crate = json.load(file)
        if crate.get("format_version") not in FORMAT_VERSIONS:
            stop(
                f"format version {crate.get('format_version')} of rustdoc's JSON is not known; known: {FORMAT_VERSIONS}"
            )
        self.index = crate["index"]
        self.seen = set()
        self.functions = {}
        self.visit(crate["root"])
        if len(self.functions) < LEAST:
            stop(f"only {len(self.functions)} public functions found")

    def item(self, number):
        item = self.index.get(str(number))
        if item is None:
            stop(f"item {number} is not in the description")
        ((kind, body),) = item["inner"].items()
        return item, kind, body

    def visit(self, number):
        if number in self.seen:
            return
        self.seen.add(number)
        item, kind, body = self.item(number)
        if kind == "module":
            for child in body["items"]:
                self.visit(child)
        elif kind == "use":
            if body["is_glob"]:
                stop(f"a glob is re-exported: {body['source']}")
            # what is another crate's stands in that one's description
            if str(body["id"]) in self.index:
                self.visit(body["id"])
        elif kind == "function":
            self.add(None, None, item, body["generics"], None)
        elif kind in ("struct", "enum", "trait"):
            for number in body["impls" if kind != "trait" else "implementations"]:
                self.implementation(number)
        elif kind not in ("constant", "type_alias"):
            stop(f"a public item of kind {kind}: {item['name']}")

    def implementation(self, number):
        if number in self.seen:
            return
        self.seen.add(number)
        _, kind, body = self.item(number)
        if kind != "impl":
            stop(f"{kind} where an impl was expected")
        if body["is_synthetic"] or body["blanket_impl"] is not None:
            return
        name, place = self.type_of(body["for"])
        trait = body["trait"]["path"].split("::")[-1] if body["trait"] else None
        for child in body["items"]:
            item, kind, function = self.item(child)
            if kind == "function":
                if trait is None and item["visibility"] != "public":
                    continue
                self.add(name, trait, item, body["generics"], place, function["generics"])
            elif kind not in ("assoc_const", "assoc_type"):
                stop(f"an associated item of kind {kind}: {item['name']}")
        # the provided methods of the crate's own traits
        if body["trait"] and str(body["trait"]["id"]) in self.index:
            for method in body["provided_trait_methods"]:
                self.add(name, trait, {"name": method}, body["generics"], place)

    def type_of(self, type_):
        """Its name, and which of its arguments is D."""
        ((kind, body),) = type_.items()
        if kind == "primitive":
            return body, None
        if kind == "borrowed_ref":
            return ("&mut _" if body["is_mutable"] else "&_"), None
        if kind != "resolved_path":
            stop(f"an impl for a type of kind {kind}")
        if str(body["id"]) in self.index:
            _, kind, alias = self.item(body["id"])
            if kind == "type_alias":
                return self.type_of(alias["type"])
        arguments = (body["args"] or {}).get("angle_bracketed", {}).get("args", [])
        arguments = [argument for argument in arguments if "lifetime" not in argument]
        places = [i for i, argument in enumerate(arguments) if argument.get("const", {}).get("expr") == "D"]
        return body["path"].split("::")[-1], places[0] if places else None

    def add(self, type_, trait, item, generics, place, more=None):
        parameters = {p["name"] for g in (generics, more) if g for p in g["params"]}
        self.functions[(type_, trait, item["name"])] = ("R" in parameters, place)


def split(text, separator):
    """The parts of text between separators that stand outside of all brackets."""
    parts, depth, start, i = [], 0, 0, 0
    while i < len(text):
        c = text[i]
        if c in "<([{":
            depth += 1
        elif c in ")]}" or (c == ">" and text[i - 1] != "-"):
            depth -= 1
        elif depth == 0 and text.startswith(separator, i):
            parts.append(text[start:i])
            i += len(separator)
            start = i
            continue
        i += 1
    return [*parts, text[start:]]


def named(type_):
    """The name of a type as in Crate.type_of, and its arguments."""
    type_ = type_.strip()
    if type_.startswith("&mut "):
        return "&mut _", []
    if type_.startswith("&"):
        return "&_", []
    segments = [segment for segment in split(type_, "::") if segment]
    last = segments[-1]
    if last.startswith("<") and len(segments) > 1:  # Type::<arguments>
        last = segments[-2] + last
    name, _, arguments = last.partition("<")
    arguments = split(arguments[:-1], ", ") if arguments else []
    return name, [argument for argument in arguments if not argument.startswith("'")]


def instance(text):
    """(type, trait, method), the type's arguments, and the text that tells the precision; None for what is no function
    of the core."""
    segments = split(text, "::")
    while segments and segments[-1].startswith("<") and len(segments) > 1:
        segments.pop()
    if not segments or "{" in segments[-1]:
        return None
    method = segments[-1]
    head = "::".join(segments[:-1])
    if head.startswith("<") and len(segments) == 2:
        inner = split(head[1:-1], " as ")
        name, arguments = named(inner[0])
        trait = named(inner[1])[0] if len(inner) == 2 else None
        return (name, trait, method), arguments, text
    impl = re.match(r"^(?:.*::)?<impl (.*)>$", head)
    if impl:  # written apart from its type
        inner = split(impl[1], " for ")
        name, arguments = named(inner[-1])
        return (name, named(inner[0])[0] if len(inner) == 2 else None, method), arguments, text
    if not head.startswith("birth_death::"):
        return None
    name, arguments = named(head)
    if name[:1].isupper():
        return (name, None, method), arguments, text
    return (None, None, method), [], text


def instances(path):
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("MONO_ITEM fn "):
                continue
            text = line[len("MONO_ITEM fn ") :].split(" @@")[0].split(" - shim")[0]
            if "birth_death::" in text and (read := instance(text)):
                found.setdefault(read[0], []).append(read[1:])
    if len(found) < LEAST:
        stop(f"only {len(found)} functions are instantiated: is this the list of the right program?")
    return found


def missing(need, calls):
    """What of a function is not called: a text, empty if nothing."""
    in_precision, place = need
    if not calls:
        return "not called"
    precisions = PRECISIONS if in_precision else ("",)
    gaps = []
    for precision in precisions:
        of = [(arguments, text) for arguments, text in calls if precision in text]
        if not of:
            gaps.append(f"not for {precision}")
        elif place is not None:
            dimensions = {arguments[place] for arguments, _ in of}
            gaps += [f"not for {precision} D = {d}" for d in DIMENSIONS if d not in dimensions]
    return ", ".join(gaps)


def main():
    if len(sys.argv) != 3:
        stop("two files: rustdoc's JSON and the list of instances")
    functions, called = Crate(sys.argv[1]).functions, instances(sys.argv[2])
    used, failures = set(), []
    for key, need in sorted(functions.items(), key=str):
        type_, trait, method = key
        exception = next((e for e in ((type_, trait, method), (None, trait, method)) if e in EXCEPTIONS), None)
        if exception:
            used.add(exception)
        elif gap := missing(need, called.get(key)):
            failures.append(f"{type_ or ''}{f' as {trait}' if trait else ''}::{method}: {gap}")
    failures += [f"the exception {e} excepts nothing" for e in EXCEPTIONS if e not in used]
    print(
        "\n".join(failures)
        if failures
        else f"{len(functions)} public functions, {len(functions) - excepted(functions)} called"
    )
    sys.exit(1 if failures else 0)


def excepted(functions):
    return sum(
        (None, trait, method) in EXCEPTIONS or (t, trait, method) in EXCEPTIONS for t, trait, method in functions
    )


main()
