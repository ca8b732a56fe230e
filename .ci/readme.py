"""Keeps what the Markdown files say in step with what the program does.

    readme.py command FILE PREFIX      print the command of FILE that begins with PREFIX
    readme.py answer FILE ANSWER       compare the answer shown in FILE with the one in ANSWER
    readme.py endpoints FILE OPENAPI   compare the endpoints listed in FILE with the document
    readme.py settings FILE DEFAULTS   compare the settings listed in FILE with the reference
    readme.py rooms FILE FOLDER        compare the source files listed in FILE with those of FOLDER
    readme.py keys FILE FOLDER         compare the keys of the catalogue named in FILE with the types that read them
    readme.py crates FILE MANIFEST     compare the crates listed in FILE with the dependencies of MANIFEST
    readme.py paths FILE FOLDER        check that the files that FILE links to or names are there, names from FOLDER on
    readme.py grades FILE OVERVIEW     compare the share of estimates in FILE with the answer of /v1/catalogue
    readme.py ranked FILE OVERVIEW     compare the number of ranked conditions in FILE with the same answer
    readme.py accuracy FILE REPORT     compare the accuracy in FILE with what `coxa evaluate --json` prints

An answer is shown cut to size: a `…` among members or items stands for more of them, one at the end of a
text or a number for the rest of it. Whatever is shown must be in the real answer, in that place.
"""

import json
import pathlib
import re
import sys
import tomllib

TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?…?|true|false|null|…|[{}\[\],:])')


def blocks(text, language):
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def command(text, prefix):
    """The one shell block that begins with `prefix`."""
    found = [block.strip() for block in blocks(text, "sh") if block.startswith(prefix)]
    if len(found) != 1:
        raise SystemExit(f"{len(found)} blocks begin with `{prefix}`; there must be one")
    return found[0]


class Shown:
    """An answer cut to size, compared while it is read."""

    def __init__(self, text):
        self.tokens, place = [], 0
        text = text.strip()
        while place < len(text):
            match = TOKEN.match(text, place)
            if not match:
                raise SystemExit(f"the shown answer cannot be read here: {text[place:place + 40]!r}")
            self.tokens.append(match[1])
            place = match.end()

    def next(self):
        return self.tokens.pop(0)

    def separated(self, end):
        """Whether another member or item follows."""
        if self.tokens[0] == ",":
            self.next()
        if self.tokens[0] == end:
            self.next()
            return False
        return True

    def compare(self, real, place=""):
        token = self.next()
        if token == "{":
            self.members(real, place)
        elif token == "[":
            self.items(real, place)
        elif token.endswith("…") and not token.startswith('"'):
            expect(isinstance(real, float) and repr(real).startswith(token[:-1]), place, token, real)
        elif token.endswith('…"'):
            shown = json.loads(token[:-2].rstrip() + '"')
            expect(isinstance(real, str) and real.startswith(shown), place, token, real)
        else:
            shown = json.loads(token)
            expect(type(shown) is type(real) and shown == real, place, token, real)

    def members(self, real, place):
        expect(isinstance(real, dict), place, "an object", real)
        seen, cut = set(), False
        while self.separated("}"):
            name = self.next()
            if name == "…":
                cut = True
                continue
            name = json.loads(name)
            expect(self.next() == ":", place, "a colon after a name", name)
            expect(name in real, place, f"a member {name}", sorted(real))
            seen.add(name)
            self.compare(real[name], f"{place}/{name}")
        expect(cut or seen == set(real), place, "all members, or …", sorted(set(real) - seen))

    def items(self, real, place):
        expect(isinstance(real, list), place, "a list", real)
        number, cut = 0, False
        while self.separated("]"):
            if self.tokens[0] == "…":
                self.next()
                cut = True
                continue
            expect(not cut, place, "no item after …", self.tokens[0])
            expect(number < len(real), place, f"an item {number}", f"{len(real)} items")
            self.compare(real[number], f"{place}/{number}")
            number += 1
        expect(number < len(real) if cut else number == len(real), place, f"{number} items", len(real))


def expect(holds, place, shown, real):
    if not holds:
        raise SystemExit(f"{place or '/'}: shown is {shown}, real is {json.dumps(real, ensure_ascii=False)}")


def answer(text, path):
    shown = blocks(text, "jsonc")
    if not shown:
        raise SystemExit("no answer is shown; its block begins with ```jsonc")
    with open(path, encoding="utf-8") as file:
        real = json.load(file)
    for block in shown:
        rest = Shown(block)
        rest.compare(real)
        if rest.tokens:
            raise SystemExit(f"the shown answer goes on after its end: {rest.tokens[0]}")
    print(f"{len(shown)} shown answer as the service gives it")


def same(what, shown, real):
    if shown != real:
        missing, extra = sorted(real - shown), sorted(shown - real)
        raise SystemExit(f"{what} not listed: {missing}; listed, but not there: {extra}")
    print(f"{len(real)} {what} as listed")


def endpoints(text, path):
    with open(path, encoding="utf-8") as file:
        paths = json.load(file)["paths"]
    real = {(method.upper(), path) for path, item in paths.items() for method in item}
    same("endpoints", set(re.findall(r"^\| `(GET|POST) (/[^`]*)` \|", text, re.MULTILINE)), real)


def settings(text, path):
    with open(path, "rb") as file:
        sections = tomllib.load(file)
    real = {(f"{section}.{key}", json.dumps(value)) for section, keys in sections.items() for key, value in keys.items()}
    same("settings", set(re.findall(r"^\| `(\w+\.\w+)` \| `([^`]*)` \|", text, re.MULTILINE)), real)


def rooms(text, folder):
    real = {path.as_posix() for path in pathlib.Path(folder).rglob("*.rs")}
    same("files", set(re.findall(rf"^\| `({folder}/[^`]*\.rs)` \|", text, re.MULTILINE)), real)


def keys(text, folder):
    types = "".join(path.read_text() for path in pathlib.Path(folder).rglob("*.rs"))
    real = set(re.findall(r"^    pub (\w+):", types, re.MULTILINE))
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]*)`", text))))
    same("keys", named & real, real)


def paths(text, folder):
    home = pathlib.Path(sys.argv[2]).parent
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    real = {(home / link).as_posix(): (home / link).exists() for link in links if link}
    # A name with a letter to fill in, such as `conditions/<id>.toml`, stands for many files.
    for name in re.findall(r"`((?:src|tests|catalogue|config|openapi|operations|\.ci)/[\w./-]*)(?:::\w+)?`", text):
        real[name] = (pathlib.Path(folder) / name).exists()
    missing = sorted(name for name, there in real.items() if not there)
    if missing:
        raise SystemExit(f"{sys.argv[2]} names files that are not there: {missing}")
    print(f"{sys.argv[2]}: {len(real)} files are there")


def stands(text, sentence):
    """Whether a sentence stands in the text, however its lines are broken."""
    if sentence not in " ".join(text.split()):
        raise SystemExit(f"this does not stand there: {sentence}")
    print(sentence)


def grades(text, path):
    with open(path, encoding="utf-8") as file:
        counts = {grade["grade"]: grade["likelihoods"] for grade in json.load(file)["grades"]}
    total, estimates = sum(counts.values()), counts["D"]
    stands(text, f"Of the {total} likelihoods, {estimates} ({100 * estimates / total:.0f} %) have grade D")


def ranked(text, path):
    with open(path, encoding="utf-8") as file:
        stands(text, f"over {json.load(file)['counts']['ranked_conditions']} conditions")


def accuracy(text, path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)

    def interval(name):
        return "{low:.0f}-{high:.0f} %".format(**{part: 100 * value for part, value in report["all"][name].items()})

    first, three, under, over = (report["all"][name] for name in ("top_1", "top_3", "under_triage", "over_triage"))
    stands(
        text,
        f"On {report['vignettes']} vignettes a right condition came first in {100 * first['share']:.0f} % "
        f"(95 % interval {interval('top_1')}) and among the first three in {100 * three['share']:.0f} % "
        f"({interval('top_3')}); triage was too low in {under['count']} and too high in {over['count']}.",
    )


def crates(text, path):
    with open(path, "rb") as file:
        manifest = tomllib.load(file)
    tables = [manifest, *manifest.get("target", {}).values()]
    real = {name for table in tables for name in table.get("dependencies", {})}
    table = text[text.index("## Dependencies"):]
    same("crates", set(re.findall(r"`([\w-]+)`", " ".join(re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)))), real)


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    task, path, other = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if task == "command":
        print(command(text, other))
    else:
        checks = (answer, endpoints, settings, rooms, keys, crates, paths, grades, ranked, accuracy)
        {check.__name__: check for check in checks}[task](text, other)


if __name__ == "__main__":
    main()
