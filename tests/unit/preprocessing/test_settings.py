import pytest
from pydantic import ValidationError

from brainlapse.preprocessing.settings import LevelSettings, PreprocessSettings


def test_defaults_survive_json():
    settings = PreprocessSettings()
    assert PreprocessSettings.model_validate(settings.model_dump(mode="json")) == settings


def test_unknown_keys_are_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        PreprocessSettings.model_validate({"mask": {"methd": "deepbet"}})


def test_one_entry_per_resolution():
    with pytest.raises(ValidationError, match="one entry per resolution"):
        LevelSettings(iterations=(100, 50), shrink=(4,), smoothing=(2.0, 1.0))


def test_negative_smoothing_is_refused():
    with pytest.raises(ValidationError, match="0 or more"):
        LevelSettings(iterations=(1,), shrink=(1,), smoothing=(-1.0,))
