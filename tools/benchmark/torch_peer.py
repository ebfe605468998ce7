"""A child that makes faces with PyTorch when it is asked to.

Run by `tools.benchmark.peers` as a file, by the interpreter that has PyTorch.
The argument is `ModelConfig` as JSON. It answers each line of stdin, '<batch>
<calls>', with a line of JSON: wall-clock and processor seconds.
"""

from __future__ import annotations

import json
import sys
import time

import torch
import torch_networks


def main() -> None:
  """Answers until stdin ends; first of all, with the parameters' counts."""
  sizes = json.loads(sys.argv[1])
  torch.manual_seed(1)
  model = torch_networks.SuperResolver(sizes=sizes).eval()
  counts = {name: sum(p.numel() for p in part.parameters())
            for name, part in model.named_children()}
  model = model.to(memory_format=torch.channels_last)
  model.generator.fold()
  _answer({'version': torch.__version__, 'parameters': counts})
  with torch.inference_mode():
    for line in sys.stdin:
      batch, calls = map(int, line.split())
      side = sizes['low_res_size']
      image = torch.randint(0, 256, [batch, 3, side, side]).contiguous(
          memory_format=torch.channels_last)
      waveform = 0.1 * torch.randn(batch, 64000)
      began, busy = time.perf_counter(), time.process_time()
      for _ in range(calls):
        picture = model(image, waveform)
      _answer({'wall': time.perf_counter() - began,
               'processor': time.process_time() - busy,
               'shape': list(picture.shape)})


def _answer(content: dict[str, object]) -> None:
  print(json.dumps(content), flush=True)


if __name__ == '__main__':
  main()
