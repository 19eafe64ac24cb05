"""Stands for an LLM backend inside Triton: a response per token, and token counters of its own on the metrics page."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        labels = {"model": args["model_name"], "version": args["model_version"]}
        self.families = []
        self.prompt = self.counter("demo_prompt_tokens_total", "prompt tokens", labels)
        self.generated = self.counter("demo_generation_tokens_total", "generated tokens", labels)

    def counter(self, name, text, labels):
        family = pb_utils.MetricFamily(name=name, description=text, kind=pb_utils.MetricFamily.COUNTER)
        self.families.append(family)
        return family.Metric(labels=labels)

    def execute(self, requests):
        for request in requests:
            prompt = pb_utils.get_input_tensor_by_name(request, "text_input").as_numpy()[0].decode()
            limit = int(pb_utils.get_input_tensor_by_name(request, "max_tokens").as_numpy()[0])
            sender = request.get_response_sender()
            self.prompt.increment(len(prompt.split()))
            for number in range(limit):
                text = np.array([f"token{number} ".encode()], dtype=object)
                sender.send(pb_utils.InferenceResponse([pb_utils.Tensor("text_output", text)]))
                self.generated.increment(1)
            sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
