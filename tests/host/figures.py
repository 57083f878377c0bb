"""How long things took that an operator waits for; printed, beside what is wished."""


def tell(what: str, seconds: float, goal: float) -> None:
    """Print one figure; a machine that does other things besides proves nothing."""
    verdict = "" if seconds <= goal else "  (over it)"
    print(f"\n  {what}: {seconds:.0f} s, wished for {goal:.0f} s{verdict}")  # noqa: T201
