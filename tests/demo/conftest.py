import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from autotiny.commands import demo
from autotiny.commands.main import main
from autotiny.demo.findings import Findings


@dataclass
class Demonstration:
    code: int
    out: str
    err: str
    folder: Path
    findings: Findings

    @property
    def page(self):
        return (self.folder / "report.html").read_text(encoding="utf-8")

    @property
    def tree(self):
        """The page is XML too, so that a strict parser vouches for it."""
        return ElementTree.fromstring(self.page)


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory):
    """The whole demo, once, as a user runs it."""
    folder, kept, demonstrate = tmp_path_factory.mktemp("demo") / "new" / "report", [], demo.demonstrate

    def keeping(out):
        kept.append(demonstrate(out))
        return kept[0]

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "demonstrate", keeping)
        code = main(["demo", "--out", str(folder)])
    return Demonstration(code, out.getvalue(), err.getvalue(), folder, kept[0])
