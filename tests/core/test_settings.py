"""Settings: where they come from, and what is refused."""

from pathlib import Path

import pytest

from appliance import settings
from appliance.errors import ConfigError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "matinee.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    found = settings.load(environ={"MATINEE_HOME": str(tmp_path)})

    assert found.home == tmp_path
    assert found.database == tmp_path / "matinee.db"
    assert found.web.port == 8600


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, '[web]\nport = 9000\nhost = "::1"\n')

    found = settings.load(path, {"MATINEE_WEB_PORT": "9001"})

    assert (found.web.port, found.web.host) == (9001, "::1")


def test_the_file_may_be_named_in_the_environment(tmp_path: Path) -> None:
    path = write(tmp_path, '[portal]\nname = "Riverside"\n')

    found = settings.load(environ={"MATINEE_CONFIG": str(path)})

    assert found.portal.name == "Riverside"
    assert found.source == path


def test_folders_may_lie_outside_the_home(tmp_path: Path) -> None:
    path = write(tmp_path, '[storage]\nmedia = "/srv/films"\n')

    assert settings.load(path, {}).media == Path("/srv/films")


def test_an_unknown_key_is_refused_with_file_line_and_key(tmp_path: Path) -> None:
    path = write(tmp_path, "# comment\n[web]\nport = 9000\nprot = 9000\n")

    with pytest.raises(ConfigError) as refused:
        settings.load(path, {})

    assert refused.value.message.startswith(f"{path}:4: ")
    assert "web.prot" in refused.value.message
    assert "port" in refused.value.message


def test_an_unknown_section_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "[web]\nport = 9000\n\n[wbe]\nport = 1\n")

    with pytest.raises(ConfigError, match=r"matinee\.toml:4: .*“wbe”"):
        settings.load(path, {})


def test_a_dotted_key_is_found_in_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "web.port = 9000\nweb.prot = 1\n")

    with pytest.raises(ConfigError, match=r"matinee\.toml:2: "):
        settings.load(path, {})


@pytest.mark.parametrize(
    "text",
    ['[web]\nport = "9000"\n', "[web]\nport = true\n", "[web]\nport = 1.5\n"],
)
def test_a_value_of_the_wrong_type_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"web\.port must be a whole number"):
        settings.load(write(tmp_path, text), {})


def test_a_file_that_is_no_toml_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"matinee\.toml"):
        settings.load(write(tmp_path, "port: 9000\n"), {})


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no file .*gone\.toml"):
        settings.load(tmp_path / "gone.toml", {})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MATINEE_WEB_PORT", "many"),
        ("MATINEE_WEB_PROT", "1"),
        ("MATINEE_WEB_SECURE_COOKIES", "perhaps"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=variable):
        settings.load(environ={variable: value})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MATINEE_QUEUE_URL", "rabbits://host"),
        ("MATINEE_QUEUE_URL", "redis://:pass@word@host"),
        ("MATINEE_QUEUE_ROLES", "cpu, abacus"),
        ("MATINEE_QUEUE_NODE", "../node"),
        ("MATINEE_QUEUE_LABELS", "fast, <b>"),
        ("MATINEE_QUEUE_LEASE_SECONDS", "0"),
        ("MATINEE_ENCODE_CRF", "99"),
        ("MATINEE_ENCODE_SEGMENT_SECONDS", "5"),
        ("MATINEE_ENCODE_CHUNK_SECONDS", "1"),
        ("MATINEE_QUALITY_DECODE", "some"),
        ("MATINEE_QUALITY_LEAST_SCORE", "101"),
        ("MATINEE_QUALITY_BLACK_SECONDS", "0"),
        ("MATINEE_QUALITY_SYNC_MILLISECONDS", "0"),
        ("MATINEE_PLAYBACK_HEARTBEAT_SECONDS", "0"),
        ("MATINEE_PLAYBACK_MEDIA_TOKEN_SECONDS", "60"),
        ("MATINEE_PLAYBACK_STREAMS", "-1"),
        ("MATINEE_OBJECTS_BUCKET", "Films/../x"),
        ("MATINEE_OBJECTS_ENDPOINT", "s3.example"),
        ("MATINEE_OBJECTS_ENDPOINT", "https://key:secret@s3.example"),
        ("MATINEE_OBJECTS_PREFIX", "films/../.."),
        ("MATINEE_OBJECTS_REGION", ""),
        ("MATINEE_OBJECTS_TIMEOUT_SECONDS", "0"),
    ],
)
def test_values_that_cannot_work_are_refused(variable: str, value: str) -> None:
    with pytest.raises(ConfigError) as refused:
        settings.load(environ={variable: value})

    assert refused.value.code == "config.value"


def test_switches_are_read_from_words_and_figures() -> None:
    on = settings.load(environ={"MATINEE_WEB_SECURE_COOKIES": "true"})
    off = settings.load(environ={"MATINEE_WEB_SECURE_COOKIES": "0"})

    assert on.web.secure_cookies
    assert not off.web.secure_cookies


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('exchange = "post"', "queue.exchange must be folder or objects."),
        ('exchange = "objects"', "set queue.url"),
        ('exchange = "objects"\nurl = "redis://127.0.0.1"', "set objects.bucket"),
    ],
)
def test_far_workers_need_a_redis_and_a_bucket(
    tmp_path: Path, text: str, said: str
) -> None:
    path = write(tmp_path, f"[queue]\n{text}\n")

    with pytest.raises(ConfigError) as refused:
        settings.load(path, {})

    assert said in refused.value.message


SHA256 = "0" * 64


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('model = "models/whisper"', "the whole path of a folder"),
        ('model = "package:two words"', "package:NAME"),
        ('model = "/m"', "speech.model is set without speech.sha256"),
        ('model = "/m"\nsha256 = "sha256:12"', "64 hexadecimal digits"),
        (f'model = "/m"\nsha256 = "{SHA256}"\nlanguages = "en, klingon"', "“klingon”"),
        ('languages = "en_US"', "“en_US”"),
        ("threads = -1", "speech.threads must lie between 1 and 256"),
        ("threads = 0", "speech.threads"),
        ("automatic = true", "speech.automatic needs a model"),
    ],
)
def test_captions_by_machine_are_not_begun_with_settings_that_cannot_work(
    tmp_path: Path, text: str, said: str
) -> None:
    path = write(tmp_path, f"[speech]\n{text}\n")

    with pytest.raises(ConfigError) as refused:
        settings.load(path, {})

    assert refused.value.code == "config.value"
    assert said in refused.value.message


@pytest.mark.parametrize("model", ["/srv/models/small", "package:whisper_small"])
def test_a_model_that_is_pinned_is_taken(tmp_path: Path, model: str) -> None:
    path = write(
        tmp_path,
        f'[speech]\nmodel = "{model}"\nsha256 = "{SHA256}"\nlanguages = "en, nb, PT"\n',
    )

    assert settings.load(path, {}).speech.model == model
