"""Files as torch saves them, for the tests of the unpickler, and what is in them (views.json).

usage: make_pickles.py OUT     needs torch, numpy
"""
import collections, json, os, sys, zipfile
import numpy as np, torch

OUT = sys.argv[1] + '/pickle/'
torch.manual_seed(0)
ramp = lambda *shape: (torch.arange(int(np.prod(shape))).float() / 8 - 1).reshape(shape)


class ModelCheckpoint:
    """Stands in for Lightning's callback, whose class old checkpoints have as a key."""


names = 'pytorch_lightning callbacks model_checkpoint'.split()
for i in (1, 2, 3): sys.modules['.'.join(names[:i])] = type(sys)('.'.join(names[:i]))
ModelCheckpoint.__module__ = '.'.join(names)
sys.modules[ModelCheckpoint.__module__].ModelCheckpoint = ModelCheckpoint

state = collections.OrderedDict([('a.weight', ramp(3, 4)), ('a.bias', ramp(4).half()), ('n', torch.tensor(7)), ('b', ramp(2, 2).bfloat16())])
state._metadata = collections.OrderedDict([('', {'version': 1})])
checkpoint = {'epoch': 3, 'global_step': 875000, 'pytorch-lightning_version': '1.4.2', 'state_dict': state,
              'callbacks': {ModelCheckpoint: {'monitor': 'val/loss', 'best_model_score': torch.tensor(0.5), 'best': np.float64(0.25)}}}


def save(name, value, **options):
    torch.save(value, OUT + name, **options)


save('checkpoint.ckpt', checkpoint)
save('checkpoint-4.ckpt', checkpoint, pickle_protocol=4)
save('checkpoint-legacy.ckpt', {'state_dict': state}, _use_new_zipfile_serialization=False)
with zipfile.ZipFile(OUT + 'checkpoint.ckpt') as old, zipfile.ZipFile(OUT + 'checkpoint-deflated.ckpt', 'w', zipfile.ZIP_DEFLATED) as new:
    for name in old.namelist(): new.writestr(name, old.read(name))

base = ramp(4, 6)
shared = {'whole': base, 'rows': base[1:3], 'transposed': base.T, 'columns': base[:, 2:5], 'one': base[2:3, 4:5], 'none': base[:0],
          'steps': base[::2], 'scalar': base[3, 5], 'parameter': torch.nn.Parameter(ramp(2)), 'f8': ramp(2, 3).to(torch.float8_e4m3fn),
          'types': [ramp(2).double(), torch.tensor([True, False]), torch.tensor([-3], dtype=torch.int16)]}
save('views.pt', shared)
save('parameter-dict.pt', {'string_to_param': torch.nn.ParameterDict({'*': torch.nn.Parameter(ramp(2, 3))}), 'name': 'blob', 'size': torch.Size([2, 3])})

class Calls:
    def __init__(self, function, *args): self.function, self.args = function, args
    def __reduce__(self): return self.function, self.args


save('calls-system.pt', {'state_dict': {'a': ramp(2)}, 'extra': Calls(os.system, 'echo this must not run')})
save('calls-eval.pt', {'state_dict': {'a': ramp(2)}, 'hidden': [{'deep': Calls(eval, '1 + 1')}]})
json.dump({k: {'shape': list(v.shape), 'values': v.detach().float().flatten().tolist()} for k, v in shared.items() if isinstance(v, torch.Tensor)}, open(OUT + 'views.json', 'w'))
