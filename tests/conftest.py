"""Property tests: the same examples at every run of CI, so that it says something about the change; others on request.

    HYPOTHESIS_PROFILE=explore pytest    # new examples each time; what it finds becomes a test of its own
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
