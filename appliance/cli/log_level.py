"""``matinee log-level``: from which level on processes write, for a while."""

from datetime import UTC, datetime

import click

from appliance import logs
from appliance.cli.installation import Installation, pass_installation
from appliance.clock import to_text


@click.command(name="log-level")
@click.argument("level", type=click.Choice(logs.LEVELS), required=False)
@click.option(
    "--minutes",
    type=click.IntRange(1, 24 * 60),
    default=15,
    show_default=True,
    help="For how long; then monitoring.log_level holds again.",
)
@click.option("--usual", is_flag=True, help="What monitoring.log_level says, at once.")
@pass_installation
def log_level(
    installation: Installation, level: str | None, minutes: int, usual: bool
) -> None:
    """Let all processes of this machine write from LEVEL on, without a restart.

    They hear of it within five seconds. Without LEVEL it is said what holds now.

    \b
    matinee log-level debug --minutes 15
    matinee log-level --usual
    """
    settings = installation.settings
    if usual:
        logs.wish(settings, settings.monitoring.log_level, 0)
    elif level:
        logs.wish(settings, level, minutes * 60)
    wish = logs.wished(settings)
    until = to_text(datetime.fromtimestamp(wish.until, UTC)) if wish else None
    holds = wish.level if wish else settings.monitoring.log_level
    text = f"{holds}, until {until}" if until else f"{holds} (monitoring.log_level)"
    installation.out.result({"level": holds, "until": until}, text)
