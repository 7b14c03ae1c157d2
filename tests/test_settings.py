"""Settings come from the environment, all checked at once."""

import pytest

from laurels.settings import Settings, WrongSettings, described, read_settings


def test_empty_environment_means_the_defaults() -> None:
    assert read_settings({"PATH": "/bin", "LAURELS_UNHEARD_OF": "1"}) == Settings()


def test_environment_is_read_by_type() -> None:
    settings = read_settings({"LAURELS_PORT": "9000", "LAURELS_LOG_FORMAT": "text", "LAURELS_HOST": "0.0.0.0"})
    assert (settings.port, settings.log_format, settings.host) == (9000, "text", "0.0.0.0")


def test_everything_wrong_is_said_at_once() -> None:
    wrong = {"LAURELS_PORT": "80808", "LAURELS_LANES": "zero", "LAURELS_WORKER": "outside", "LAURELS_HOST": "::1"}
    with pytest.raises(WrongSettings) as refused:
        read_settings(wrong)
    assert [finding.split(":")[0] for finding in refused.value.findings] == [
        "LAURELS_PORT",
        "LAURELS_LANES",
        "LAURELS_WORKER",
    ]


def test_every_setting_is_described() -> None:
    rows = described()
    assert [row[0] for row in rows] == [f"LAURELS_{name.upper()}" for name in Settings.__struct_fields__]
    assert all(meaning for _variable, _default, meaning in rows)
