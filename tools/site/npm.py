"""Files of packages of the npm registry, by version and digest, kept in build/."""

import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

KEPT = Path(__file__).parent.parent.parent / "build"


class BuildError(Exception):
    """The site cannot be built."""


def file_of(package: str, path: str, sha256: str) -> bytes:
    """Return a file of a package, such as "mathjax@3.2.2"; raises BuildError where it cannot be had, or differs."""
    kept = KEPT / f"{package.rpartition('/')[2]}-{Path(path).name}"
    if not kept.is_file():
        KEPT.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:  # several processes may fetch at once
            _pack(package, Path(folder))
            (archive,) = Path(folder).glob("*.tgz")
            with tarfile.open(archive) as packed:
                member = packed.extractfile(f"package/{path}")
                assert member is not None
                (Path(folder) / kept.name).write_bytes(member.read())
            (Path(folder) / kept.name).replace(kept)
    body = kept.read_bytes()
    if hashlib.sha256(body).hexdigest() != sha256:
        kept.unlink()
        raise BuildError(f"{path} of {package} is not what it was when its digest was written down")
    return body


def _pack(package: str, folder: Path) -> None:
    try:
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BuildError(f"npm pack {package}: {getattr(error, 'stderr', '') or error}") from error
