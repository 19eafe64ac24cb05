"""A machine with two servers, their workers and a stranger."""

import pytest

from infertop.engine.placement import Placement
from tests.engine.placement.placing import PATTERNS
from tests.engine.worlds import World


@pytest.fixture
def world():
    made = World()
    made.start(10, "vllm serve acme/tiny --port 8001", port=8001)
    made.start(11, "VLLM::EngineCore", parent=10)
    made.start(12, "VLLM::Worker_TP0", parent=11)
    made.start(13, "VLLM::Worker_TP1", parent=11)
    made.start(20, "vllm serve acme/large --port 8002", port=8002)
    made.start(21, "VLLM::EngineCore", parent=20)
    made.start(90, "python train.py")
    return made


@pytest.fixture
def placement(world):
    made = Placement(PATTERNS, look=world.scan)
    yield made
    made.close()
