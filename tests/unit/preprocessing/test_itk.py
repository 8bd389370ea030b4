import subprocess
import sys

import numpy as np

from brainlapse.preprocessing.itk import to_itk

AFFINE = np.array([[0, 0, -3.0, 30], [2, 0, 0, -20], [0, 2.5, 0, -25], [0, 0, 0, 1]])


def test_voxels_survive_the_way_to_itk_and_back():
    volume = np.random.default_rng(0).random((5, 6, 7), dtype=np.float32)
    np.testing.assert_array_equal(to_itk(volume, AFFINE).volume(), volume)


def test_the_steps_load_neither_the_package_ants_nor_pandas():
    """Their imports would cost more than the steps themselves."""
    code = (
        "import sys; from brainlapse.preprocessing import bias, resampling; "
        "from brainlapse.preprocessing.brain_mask import masking; "
        "from brainlapse.preprocessing.registration import levels; "
        "bias.to_itk.__globals__['library'](); "
        "print(sorted({'ants', 'pandas', 'torch', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
