"""The playbooks: they parse, lint finds nothing, and what they write is taken."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jinja2
import pytest

from appliance import settings as configuration
from appliance.sizing import Machine, sizes

ANSIBLE = Path(__file__).resolve().parents[2] / "ansible"
BIN = Path(sys.executable).parent
PLAYBOOKS = sorted(ANSIBLE.glob("*.yml"))
# In an environment of its own: it brings forty packages.
LINT = ANSIBLE.parent / "var" / "lint" / "bin"

needs_ansible = pytest.mark.skipif(
    not (BIN / "ansible-playbook").exists(), reason="ansible-core is not installed"
)


@needs_ansible
def test_every_playbook_can_be_read(tmp_path: Path) -> None:
    command = ["ansible-playbook", "--syntax-check", "-i", "localhost,"]
    done = subprocess.run(
        [BIN / command[0], *command[1:], *PLAYBOOKS],
        env=os.environ
        | {
            "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"),
            "ANSIBLE_HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not (LINT / "ansible-lint").exists(), reason="make lint")
def test_lint_finds_nothing() -> None:
    done = subprocess.run(
        [LINT / "ansible-lint", "--offline", "--profile", "production", "-q", "."],
        cwd=ANSIBLE,
        env=os.environ | {"PATH": f"{LINT}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout


def _rendered(settings: dict[str, Any]) -> str:
    """Render the configuration with the filters of Ansible that it uses."""
    environment = jinja2.Environment(
        trim_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False
    )
    environment.filters["to_json"] = json.dumps
    template = ANSIBLE / "roles/configuration/templates/etc/matinee/matinee.toml.j2"
    return environment.from_string(template.read_text()).render(
        generated_settings=settings
    )


def test_the_configuration_that_is_written_is_read_as_it_was_meant(
    tmp_path: Path,
) -> None:
    machine = Machine(cores=4, memory=8000)
    meant = sizes(machine).settings() | {
        "portal": {"name": 'Film “Eins” \\ "Zwei" 🎬', "home_cards": 7},
        "uploads": {"from_urls": True},
        "storage": {"media": "/srv/matinee/media"},
    }
    path = tmp_path / "matinee.toml"

    path.write_text(_rendered(meant))
    found = configuration.load(path, {})

    assert found.portal.name == 'Film “Eins” \\ "Zwei" 🎬'
    assert found.portal.home_cards == 7
    assert found.uploads.from_urls is True
    assert found.web.workers == 4
    assert found.nginx.workers == "4"


def test_every_variable_is_explained_where_it_has_its_default() -> None:
    text = (ANSIBLE / "group_vars/all.yml").read_text()
    told = set(re.findall(r"^(matinee_\w+):", text, re.MULTILINE))
    used = {
        name
        for path in ANSIBLE.rglob("*")
        if path.suffix in (".yml", ".j2") and "files" not in path.parts
        for name in re.findall(r"\bmatinee_[a-z_]+\b", path.read_text())
    }

    # What begins one of them, as in a sentence, is none.
    assert sorted(used - told) == []
    for paragraph in text.removeprefix("---\n").split("\n\n"):
        assert paragraph.startswith("#"), paragraph


@pytest.mark.parametrize("role", sorted((ANSIBLE / "roles").iterdir()), ids=str)
def test_a_role_uses_what_ansible_itself_brings(role: Path) -> None:
    modules = {
        found
        for path in role.rglob("*.yml")
        for found in re.findall(
            r"^\s+(?:- )?((?:\w+\.){2,}\w+):", path.read_text(), re.MULTILINE
        )
    }

    assert [each for each in modules if not each.startswith("ansible.builtin.")] == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    "script",
    [
        ANSIBLE / "install.sh",
        ANSIBLE / "roles/layout/files/usr/local/bin/matinee",
        ANSIBLE / "roles/layout/files/folders.sh",
        ANSIBLE / "roles/services/files/apply.sh",
    ],
    ids=lambda path: path.name,
)
def test_the_shell_can_read_its_scripts(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)
    assert script.stat().st_mode & 0o111 or script.name == "apply.sh"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--nonsense"], 2, "There is no option --nonsense."),
        (["--purge"], 2, "--purge belongs to --uninstall."),
        (["--answers"], 2, "--answers needs a file."),
        (["--seconds", "soon"], 2, "--seconds needs a number."),
    ],
    ids=["unknown", "purge alone", "no file", "no number"],
)
def test_the_installer_says_what_is_wrong_with_its_options(
    words: list[str], code: int, sentence: str
) -> None:
    done = subprocess.run(
        [ANSIBLE / "install.sh", *words], capture_output=True, text=True
    )

    assert done.returncode == code
    assert sentence in done.stderr
