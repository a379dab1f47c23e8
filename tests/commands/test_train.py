import argparse
import signal

import numpy as np
import pytest

from autotiny.commands.main import main
from autotiny.commands.train import add_arguments, run
from autotiny.errors import AutotinyError
from autotiny.nn import DataError, load
from autotiny.nn.optimisers import GradientDescent


def train(*arguments):
    parser = argparse.ArgumentParser(prog="autotiny train")
    add_arguments(parser)
    return run(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture
def table(tmp_path):
    """Two kinds that one length tells apart."""
    path = tmp_path / "petals.csv"
    rows = [f"{length},{i % 7},{'rose' if length < 3 else 'lily'}" for i, length in enumerate(np.linspace(1, 5, 90))]
    path.write_text("length,other,kind\n" + "\n".join(rows) + "\n")
    return path


def test_digits_are_the_default(capsys):
    assert train("--epochs", 3) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "handwritten digits: 1797 examples of 64 features in 10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert lines[1] == "1294 to train, 144 to validate, 359 to test"
    assert lines[2] == "network 64-128-10, relu, 9610 parameters"
    assert lines[3] == "gradient-descent, learning rate 0.2, batches of 32"
    assert lines[4].startswith("trained to epoch 3, ")
    assert lines[5].startswith("best epoch 3: validation loss 0.")


def test_reported_accuracy_and_mistakes_agree(capsys):
    train("--epochs", 3)
    lines = capsys.readouterr().out.splitlines()
    words = next(line for line in lines if line.startswith("test accuracy")).split()
    right, total = int(words[3].lstrip("(")), int(words[5].rstrip(")"))
    assert words[2] == f"{right / total:.2%}"
    mistakes = [int(line.rsplit(":")[1]) for line in lines if " taken for " in line]
    assert 0 < sum(mistakes) <= total - right
    assert mistakes == sorted(mistakes, reverse=True)


def test_table_with_named_label_is_learnt(table, capsys):
    assert train(table, "--label", "kind", "--hidden", "8,4", "--activation", "tanh", "--optimiser", "adam") == 0
    out = capsys.readouterr().out
    assert "petals.csv: 90 examples of 2 features in 2 classes: lily, rose" in out
    assert "network 2-8-4-2, tanh, 70 parameters\nadam, learning rate 0.003, batches of 32" in out


def test_learning_what_is_easy_gives_every_test_example(table, capsys):
    train(table, "--learning-rate", "1", "--epochs", "300", "--patience", "300")
    out = capsys.readouterr().out
    assert "test accuracy 100.00% (18 of 18)" in out
    assert "mistakes" not in out


def test_resumed_run_ends_like_one_never_stopped(tmp_path, table, capsys, assert_same_bits):
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    options = (table, "--optimiser", "momentum", "--seed", 3, "--no-standardise")
    train(*options, "--epochs", 8, "--checkpoint", whole)
    train(*options, "--epochs", 3, "--checkpoint", parts)
    train("--resume", parts, "--epochs", 8)
    assert "resumed after epoch 3\n" in capsys.readouterr().out
    assert load(parts).history == load(whole).history
    assert_same_bits(load(parts).state.parameters, load(whole).state.parameters)


def test_resume_may_save_elsewhere(tmp_path, table):
    train(table, "--epochs", 2, "--checkpoint", tmp_path / "first.npz")
    train("--resume", tmp_path / "first.npz", "--epochs", 4, "--checkpoint", tmp_path / "second.npz")
    assert len(load(tmp_path / "first.npz").history) == 2
    assert len(load(tmp_path / "second.npz").history) == 4


def test_resume_takes_the_same_options_but_no_others(tmp_path, table):
    path = tmp_path / "run.npz"
    train(table, "--hidden", "8", "--epochs", 2, "--checkpoint", path)
    assert train(table, "--hidden", "8", "--resume", path, "--epochs", 3, "--patience", 5) == 0
    with pytest.raises(AutotinyError, match=r"run\.npz: --hidden was \[8\]; leave it out, or start a new training"):
        train("--hidden", "9", "--resume", path)


def test_resume_with_other_examples_is_refused(tmp_path, table):
    train(table, "--epochs", 2, "--checkpoint", tmp_path / "run.npz")
    table.write_text(table.read_text().replace("rose", "lily", 1))
    with pytest.raises(AutotinyError, match="this training began with other examples"):
        train("--resume", tmp_path / "run.npz")


def test_ctrl_c_reports_with_the_best_parameters_and_exits_130(capsys, monkeypatch):
    step, steps = GradientDescent.step, iter(range(1000))

    def interrupted_step(self, name, dW):
        if next(steps) == 500:
            signal.raise_signal(signal.SIGINT)
        return step(self, name, dW)

    monkeypatch.setattr(GradientDescent, "step", interrupted_step)
    assert train() == 130
    out = capsys.readouterr().out
    assert "stopped by Ctrl-C after epoch 3, " in out
    assert "test accuracy" in out


def test_checkpoint_that_cannot_be_written_is_an_error_before_the_first_epoch(tmp_path, capsys):
    with pytest.raises(AutotinyError, match="cannot write the checkpoint"):
        train("--checkpoint", tmp_path / "nowhere" / "run.npz")
    assert "epoch" not in capsys.readouterr().err


def test_errors_of_the_file_come_through(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.csv: No such file"):
        train(tmp_path / "nothing.csv")


# ----- several files -----


@pytest.fixture
def folder(table):
    """The same rows in three files, in the order of their names."""
    header, *rows = table.read_text().splitlines()
    folder = table.parent / "petals"
    folder.mkdir()
    for i in range(3):
        (folder / f"part{i}.csv").write_text("\n".join([header, *rows[30 * i : 30 * i + 30]]))
    return folder


def test_the_files_of_a_folder_are_split_and_trained_on(folder, capsys):
    assert train(folder, "--label", "kind", "--epochs", 40, "--batch", 5) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{folder.name}, 3 files: 90 examples of 2 features in 2 classes: lily, rose"
    assert lines[1] == "66 to train, 6 to validate, 18 to test"
    assert any(line.startswith("test accuracy 100.00% (18 of 18)") for line in lines)


def test_files_by_name_are_those_of_their_folder(folder, tmp_path, assert_same_bits):
    train(folder, "--epochs", 2, "--checkpoint", tmp_path / "whole.npz")
    train(*sorted(folder.glob("*.csv")), "--epochs", 2, "--checkpoint", tmp_path / "parts.npz")
    assert_same_bits(load(tmp_path / "whole.npz").state.parameters, load(tmp_path / "parts.npz").state.parameters)


def test_a_training_on_a_folder_is_resumed(folder, tmp_path):
    train(folder, "--epochs", 4, "--checkpoint", tmp_path / "whole.npz")
    train(folder, "--epochs", 2, "--checkpoint", tmp_path / "parts.npz")
    train("--resume", tmp_path / "parts.npz", "--epochs", 4)
    assert load(tmp_path / "parts.npz").history == load(tmp_path / "whole.npz").history


def test_workers_give_the_same_bits(folder, tmp_path, capsys, assert_same_bits):
    options = (folder, "--epochs", 2, "--batch", 1000)
    train(*options, "--checkpoint", tmp_path / "here.npz")
    train(*options, "--checkpoint", tmp_path / "there.npz", "--workers", 1)
    here, there = load(tmp_path / "here.npz"), load(tmp_path / "there.npz")
    assert here.history == there.history
    assert_same_bits(here.state.parameters, there.state.parameters)
    assert "workers" not in capsys.readouterr().out


def test_workers_with_nothing_to_do_are_named(folder, capsys):
    train(folder.parent / "petals.csv", "--epochs", 1, "--workers", 1)
    assert "one file is trained on in this process: workers are for several files" in capsys.readouterr().out
    train(folder, "--epochs", 1, "--workers", 1, "--batch", 5)
    assert "batches are within a file: with --batch 60 or more, workers compute them" in capsys.readouterr().out


def test_errors_of_one_of_the_files_name_it(folder):
    (folder / "part1.csv").write_text("length,other,kind\n1,x,rose\n")
    with pytest.raises(AutotinyError, match=r"shard 1, .*part1\.csv: line 2: column other is 'x'"):
        train(folder)


def test_a_folder_without_tables_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"the folder has no \.csv, \.csv\.gz, \.npz file"):
        train(tmp_path)


def test_workers_here_and_on_a_cluster_exclude_each_other():
    with pytest.raises(AutotinyError, match="--workers starts processes here, --dask uses those of a cluster"):
        train("--workers", 2, "--dask", "tcp://host:8786")


def test_dask_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setattr("autotiny.commands.workers.find_spec", lambda name: None)
    with pytest.raises(AutotinyError, match=r"--dask needs Dask: pip install 'dask\[distributed\]'"):
        train("--dask", "tcp://host:8786")


@pytest.mark.parametrize("option", ["--test", "--validation"])
def test_fraction_that_leaves_nothing_is_refused(option, table):
    with pytest.raises(DataError, match="leaves one side empty"):
        train(table, option, "1")


def test_learning_rate_that_is_too_large_is_reported(table):
    with pytest.raises(AutotinyError, match=r"in epoch 1; a learning rate below 1e\+200 may help"):
        train(table, "--learning-rate", "1e200")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hidden", "8,0"), "argument --hidden: expected a whole number of at least 1; got '0'"),
        (("--hidden", "eight"), "argument --hidden: expected a whole number"),
        (("--batch", "-1"), "argument --batch: expected a whole number"),
        (("--epochs", "2.5"), "argument --epochs: expected a whole number"),
        (("--seed", "-1"), "argument --seed: expected a whole number of at least 0; got '-1'"),
        (("--activation", "step"), "argument --activation: invalid choice: 'step'"),
    ],
)
def test_invalid_options_are_refused_with_exit_code_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        train(*arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_help_shows_examples(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert "autotiny train flowers.csv --label species" in capsys.readouterr().out
