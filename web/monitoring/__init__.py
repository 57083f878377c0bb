"""``/metrics``: the figures of this installation, for Prometheus."""

from flask import Blueprint

from web.monitoring import metrics

blueprint = Blueprint("monitoring", __name__)
blueprint.add_url_rule("/metrics", view_func=metrics.metrics, methods=["GET"])
