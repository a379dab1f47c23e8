"""The server, used as the page uses it."""

import base64
import hashlib
import json
import re
import runpy
import subprocess
import sys
import time
from importlib.resources import files
from xml.dom import minidom

import pytest

from autotiny.commands.main import main
from autotiny.drawing import GraphvizMissingError
from autotiny.drawing.figure import SERVED
from autotiny.language import Limits
from autotiny.playground.answers import answer
from autotiny.playground.server import STATIC
from autotiny.sessions.session import Session

EXAMPLES = json.loads(STATIC["examples.json"].body)
TITLES = [example["title"] for example in EXAMPLES]


def asked(client, kind, example, **changes):
    state = {**example, **changes}
    more = {"claims": state["claims"], "dataset": state.get("dataset", "")}
    return client.ask(kind, state["program"], state["values"], **more)


def test_the_page_is_served_with_all_that_it_loads(client):
    status, headers, body = client.get("")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for name in re.findall(r'(?:src|href)="([^"]+)"', body.decode()):
        assert client.get(name)[0] == 200


def test_every_module_that_a_module_imports_is_served():
    modules = [file.body.decode() for name, file in STATIC.items() if name.endswith(".js")]
    imported = {name for module in modules for name in re.findall(r'from "\./([^"]+)"', module)}
    assert imported <= STATIC.keys()


def test_the_page_loads_nothing_from_elsewhere():
    texts = "".join(file.body.decode() for file in STATIC.values())
    addresses = set(re.findall(r"https?://[^\s\"']+", texts))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}  # names, not addresses


def test_every_file_of_the_folder_is_known_by_its_kind():
    assert {file.name for file in (files("autotiny.playground") / "static").iterdir()} | {*SERVED} == STATIC.keys()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_both_names_of_the_loopback_address_will_do(client, name):
    host = f"{name}:{client.gate.port}"
    assert client.get("", Host=host, Origin=f"http://{host}")[0] == 200


def test_a_connection_is_kept_for_the_next_question(client):
    assert "close" not in client.get("")[1].get("Connection", "")


# ----- pictures -----
def test_a_picture_comes_with_values_and_gradients(client):
    answer = client.ask("picture", "p = a * b\nL = p + a", {"a": {"value": 2}, "b": {"value": -3}})
    assert minidom.parseString(answer["svg"]).documentElement.tagName == "svg"
    assert answer["gradients"] == {"a": -2.0, "b": 2.0}
    assert answer["lines"] == [
        {"line": 1, "name": "p", "shape": [], "value": "-6", "gradient": "1"},
        {"line": 2, "name": "L", "shape": [], "value": "-4", "gradient": "1"},
    ]
    assert answer["names"] == ["a", "b", "p", "L"]


def test_a_result_without_a_name_has_its_line(client):
    answer = client.ask("picture", "\n\ny = 2 * x\ny + 1", {"x": {"value": 3}})
    assert [(each["line"], each["value"]) for each in answer["lines"]] == [(3, "6"), (4, "7")]


@pytest.mark.parametrize(
    ("program", "line", "column", "width"),
    [("tanhh(x)", 1, 1, 5), ("y = x\ny + zz", 2, 5, 2), ("\n\ntanhh(x)", 3, 1, 5), ("x +", 1, 4, 1)],
)
def test_an_error_has_its_place_in_the_text_as_written(client, program, line, column, width):
    error = client.ask("picture", program, {"x": {"value": 1}})["error"]
    assert (error["line"], error["column"]) == (line, column)
    assert error["width"] in (width, width + 3)  # of a call, the whole call may be meant


def test_an_error_suggests_what_was_meant(client):
    assert "did you mean tanh?" in client.ask("picture", "tanhh(x)", {"x": {"value": 1}})["error"]["message"]


def test_names_without_a_value_are_listed_in_their_order(client):
    error = client.ask("picture", "y = w * x + b\nz = y * pi + tanh(c)", {"x": {"value": 1}})["error"]
    assert error["unknown"] == ["w", "b", "c"]


@pytest.mark.parametrize(
    ("program", "note"),
    [
        ("2 + 3", "a value by itself"),
        ("y = shape(x)", "depends on no array or variable"),
        ("y = d * 2", "depends on data alone"),
        ("y = x * 2", "has shape (2,)"),
    ],
)
def test_a_result_without_gradients_says_why(client, program, note):
    answer = client.ask("picture", program, {"x": {"value": [1, 2]}, "d": {"value": [1], "data": True}})
    assert note in answer["note"]
    assert answer["gradients"] == {}


def test_numbers_in_the_program_are_variables(client):
    """As in a session, of which the page is a face."""
    assert "variable" in client.ask("picture", "x = 3\ny = x * x")["svg"]


def test_values_in_the_program_are_listed_as_they_could_have_sliders(client):
    answer = client.ask("picture", "x = 3\nX = array([1, 2])\ny = sum(x * X)\n2")
    assert answer["literals"] == [
        {"name": "x", "line": 1, "data": False, "value": 3.0},
        {"name": "X", "line": 2, "data": True, "value": [1, 2]},
    ]


def test_without_graphviz_there_are_gradients_and_the_graph_as_text(monkeypatch):
    def render(*_):
        raise GraphvizMissingError("draw: there is no Graphviz")

    monkeypatch.setattr("autotiny.drawing.composition.render", render)
    reply = answer({"kind": "picture", "program": "y = x * x", "values": {"x": {"value": 3}}}, Limits())
    assert reply["gradients"] == {"x": 6.0}
    assert reply["note"] == "draw: there is no Graphviz"
    assert "x * x" in reply["text"]


def test_a_result_that_is_not_the_last_line_is_named(client):
    answer = client.ask("picture", "L = sum(x * x)\nz = 2 * x", {"x": {"value": [1, 2]}})
    assert answer["note"] == "Gradients are of L, the last single number that depends on a variable."
    assert answer["gradients"] == {"x": [2.0, 4.0]}


def test_a_name_is_given_once(client):
    error = client.ask("picture", "y = 2 * x\nx = y", {"x": {"value": 1}})["error"]
    assert (error["line"], error["column"], error["width"]) == (2, 1, 1)
    assert "x is one of the values already" in error["message"]
    message = client.ask("picture", "y = 1\ny = 2")["error"]["message"]
    assert message == "y is already defined, in line 1; write y2 = 2"


@pytest.mark.parametrize("program", ["", "  \n ", "# nothing"])
def test_an_empty_program_says_what_to_write(client, program):
    message = client.ask("picture", program)["error"]["message"]
    assert "write one, such as" in message or "only comments" in message


def test_whole_numbers_of_data_are_sizes(client):
    answer = client.ask("picture", "sum(W @ eye(n))", {"n": {"value": 2, "data": True}, "W": {"value": [[1, 2]]}})
    assert answer["gradients"] == {"W": [[1.0, 1.0]]}


def test_nan_and_inf_are_sent_as_text(client):
    answer = client.ask("picture", "log(x)", {"x": {"value": 0}})
    assert answer["gradients"] == {"x": "inf"}
    assert answer["lines"][0]["value"] == "-inf"


def test_names_are_drawn_as_text(client):
    """What Python allows as a name needs no escape; markup is no name."""
    answer = client.ask("picture", "größe = x * x", {"x": {"value": 3}})
    assert "größe" in answer["svg"]
    assert "<script" not in answer["svg"]


# ----- comparison -----
def test_a_claim_that_holds_agrees(client):
    (row,) = client.ask("comparison", "y = sum(x**2)", {"x": {"value": [1, 2]}}, claims="dx = 2 * x")["rows"]
    assert (row["name"], row["line"], row["ok"], row["verdict"]) == ("x", 1, True, "agrees")


def test_a_wrong_claim_is_reported_with_its_place_and_reason(client):
    (row,) = client.ask("comparison", "y = sum(x**2)", {"x": {"value": [1, 2]}}, claims="\n\ndx = x")["rows"]
    assert (row["ok"], row["line"], row["at"]) == (False, 3, [1])
    assert row["notes"] == ["0.5 times the gradient: a missing factor of 2?"]


def test_a_claim_of_another_shape_is_reported(client):
    (row,) = client.ask("comparison", "y = sum(x**2)", {"x": {"value": [1, 2]}}, claims="dx = 2")["rows"]
    assert not row["ok"]
    assert row["verdict"] == "x is (2,), and its closed form is ()"


def test_claims_may_use_one_another_and_every_name(client):
    claims = "dz = 1 - y**2\nhelp = dz * x\ndw = help"
    rows = client.ask("comparison", "z = w * x\ny = tanh(z)", {"w": {"value": 1}, "x": {"value": 2}}, claims=claims)[
        "rows"
    ]
    assert [(row["name"], row["ok"]) for row in rows] == [("z", True), ("w", True)]


def test_claims_about_nothing_say_what_could_be_claimed(client):
    answer = client.ask("comparison", "y = x * x", {"x": {"value": 1}}, claims="gradient = 2 * x")
    assert answer["error"]["message"] == "no gradient is claimed yet: assign to one of dx, dy"


def test_an_error_in_a_claim_has_its_place(client):
    error = client.ask("comparison", "y = x * x", {"x": {"value": 1}}, claims="a = 1\ndx = xx")["error"]
    assert (error["line"], error["column"]) == (2, 6)


# ----- examples -----
@pytest.mark.parametrize("example", EXAMPLES, ids=TITLES)
def test_an_example_has_a_gradient_for_every_variable(client, example):
    answer = asked(client, "picture", example)
    assert answer["note"] == ""
    assert answer["gradients"].keys() == {name for name, given in example["values"].items() if not given.get("data")}


@pytest.mark.parametrize("example", EXAMPLES, ids=TITLES)
def test_what_an_example_claims_holds(client, example):
    rows = asked(client, "comparison", example)["rows"]
    assert [row["name"] for row in rows if not row["ok"]] == []
    assert len(rows) == len(example["claims"].splitlines())


def test_the_textbooks_dz_without_its_m_is_recognised(client):
    network = EXAMPLES[TITLES.index("A two-layer network")]
    (row,) = asked(client, "comparison", network, claims="dZ2 = A2 - Y")["rows"]
    assert row["notes"] == ["4 times the gradient: a missing 1/m?"]


@pytest.mark.parametrize("typed", [
    "dZ2 = (1/4)(A2 - Y)", r"dZ2 = \frac{1}{4}(A_2 - Y)", "dZ1 = W2^T dZ2 * 1[Z1 > 0]", "∂J/∂W2 = 1/4 (A2 - Y) A1ᵀ",
    "E = A2 - Y\ndW2 = 1/4 E A1^T",
])  # fmt: skip
def test_a_gradient_may_be_typed_as_on_paper(client, typed):
    network = EXAMPLES[TITLES.index("A two-layer network")]
    (row,) = asked(client, "comparison", network, claims=typed)["rows"]
    assert row["ok"]
    assert row["line"] == len(typed.splitlines())


def test_a_wrong_gradient_typed_as_on_paper_is_explained(client):
    network = EXAMPLES[TITLES.index("A two-layer network")]
    (row,) = asked(client, "comparison", network, claims="dZ1 = W2^T dZ2")["rows"]
    assert not row["ok"]
    assert "the gradient without the mask 1[Z1 > 0]: forgotten?" in row["verdict"]


def test_a_place_in_a_gradient_typed_as_on_paper_is_shown(client):
    network = EXAMPLES[TITLES.index("A two-layer network")]
    error = asked(client, "comparison", network, claims="dZ2 = (1/4)(A2 - Y)\ndW2 = (1/4)(A2 - Y A1^T")["error"]
    assert error["line"] == 2


# ----- files -----
def test_the_picture_is_exported(client):
    answer = client.ask("export", "y = x * x", {"x": {"value": 3}}, form="svg")
    assert answer["name"] == "playground.svg"
    assert minidom.parseString(answer["text"]).documentElement.tagName == "svg"


def test_the_script_computes_the_same(client, tmp_path):
    """Run by Python, with nothing beside it, however large the values are."""
    values = {"W": {"value": [[1, 2.5]] * 30}, "x": {"value": [0.5, -1], "data": True}, "n": {"value": 2, "data": True}}
    answer = client.ask("export", "y = tanh(W @ x)\nL = sum(y**n)", values, form="py")
    path = tmp_path / answer["name"]
    path.write_text(answer["text"])
    scope = runpy.run_path(str(path))
    ours = client.ask("picture", "y = tanh(W @ x)\nL = sum(y**n)", values)["gradients"]["W"]
    assert scope["W"].grad.tolist() == ours


def test_the_script_is_a_session(client, tmp_path):
    answer = client.ask("export", "y = x * x", {"x": {"value": 3}}, form="py")
    (tmp_path / answer["name"]).write_text(answer["text"])
    assert Session.load(tmp_path / answer["name"]).grad("x") == 6


def test_the_stepping_page_is_exported_and_shown(client):
    values = {"x": {"value": 3}}
    answer = client.ask("export", "y = x * x", values, form="html")
    assert answer["name"] == "playground.html"
    assert answer["text"] == client.ask("steps", "y = x * x", values)["html"]


def test_the_policy_lets_the_stepping_page_run_and_nothing_else(client):
    """Its one script and its one style sheet, by their hashes; it has no other style."""
    text = client.ask("steps", "y = x * x", {"x": {"value": [[3, 4]]}})["html"]
    policy = client.get("")[1]["Content-Security-Policy"]
    for tag in ("script", "style"):
        (inline,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'" in policy
    assert " style=" not in text


def test_there_is_no_other_form(client):
    assert "expected one of" in client.ask("export", "y = x * x", {"x": {"value": 3}}, form="exe")["error"]["message"]


# ----- the command -----
def test_play_prints_an_address_that_answers_and_ends_with_ctrl_c():
    import signal
    import urllib.request

    command = [
        sys.executable,
        "-m",
        "autotiny",
        "play",
        "--no-browser",
        "http://127.0.0.1:1/old/#program=x%20*%20x&let.x=3",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        address, fragment = process.stdout.readline().removeprefix("autotiny play: ").strip().split("#")
        with urllib.request.urlopen(address, timeout=20) as page:
            assert b"<title>autotiny</title>" in page.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert fragment == "program=x%20*%20x&let.x=3"
        assert "stopped by Ctrl-C" in process.stderr.read()


def test_a_missing_script_is_reported(capsys):
    assert main(["play", "--no-browser", "nowhere.py"]) == 2
    assert "nowhere.py: No such file" in capsys.readouterr().err


def test_a_port_in_use_is_reported(server, capsys):
    assert main(["play", "--no-browser", "--port", str(server.gate.port)]) == 2
    assert "in use" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_an_invalid_port_is_refused(port, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["play", "--port", port])
    assert "--port: expected a port from 0 to 65535" in capsys.readouterr().err


def test_closing_ends_what_computes():
    from autotiny.playground.server import Server

    with Server() as server:
        processes = [worker.process for worker in server.pool.workers]
    deadline = time.monotonic() + 10
    while any(process.is_alive() for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(process.is_alive() for process in processes)


# ----- entries -----
def test_entries_of_a_card_come_with_their_chain_rule(client):
    values = {"W": {"value": [[1.0, 2.0]]}, "x": {"value": [[3.0], [4.0]]}}
    answer = client.ask("entries", "y = sum(W @ x)", values, card="n0")
    assert (answer["name"], answer["value"], answer["gradient"]) == ("W", [1, 2], [3, 4])
    assert answer["uses"][0]["slopes"] == [3, 4]


def test_entries_of_no_card_are_an_error(client):
    answer = client.ask("entries", "y = x * x", {"x": {"value": 2.0}}, card="<b>")
    assert answer["error"]["message"] == "draw: '<b>' is not the card of a value"


def test_the_dialog_of_entries_is_served(client):
    for name in ("closer.js", "closer.css"):
        status, _, body = client.get(name)
        assert status == 200
        assert b"closer" in body.lower()
