"""llama.cpp's own HTTP server on 127.0.0.1, out of the xllamacpp wheel. usage: serve_llamacpp.py MODEL.gguf PORT ALIAS

Runs in the server's own environment; ends at SIGTERM.
"""

import signal
import sys

import xllamacpp


def main(model, port, alias):
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = int(port)
    params.endpoint_metrics = True
    params.endpoint_slots = True
    params.n_ctx = 2048
    params.n_parallel = 2
    params.model_alias = {alias}
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main(*sys.argv[1:])
