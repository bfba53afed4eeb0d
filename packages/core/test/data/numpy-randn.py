"""Writes numpy-randn.json next to this file: normal numbers of NumPy's RandomState. Run `python numpy-randn.py`."""
import json
import pathlib

import numpy as np

cases = []
for seed in [0, 1, 42, 1234, 2**32 - 1]:
    values = np.random.RandomState(seed).randn(16384)
    cases.append({"seed": str(seed), "first": values[:9].tolist(), "last": values[-4:].tolist(), "sum": float(values.sum())})
path = pathlib.Path(__file__).with_name("numpy-randn.json")
path.write_text(json.dumps({"numpy": np.__version__, "cases": cases}) + "\n")
