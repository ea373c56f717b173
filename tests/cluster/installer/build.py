"""Build the test installer: header.sh and, behind it, an archive with a real Python environment.

Runs in the image build, on Debian. The environment is Debian's CPython with every shared library it
needs below lib/cpython, and a virtual environment around it (pyvenv.cfg), so that packages go to an
ordinary lib/python3.11/site-packages.
"""

import argparse
import compileall
import gzip
import hashlib
import io
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
PLACEHOLDER = "/placeholder_of_the_installation_prefix"
# Modules that a notebook never needs make up a third of the standard library.
LEFT_OUT = (
    "test",
    "idlelib",
    "turtledemo",
    "tkinter",
    "lib2to3",
    "ensurepip",
    "config-*",
    "site-packages",
    "__pycache__",
)
# glibc belongs to the host, all else comes along.
OF_THE_HOST = re.compile(r"^(ld-linux.*|lib(c|m|dl|rt|pthread|util|resolv)\.so.*)$")
PREFIX_FILES = ("pyvenv.cfg", "bin/conda", "bin/pip", "bin/pip3")
PIP = f"""#!{PLACEHOLDER}/bin/python
import sys
from pip._internal.cli.main import main
sys.exit(main())
"""


def libraries(binaries: list[Path]) -> dict[str, Path]:
    """The shared libraries that the binaries load, by name."""
    command = ["ldd", *map(str, binaries)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^\s+(\S+) => (/\S+)", output, flags=re.MULTILINE)
    return {name: Path(path) for name, path in found if not OF_THE_HOST.match(name)}


def copy_python(base: Path) -> None:
    """CPython, its standard library and its shared libraries."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(stdlib, base / "lib" / PYTHON, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (base / "bin").mkdir()
    binary = Path(shutil.copy(Path(sys.executable).resolve(), base / "bin" / PYTHON))
    extensions = sorted((base / "lib" / PYTHON / "lib-dynload").glob("*.so"))
    for name, path in libraries([binary, *extensions]).items():
        shutil.copy(path, base / "lib" / name)
    # DT_RPATH and not DT_RUNPATH: it holds for the libraries of the extension modules, too.
    subprocess.run(
        ["patchelf", "--force-rpath", "--set-rpath", "$ORIGIN/../lib", binary], check=True
    )
    compileall.compile_dir(base / "lib" / PYTHON, quiet=2, stripdir=str(base))


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """One text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def filled(template: str, values: dict[str, str]) -> str:
    """The template of this directory with its @NAMES@ replaced."""
    text = (HERE / template).read_text(encoding="utf-8")
    return re.sub(r"@([A-Z_0-9]+)@", lambda match: values[match[1]], text)


def build_tree(root: Path, options: argparse.Namespace) -> None:
    """Everything below the prefix."""
    copy_python(root / "lib" / "cpython")
    (root / "bin").mkdir()
    (root / "bin" / PYTHON).symlink_to(f"../lib/cpython/bin/{PYTHON}")
    for name in ("python", "python3"):
        (root / "bin" / name).symlink_to(PYTHON)
    version = platform.python_version()
    home = f"home = {PLACEHOLDER}/lib/cpython/bin\n"
    write(root / "pyvenv.cfg", f"{home}include-system-site-packages = false\nversion = {version}\n")
    site_packages = root / "lib" / PYTHON / "site-packages"
    (wheel,) = options.wheels.glob("pip-*.whl")
    zipfile.ZipFile(wheel).extractall(site_packages)
    compileall.compile_dir(site_packages, quiet=2, stripdir=str(root))
    program = filled("conda.py", {"INDEX_URL": options.index_url})
    write(root / "bin" / "conda", f"#!{PLACEHOLDER}/bin/python\n{program}", 0o755)
    write(root / "bin" / "pip", PIP, 0o755)
    write(root / "bin" / "pip3", PIP, 0o755)
    write(root / "pkgs" / "urls.txt", f"{wheel.name}\n")
    write(root / "conda-meta" / "history", f"==> {options.name} {options.version} <==\n")
    write(root / "conda-meta" / "prefix-files", "".join(f"{name}\n" for name in PREFIX_FILES))


def ordinary(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the names of who built it; times stay, compiled files depend on them."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def packed(root: Path) -> bytes:
    """The archive. gzip at its quickest: unpacking speed matters more than size."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=4, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        archive.add(root, arcname=".", filter=ordinary)
    return buffer.getvalue()


def megabytes(root: Path) -> int:
    """What the installation takes on the disk, and a little."""
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    return size * 12 // 10 // 2**20


def installer(root: Path, options: argparse.Namespace) -> bytes:
    """The whole file."""
    archive = packed(root)
    values = {
        "NAME": options.name,
        "VERSION": options.version,
        "MD5": hashlib.md5(archive).hexdigest(),
        "HEADER_LINES": str((HERE / "header.sh").read_text(encoding="utf-8").count("\n")),
        "NEEDED_MB": str(megabytes(root)),
        "GLIBC": platform.libc_ver()[1],
        "PLACEHOLDER": PLACEHOLDER,
    }
    return filled("header.sh", values).encode() + archive


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--name", default="Testforge3")
    parser.add_argument("--version", required=True)
    parser.add_argument(
        "--wheels", type=Path, required=True, help="a directory that holds pip's wheel"
    )
    parser.add_argument("--index-url", default="https://mirror/simple/")
    parser.add_argument("--output", type=Path, required=True, help="the directory of the result")
    return parser.parse_args()


def main() -> None:
    """NAME-VERSION-Linux-x86_64.sh in the output directory."""
    options = parse_arguments()
    options.output.mkdir(parents=True, exist_ok=True)
    target = options.output / f"{options.name}-{options.version}-Linux-{platform.machine()}.sh"
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory, "root")
        build_tree(root, options)
        target.write_bytes(installer(root, options))
    print(f"{target} ({target.stat().st_size // 2**20} MB)")


if __name__ == "__main__":
    main()
