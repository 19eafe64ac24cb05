"""Containers as Docker lists them."""

ID = "4c01db0b339c" + "0" * 52
ROW = {
    "Id": ID,
    "Names": ["/tgi"],
    "Image": "ghcr.io/huggingface/text-generation-inference:3.3.5",
    "Command": "/tgi-entrypoint.sh --model-id acme/tgi",
    "State": "running",
    "Ports": [
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8085, "Type": "tcp"},
        {"IP": "::", "PrivatePort": 80, "PublicPort": 8085, "Type": "tcp"},
        {"PrivatePort": 9000, "Type": "tcp"},
        {"PrivatePort": 53, "Type": "udp"},
    ],
    "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
}
UNPUBLISHED = ROW | {"Ports": [{"PrivatePort": 80, "Type": "tcp"}]}
DATABASE = {"Id": "d" * 64, "Image": "postgres:17", "Command": "docker-entrypoint.sh postgres", "Ports": []}
