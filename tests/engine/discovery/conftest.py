"""A machine, what answers on it, and a look at both."""

import pytest

from infertop.engine.discovery import Discovery
from tests.engine.discovery.answers import PATTERNS, Network
from tests.engine.worlds import World


@pytest.fixture
def world():
    return World()


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def discovery(world, network):
    made = Discovery(PATTERNS, probe=network.probe, tls=network.tls, look=world.scan)
    yield made
    made.close()
