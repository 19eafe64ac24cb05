"""The machine that the demo's traffic runs on: its GPUs and engines, as data. All of it is made up."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU: what NVML would say of it. `holders` are the sources whose models it holds, with their bytes."""

    uuid: str
    index: int
    name: str
    holders: tuple[tuple[str, float], ...]
    memory_total_bytes: float
    idle_watts: float
    full_watts: float
    limit_watts: float

    @property
    def memory_used_bytes(self) -> float:
        """What the models hold, and what the driver keeps for itself."""
        return sum(held for _, held in self.holders) + 0.5 * GIB


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that serves a recorded service. The rates are tokens a second at which its GPUs would be fully busy."""

    source: str
    service: str
    model: str
    prefill_per_second: float
    decode_per_second: float
    kv_tokens: float


H100 = "NVIDIA H100 80GB HBM3"
CHAT, CODE, AGENT, SMALL = "vllm@127.0.0.1:8000", "vllm@127.0.0.1:8001", "vllm@127.0.0.1:8003", "vllm@127.0.0.1:8100"

ENGINES = (
    Engine(CHAT, "azure-conversation", "llama-3-70b", 14_000, 2_600, 420_000),
    Engine(CODE, "azure-code", "qwen2.5-coder-32b", 22_000, 3_000, 300_000),
    Engine(AGENT, "mooncake-conversation", "deepseek-v3", 60_000, 2_800, 900_000),
)


def _card(index: int, name: str, total: float, watts: tuple[float, float, float], **gib: float) -> Card:
    uuid = f"GPU-de300000-0000-0000-0000-00000000000{index}"
    sources = {"chat": CHAT, "code": CODE, "agent": AGENT, "small": SMALL}
    holders = tuple((sources[name], held * GIB) for name, held in gib.items())
    return Card(uuid, index, name, holders, total * GIB, *watts)


CARDS = (
    _card(0, H100, 80, (72, 640, 700), chat=70.5),
    _card(1, H100, 80, (74, 640, 700), chat=70.5),
    _card(2, H100, 80, (70, 660, 700), code=31, agent=42),
    _card(3, H100, 80, (75, 680, 700), agent=73.5),
    _card(4, H100, 80, (71, 680, 700), agent=73.5),
    _card(5, "NVIDIA L40S", 48, (34, 330, 350), small=8.5),
    _card(6, "NVIDIA A100-SXM4-80GB", 80, (58, 390, 400)),
)
