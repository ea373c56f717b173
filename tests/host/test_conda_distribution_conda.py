"""conda as it really behaves: its configuration, terms, traces and paths, with the stand-in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from one_task import TaskFailed
from small_distribution import installer, wheel
from test_conda_distribution import MACHINE, Account

pytest_plugins = ["test_conda_distribution"]

TERMS_PLUGIN = 'touch "$prefix/conda-meta/conda-anaconda-tos-0.2.2-py313_1.json"; exit 0'
FROZEN = 'touch "$prefix/conda-meta/frozen"; exit 0'


def publish(account: Account, name: str, end: str) -> dict[str, str]:
    """An installer whose last lines are these."""
    content = installer(account.served.certificate, end=end)
    return account.served.publish(f"{name}-Linux-{MACHINE}.sh", content)


def from_conda(account: Account) -> dict[str, object]:
    return {"packages_from": "conda", "channels": [f"{account.served.url}/simple"]}


def conda(account: Account, *words: str) -> str:
    """What a person types, with the path that people use."""
    return subprocess.run(
        [f"{account.prefix}/bin/conda", *words],
        env={"HOME": str(account.home), "PATH": os.environ["PATH"]},
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


def upgrade(account: Account, name: str) -> dict[str, object]:
    return account.run(**publish(account, f"Miniforge3-{name}", f"exit 0 # {name}"))


def test_what_conda_writes_for_itself_keeps_no_generation(account: Account) -> None:
    first = account.run()
    conda(account, "create", "-n", "mine")
    assert (Path(first["generation"]) / "envs/.conda_envs_dir_test").exists()
    upgrade(account, "11")
    upgrade(account, "12")
    assert Path(first["generation"]).is_symlink()
    assert "mine" in conda(account, "env", "list")


def test_nothing_of_condas_own_is_left_after_a_removal(account: Account) -> None:
    account.run()
    conda(account, "create", "-n", "mine")
    conda(account, "clean", "--all", "--yes")
    subprocess.run(["rm", "-r", f"{account.prefix}.d/envs/mine"], check=True)
    account.run(state="absent", url="", sha256="", index_url="", distribution="")
    ours = str(account.prefix)
    assert [path for path in account.everything() if path.startswith(ours)] == []


def test_accepted_terms_hold_for_the_run_and_for_the_persons_own_conda(account: Account) -> None:
    miniconda = publish(account, "Miniconda3-1", TERMS_PLUGIN)
    options = {**miniconda, **from_conda(account), "distribution": "miniconda"}
    with pytest.raises(TaskFailed, match="anaconda_accept_terms: true"):
        account.run(**options)
    assert account.everything() == []
    made = account.run(accept_terms=True, **options)
    assert made["packages"] == {"parcel": "2.1"}
    conda(account, "create", "-n", "mine")
    assert not (account.home / ".conda/tos").exists()


def test_terms_of_an_unexpected_plugin_are_named(account: Account) -> None:
    options = {**publish(account, "Miniforge3-terms", TERMS_PLUGIN), **from_conda(account)}
    with pytest.raises(TaskFailed, match=r"terms of service.*anaconda_accept_terms: true"):
        account.run(**options)


def test_a_frozen_base_is_named_with_what_helps(account: Account) -> None:
    frozen = publish(account, "Miniforge3-frozen", FROZEN)
    with pytest.raises(TaskFailed, match=r"base .* is frozen.*anaconda_packages_from: pip"):
        account.run(**frozen, **from_conda(account))
    assert account.run(**frozen)["packages"] == {"parcel": "2.1"}


def test_the_words_of_conda_for_a_full_disk_are_understood(account: Account) -> None:
    words = "Not enough free disk space. Only 68327 MB are available, but 976562 MB are required"
    full = publish(account, "Full", f'echo "{words}" >&2; exit 1')
    with pytest.raises(TaskFailed, match=r"not enough room: .*Make room and run again"):
        account.run(**full)


CONDARC = (
    "printf 'channels:\\n  - conda-forge\\nenvs_dirs:\\n  - ~/theirs\\n' >\"$prefix/.condarc\""
)


def test_the_configuration_of_an_installer_stays_and_ours_stands_beside_it(
    account: Account,
) -> None:
    account.run(**publish(account, "Miniforge3-rc", f"{CONDARC}; exit 0"))
    shown = conda(account, "config", "--show", "envs_dirs").split()
    assert shown[2::2] == [f"{account.prefix}.d/envs", "~/.conda/envs", "~/theirs"]


def test_a_conda_that_cannot_read_its_configuration_does_not_become_live(account: Account) -> None:
    twice = publish(account, "Miniforge3-twice", f"{CONDARC}; {CONDARC.replace('>', '>>')}; exit 0")
    with pytest.raises(TaskFailed, match="conda does not run: DuplicateKeyError"):
        account.run(**twice)
    assert not account.prefix.exists()


def test_the_certificates_of_the_site_are_known_to_the_persons_own_conda_and_pip(
    account: Account,
) -> None:
    made = account.run(**publish(account, "Miniforge3-pip", 'rm "$prefix/pip.conf"; exit 0'))
    bundle = str(account.served.certificate)
    assert bundle in conda(account, "config", "--show", "ssl_verify")
    wheel(account.served.root, "later", "1.0")
    pip = [made["python"], "-m", "pip", "install", "--index-url", account.options["index_url"]]
    home = {"HOME": str(account.home), "PATH": os.environ["PATH"]}
    subprocess.run([*pip, "later"], env=home, check=True, stdout=subprocess.DEVNULL)


def in_new_shell(account: Account, command: str) -> str:
    """What a person gets who logs in again."""
    home = {"HOME": str(account.home), "PATH": "/usr/bin:/bin"}
    words = ["bash", "-c", f". ~/.bashrc; {command}"]
    return subprocess.check_output(words, env=home, text=True).strip()


def test_conda_init_names_the_path_that_stays(account: Account) -> None:
    first = account.run()
    conda(account, "init", "bash")
    assert first["generation"] not in (account.home / ".bashrc").read_text()
    account.run(**publish(account, "Miniforge3-21", 'touch "$prefix/second"; exit 0'))
    assert in_new_shell(account, "command -v conda") == f"{account.prefix}/bin/conda"
    assert in_new_shell(account, 'ls "$(dirname "$(command -v conda)")/../second"')
    assert in_new_shell(account, f". {account.prefix}/etc/profile.d/conda.sh; echo $CONDA_EXE") == (
        f"{account.prefix}/bin/conda"
    )


def test_what_people_made_with_a_pruned_generation_leads_to_the_live_one(account: Account) -> None:
    first = account.run()
    script = account.home / "script"
    script.write_text(f"#!{first['generation']}/bin/python\nimport parcel\nprint(parcel.VALUE)\n")
    script.chmod(0o755)
    made = [
        f"{first['generation']}/bin/python",
        "-m",
        "venv",
        "--without-pip",
        account.home / "venv",
    ]
    subprocess.run(made, check=True)
    upgrade(account, "31")
    upgrade(account, "32")
    assert Path(first["generation"]).is_symlink()
    assert subprocess.check_output([script]) == b"21\n"
    subprocess.run([account.home / "venv/bin/python", "-c", "import ssl"], check=True)
    assert account.run(**account.served.publish("Again.sh", installer(account.served.certificate)))
    removed = account.run(state="absent", url="", sha256="", index_url="", distribution="")
    assert removed["kept"] == []


def test_the_version_of_a_pruned_generation_can_be_installed_again(account: Account) -> None:
    first = account.run()
    upgrade(account, "41")
    upgrade(account, "42")
    again = account.run()
    assert again["generation"] == first["generation"]
    assert not Path(first["generation"]).is_symlink()
    assert account.run()["changed"] is False


def test_environments_outlive_upgrades_and_are_found_by_the_same_commands(account: Account) -> None:
    account.run()
    conda(account, "create", "-n", "mine")
    mine = f"{account.prefix}.d/envs/mine"
    precious = Path(mine, "data")
    precious.write_text("dear")
    before = conda(account, "env", "list")
    for name in ("51", "52", "53"):
        upgrade(account, name)
    assert conda(account, "env", "list") == before == f"base  {account.prefix}\nmine  {mine}\n"
    assert precious.read_text() == "dear"


def test_what_people_install_into_the_base_keeps_its_generation(account: Account) -> None:
    first = account.run()
    channel = f"{account.served.url}/simple"
    conda(account, "install", "--yes", "-c", channel, "--override-channels", "letter")
    for name in ("61", "62", "63"):
        upgrade(account, name)
    assert not Path(first["generation"]).is_symlink()
    python = f"{first['generation']}/bin/python"
    subprocess.run([python, "-c", "import letter"], check=True)
    assert "letter" not in conda(account, "list")


def test_cleaning_the_cache_of_conda_changes_nothing_for_us(account: Account) -> None:
    made = account.run()
    cache = Path(made["generation"]) / "pkgs/cache"
    cache.mkdir(parents=True)
    (cache / "abc.json").touch()
    assert account.run()["changed"] is False
    conda(account, "clean", "--all", "--yes")
    assert not cache.exists()
    assert account.run()["changed"] is False
