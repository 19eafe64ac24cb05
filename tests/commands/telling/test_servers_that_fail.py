"""What is told while servers are down, slow, wrong or asked too much of."""

from __future__ import annotations

import asyncio

from infertop.money.settings import Alert
from tests.acceptance.hostile import closed_port
from tests.alerts.hooks import hooked
from tests.commands.telling.world import Begin, to
from tests.engine.servers import serve, then_hang


async def test_a_server_that_is_down_for_a_while_is_told_later_under_the_same_id(begin: Begin) -> None:
    with hooked(503, 500, 200) as hook:
        world = begin(to(hook))
        world.tell()
        await world.tick()
        (notice,) = world.telling.notices
        assert notice == f"an alert could not be told: 127.0.0.1:{hook.port} answers HTTP 503: ok; it is tried again"
        await world.tick(3)
        assert len(hook.told) == 1
        await world.tick(3)
        assert len(hook.told) == 2
        await world.tick(11)
    assert len(set(hook.ids)) == 1
    assert len(hook.told) == 3
    assert world.states == ["sent"]
    assert world.telling.notices == ()


async def test_while_a_server_is_down_what_else_happens_waits_and_is_told_in_order(begin: Begin) -> None:
    with hooked(*[503] * 3, 200) as hook:
        world = begin(to(hook))
        for n in range(4):
            world.tell(f"incident {n}", text=str(n))
            await world.tick(1)
        assert len(hook.told) == 1
        for _ in range(20):
            await world.tick(60)
    assert [each.body["summary"] for each in hook.told] == ["0", "0", "0", "0", "1", "2", "3"]


async def test_who_asks_for_time_is_given_it(begin: Begin) -> None:
    with hooked(429, 200, headers={"Retry-After": "120"}) as hook:
        world = begin(to(hook))
        world.tell()
        await world.tick()
        await world.tick(119)
        assert len(hook.told) == 1
        await world.tick(2)
    assert len(hook.told) == 2


async def test_a_wrong_url_is_not_asked_again_until_it_is_set_right(begin: Begin) -> None:
    with hooked(404, body=b"no_service") as wrong, hooked() as right:
        world = begin(to(wrong))
        world.tell()
        for _ in range(5):
            await world.tick(600)
        assert len(wrong.told) == 1
        (notice,) = world.telling.notices
        assert notice == (
            f"an alert could not be told: 127.0.0.1:{wrong.port} does not take it (HTTP 404: no_service): is the URL"
            " right?; set webhook of [alert] in pricing.toml right, then it is told"
        )
        world.alert = to(right)
        await world.tick(1)
        await world.tick(1)
        assert world.telling.notices == ()
    assert right.ids == wrong.ids


async def test_what_cannot_be_told_within_a_day_is_given_up(begin: Begin) -> None:
    world = begin(Alert(webhook=closed_port()))
    world.tell()
    await world.tick()
    await world.tick(86401)
    await world.tick()
    assert world.states == ["failed"]
    assert "alerts of a day ago could be told to nobody and are given up: the events have them" in world.telling.notices


async def test_a_url_that_cannot_be_had_is_said_before_anything_happens(begin: Begin) -> None:
    world = begin(Alert(webhook_env="NOT_SET"))
    await world.tick()
    assert world.telling.notices == (
        "alerts cannot be told: the environment variable NOT_SET (webhook_env) is not set",
    )
    world.tell()
    await world.tick()
    assert world.states == ["waiting"]


async def test_a_program_that_is_not_there_is_said_before_anything_happens(begin: Begin) -> None:
    world = begin(Alert(command=("/no/such/teller",)))
    await world.tick()
    assert world.telling.notices == (
        "alerts cannot be told: there is no program teller that can be started; "
        "set command of [alert] in pricing.toml right, then it is told",
    )


async def test_at_the_end_what_is_due_is_told_and_a_slow_server_holds_nobody_up(begin: Begin) -> None:
    with hooked() as hook:
        world = begin(to(hook))
        world.tell(cause="")
        await world.end()
        assert len(hook.told) == 1
    async with serve(then_hang()) as server:
        world = begin(Alert(webhook=server.url))
        world.tell("another")
        await world.telling.close(world.now, 0.1)
        assert await asyncio.to_thread(world.recorder.flush)
        assert [each.state for each in world.entries if each.letter.id == "another opened"] == ["waiting"]


async def test_what_was_tried_is_left_to_the_next_session_at_the_end(begin: Begin) -> None:
    with hooked(503) as hook:
        world = begin(to(hook))
        world.tell()
        await world.tick()
        world.tell("another")
        await world.end()
        assert len(hook.told) == 1
