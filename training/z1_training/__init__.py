"""Training of Qwen2 models on reasoning trajectories, from scratch or fine-tuned."""

import os

# Before torch loads OpenMP. Threads that spin while they wait make training ten times slower on cores that are busy
# with anything else.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
