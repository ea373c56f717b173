"""The images: built when what they are made of changed, which their tag tells."""

from __future__ import annotations

import functools
import hashlib
import os
import shlex
import shutil
import ssl
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine import ClusterError, Engine
from topology import HERE, IMAGES, RELEASE, STATE

PUBLIC_BASE = "docker.io/library/debian:{release}-slim"
OWN_BASE = "localhost/hpcc-notebook-base:{release}-{made}"
LABEL = "hpcc.notebook=test-cluster"
LOG = "build.log"
# Since Debian 11 is no longer supported, its security archive names files that it does not have.
AVOIDED = {
    "bullseye": "Package: munge libmunge2\nPin: release n=bullseye-security\nPin-Priority: -1\n"
}
# Debian's testing says that its lists are good for a week; a mirror may be older than that.
AGED = {"forky": ['--aptopt=Acquire::Check-Valid-Until "false"']}
INPUTS = ("Containerfile", "node", "mirror", "installer")


def files_of(*places: Path) -> list[Path]:
    """The files in or at these places."""
    found = [path for place in places for path in (place, *place.rglob("*"))]
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def digest(place: Path, files: Iterable[Path], *words: str) -> str:
    """A hash of words and of files: names, modes that git knows, contents."""
    found = hashlib.sha256(" ".join(words).encode())
    for path in files:
        executable = os.access(path, os.X_OK)
        found.update(f"{path.relative_to(place)} {executable} {path.stat().st_size}\n".encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


@functools.cache
def tag() -> str:
    """What tells this state of the inputs from every other."""
    return digest(HERE, files_of(*(HERE / name for name in INPUTS)), RELEASE)


def name(image: str) -> str:
    """An image of this state of the inputs."""
    return f"localhost/hpcc-notebook-{image}:{tag()}"


def certificates() -> list[str]:
    """The build's option for the bundle that package access on this machine is verified with."""
    usual = ssl.get_default_verify_paths()
    candidates = [os.environ.get("PIP_CERT"), usual.cafile, usual.openssl_cafile]
    candidates += ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]
    found = (path for path in candidates if path and Path(path).is_file())
    return [f"--secret=id=ca,src={path}" for path in list(found)[:1]]


def base(engine: Engine, say: Callable[[str], None], release: str = RELEASE) -> str:
    """Debian by mmdebstrap where that works, so that no image registry is needed."""
    avoided = AVOIDED.get(release, "")
    own = OWN_BASE.format(release=release, made=digest(HERE, [], release, avoided))
    if engine.succeeds("image", "inspect", own):
        return own
    if shutil.which("mmdebstrap"):
        say("making the base image with mmdebstrap")
        hook = f'printf %s {shlex.quote(avoided)} > "$1/etc/apt/preferences.d/avoided"'
        command = ["mmdebstrap", "--quiet", "--variant=apt", "--include=ca-certificates", release]
        command[1:1] = [f"--customize-hook={hook}", *AGED.get(release, [])]
        if engine.import_image(command, own):
            return own
        say("mmdebstrap failed, trying an image registry")
    return PUBLIC_BASE.format(release=release)


def build(engine: Engine, say: Callable[[str], None]) -> None:
    """Build what is missing; the log stays beside the state."""
    missing = [image for image in IMAGES if not engine.succeeds("image", "inspect", name(image))]
    if not missing:
        return
    origin = base(engine, say)
    log_path = STATE / LOG
    STATE.mkdir(mode=0o700, exist_ok=True)
    with log_path.open("w", encoding="utf-8") as log:
        for image in missing:
            say(f"building the image {image} (output: {log_path})")
            arguments = ["--target", image, "--tag", name(image), "--build-arg", f"BASE={origin}"]
            access = ["--network", "host", *certificates()]
            if not engine.log_to(log, "build", *arguments, *access, str(HERE)):
                tail = "\n".join(log_path.read_text(encoding="utf-8").splitlines()[-15:])
                raise ClusterError(f"building {image} failed, see {log_path}:\n{tail}")


def remove_outdated(engine: Engine) -> None:
    """Images of earlier states of the inputs, unless a container still uses them.

    Those of the last day stay: another checkout on this machine may have just built them.
    """
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for found, made in engine.images("hpcc-notebook-").items():
        if "-base:" not in found and made < yesterday and not found.endswith(f":{tag()}"):
            engine.succeeds("rmi", found)


def remove(engine: Engine) -> None:
    """All images of the cluster, the base and what the builds left in between."""
    for found in engine.images("hpcc-notebook-"):
        engine.call("rmi", "--force", found)
    engine.call("image", "prune", "--force", "--filter", f"label={LABEL}")
