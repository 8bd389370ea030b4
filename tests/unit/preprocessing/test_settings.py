import pytest
from pydantic import ValidationError

from brainlapse.preprocessing.registration.settings import LevelSettings, RegistrationSettings
from brainlapse.preprocessing.settings import PreprocessSettings


def test_defaults_survive_json():
    settings = PreprocessSettings()
    assert PreprocessSettings.model_validate(settings.model_dump(mode="json")) == settings


def test_unknown_keys_are_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        PreprocessSettings.model_validate({"mask": {"methd": "deepbet"}})


def test_one_entry_per_resolution():
    with pytest.raises(ValidationError, match="one entry per resolution"):
        LevelSettings(transform="rigid", iterations=(100, 50), shrink=(4,), smoothing=(2.0, 1.0))


def test_negative_smoothing_is_refused():
    with pytest.raises(ValidationError, match="0 or more"):
        LevelSettings(transform="rigid", iterations=(1,), shrink=(1,), smoothing=(-1.0,))


def test_squares_have_no_mask_to_switch_on():
    with pytest.raises(ValidationError, match="masked: acts on correlation"):
        LevelSettings(transform="affine", masked=True)


@pytest.mark.parametrize("key", ["rigid", "min_scale"])
def test_keys_of_before_say_where_they_went(key):
    with pytest.raises(ValidationError, match=r"levels: \[|limits: \{"):
        RegistrationSettings.model_validate({key: {}})


@pytest.mark.parametrize("names", [("affine", "rigid"), ("rigid", "rigid")])
def test_levels_only_gain_freedom(names):
    levels = [{"transform": name, "initialisation": "search"} for name in names]
    with pytest.raises(ValidationError, match="at most once, in this order"):
        RegistrationSettings.model_validate({"levels": levels})


def test_the_first_level_needs_a_start():
    with pytest.raises(ValidationError, match="initialisation of its own"):
        RegistrationSettings.model_validate({"levels": [{"transform": "affine"}]})
