"""``matinee completion``: the script that makes a shell complete commands."""

import click
from click.shell_completion import get_completion_class

from appliance.cli.installation import Installation, pass_installation


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@pass_installation
@click.pass_context
def completion(context: click.Context, installation: Installation, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    matinee completion bash > /etc/bash_completion.d/matinee
    """
    kind = get_completion_class(shell)
    assert kind is not None
    root = context.find_root().command
    script = kind(root, {}, "matinee", "_MATINEE_COMPLETE").source()
    installation.out.result({"shell": shell, "script": script}, script)
