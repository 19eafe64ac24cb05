"""What answers at which port."""

import asyncio

from collectors import KINDS
from infertop.engine.collector import Unavailable

PATTERNS = [kind.server for kind in KINDS.values() if kind.server]
VLLM = (200, {}, b"# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running 0.0\n")
TRITON = (200, {}, b"# TYPE nv_inference_request_success counter\n")
LLAMACPP = (200, {"server": "llama.cpp"}, b"llamacpp:prompt_tokens_total 0\n")
OTHER = (404, {}, b"not found")


class Network:
    """What answers where: by `host:port`. Everything else refuses."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    async def probe(self, url):
        self.asked.append(url)
        answer = self.answers.get(url.removeprefix("http://").split("/")[0])
        if answer is None or answer == "tls":
            raise Unavailable("connection refused")
        if answer == "hang":
            await asyncio.sleep(60)
        return answer

    async def tls(self, host, port):
        return self.answers.get(f"{host}:{port}") == "tls"
