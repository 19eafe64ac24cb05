"""The systems that can be read, one file each. A file knows its system's wire format and nothing else.

Importing this package loads no library: httpx, pynvml and psutil are imported where a collector first needs them.
"""

from __future__ import annotations

from collectors import (
    amd,
    anthropic,
    azure,
    balances,
    bedrock,
    claude_code,
    codex,
    dcgm,
    dynamo,
    gemini_cli,
    helicone,
    host,
    kserve,
    langfuse,
    litellm,
    llamacpp,
    lmdeploy,
    nim,
    nvml,
    ollama,
    openai,
    opencode,
    openrouter,
    prometheus,
    ray,
    sagemaker,
    sglang,
    ssh,
    tei,
    tgi,
    triton,
    trtllm,
    untold,
    vllm,
)
from collectors.kind import Kind

_ALL: tuple[Kind, ...] = (
    trtllm.KIND,  # before those that ask for /metrics, which here is emptied by reading it
    vllm.KIND,
    triton.KIND,
    llamacpp.KIND,
    sglang.KIND,
    tgi.KIND,
    tei.KIND,
    lmdeploy.KIND,
    nim.KIND,
    dynamo.KIND,
    dynamo.FRONT_END_KIND,
    ray.KIND,
    kserve.KIND,
    nvml.KIND,
    amd.KIND,
    host.KIND,
    ssh.KIND,
    dcgm.KIND,
    litellm.KIND,
    prometheus.KIND,
    ollama.KIND,
    openai.KIND,
    anthropic.KIND,
    azure.KIND,
    bedrock.KIND,
    sagemaker.KIND,
    openrouter.KIND,
    *balances.KINDS,
    claude_code.KIND,
    codex.KIND,
    gemini_cli.KIND,
    opencode.KIND,
    langfuse.KIND,
    helicone.KIND,
    *untold.KINDS,
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}
