"""The test stand-in for pip, for campaigns of thousands of runs: the real one takes a second.

It speaks the part of pip's command line that the collection uses. A wheel is a file of JSON in one
directory. As the original, it decides before it changes anything, keeps what is installed and fits,
writes RECORD last, cannot remove what has none, and says what is wrong in the original's words.
After each file that it changes it may be killed, as the programs of kills.py.
"""

# ruff: noqa: PTH103, PTH106, PTH107, PTH110, PTH120, PTH123, PTH208
# Loading pathlib would take longer than all the rest.

import contextlib
import json
import os
import re
import signal
import sys

SITE = "{}/lib/python{}.{}/site-packages".format(sys.prefix, *sys.version_info[:2])
INDEX, STEPS, LAST = "@INDEX@", "@STEPS@", "@LAST@"
VALUES = {"--report", "--index-url", "--wheel-dir", "--find-links", "--target", "--progress-bar"}


class PipError(Exception):
    """What the original prints before it ends with 1."""


def canonical(name):
    return re.sub("[-_.]+", "-", name).lower()


def numbers(version):
    return [int(number) for number in version.split(".")]


def split(requirement):
    """The name, and the pairs of operator and version."""
    name = re.match("[A-Za-z0-9._-]+", requirement)[0]
    return canonical(name), re.findall("(==|>=|<)([0-9.]+)", requirement)


def fits(version, clauses):
    how = {"==": lambda a, b: a == b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b}
    return all(how[sign](numbers(version), numbers(than)) for sign, than in clauses)


def text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def installed():
    """Name → version and requirements of what has metadata."""
    found = {}
    for entry in os.listdir(SITE):
        name, _dash, version = entry[: -len(".dist-info")].partition("-")
        metadata = f"{SITE}/{entry}/METADATA"
        if entry.endswith(".dist-info") and entry[0] != "~" and os.path.exists(metadata):
            needs = re.findall("^Requires-Dist: (.+)$", text(metadata), re.MULTILINE)
            found[canonical(name)] = {"name": name, "version": version, "requires": needs}
    return found


def offered(directory):
    """Name → wheels, the newest first."""
    found = {}
    for entry in os.listdir(directory):
        wheel = json.loads(text(f"{directory}/{entry}"))
        found.setdefault(canonical(wheel["name"]), []).append(wheel)
    for wheels in found.values():
        wheels.sort(key=lambda wheel: numbers(wheel["version"]), reverse=True)
    return found


def chosen(requirements, wheels, there):
    """What fulfils all requirements, and theirs: name → wheel, or what is there already."""
    wanted = list(requirements)
    while True:
        picked = {}
        for name in {split(each)[0] for each in wanted}:
            clauses = [
                clause for each in wanted for clause in split(each)[1] if split(each)[0] == name
            ]
            have = [there[name]] if name in there else []
            good = [one for one in (*have, *wheels.get(name, ())) if fits(one["version"], clauses)]
            if not good:
                told(name, wanted, wheels)
            picked[name] = good[0]
        more = [need for one in picked.values() for need in one["requires"] if need not in wanted]
        if not more:
            return picked
        wanted += more


def told(name, wanted, wheels):
    each = [one for one in wanted if split(one)[0] == name]
    if all(
        any(fits(one["version"], split(need)[1]) for one in wheels.get(name, ())) for need in each
    ):
        raise PipError(f"Cannot install {', '.join(each)}: they have conflicting dependencies.")
    raise PipError(f"No matching distribution found for {each[0]}")


def step():
    """One more change is done; is it the one to be killed after?"""
    if os.path.exists(STEPS):
        with open(STEPS, "a", encoding="utf-8") as file:
            file.write("step\n")
        if len(text(STEPS).splitlines()) == int(text(LAST)):
            os.kill(0, signal.SIGKILL)


def put(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)
    step()


def remove(one):
    """What its record names, and the record itself at last."""
    info = "{}/{}-{}.dist-info".format(SITE, one["name"], one["version"])
    if not os.path.exists(f"{info}/RECORD"):
        raise PipError(f"Cannot uninstall {one['name']}, RECORD file not found")
    paths = [line.split(",")[0] for line in text(f"{info}/RECORD").splitlines()]
    for path in [*sorted(paths, key=lambda path: path.endswith("RECORD"))]:
        if os.path.exists(f"{SITE}/{path}"):
            os.remove(f"{SITE}/{path}")
            step()
    with contextlib.suppress(OSError):  # what a damaged record did not name stays there
        os.rmdir(info)


def add(wheel, target):
    info = "{}-{}.dist-info".format(wheel["name"], wheel["version"])
    needs = "".join(f"Requires-Dist: {need}\n" for need in wheel["requires"])
    head = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".format(**wheel)
    files = {**wheel["files"], f"{info}/METADATA": head + needs, f"{info}/INSTALLER": "pip\n"}
    for path, content in files.items():
        put(f"{target}/{path}", content)
    rows = [f"{path},sha256=x,{len(content.encode())}\n" for path, content in files.items()]
    put(f"{target}/{info}/RECORD", "".join(rows) + f"{info}/RECORD,,\n")


def fitting(wheels, name, clauses):
    """The newest that is wanted, whatever it needs."""
    for one in wheels.get(name, ()):
        if fits(one["version"], clauses):
            return one
    raise PipError(f"No matching distribution found for {name}")


def install(options, requirements):
    there = {} if "--force-reinstall" in options or "--target" in options else installed()
    wheels = offered(options.get("--find-links", INDEX))
    if "--no-deps" in options:
        picked = {
            name: fitting(wheels, name, clauses) for name, clauses in map(split, requirements)
        }
    else:
        picked = chosen(requirements, wheels, there)
    new = [one for one in picked.values() if "files" in one]
    if "--report" in options:
        rows = [{"metadata": {"name": one["name"], "version": one["version"]}} for one in new]
        put(options["--report"], json.dumps({"install": rows}))
    if "--dry-run" in options:
        return
    have = installed()
    for one in new:
        if "--target" not in options and canonical(one["name"]) in have:
            remove(have[canonical(one["name"])])
        add(one, options.get("--target", SITE))


def fetch(options, requirements):
    wheels = offered(INDEX)
    for each in requirements:
        one = fitting(wheels, *split(each))
        put("{}/{name}-{version}.json".format(options["--wheel-dir"], **one), json.dumps(one))


def main():
    options, words, left = {}, [], sys.argv[1:]
    while left:
        word = left.pop(0)
        if word in VALUES:
            options[word] = left.pop(0)
        elif word.startswith("-"):
            options[word] = True
        else:
            words.append(word)
    try:
        {"install": install, "wheel": fetch}[words[0]](options, words[1:])
    except PipError as error:
        sys.exit(f"ERROR: {error}")


if __name__ == "__main__":
    main()
