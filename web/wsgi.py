"""What gunicorn loads: the application of the configured installation."""

from appliance import file_systems, in_use, logs, migrations, settings
from web import create_app

_settings = settings.load()
logs.begin(_settings)
logs.listen(_settings)
_hold = in_use.join(_settings.home)
file_systems.require_local(_settings)
migrations.require_current(_settings.database)
app = create_app(_settings)
