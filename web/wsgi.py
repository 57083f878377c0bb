"""What gunicorn loads: the application of the configured installation."""

from appliance import migrations, settings
from web import create_app

_settings = settings.load()
migrations.require_current(_settings.database)
app = create_app(_settings)
