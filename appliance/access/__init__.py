"""Who may watch what: entitlements, and the one evaluator that says yes or no."""
