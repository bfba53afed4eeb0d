// Safetensors files: headers made on purpose, and bytes changed. Opened as weights, inspected, or loaded as a whole model.
import { inspect, loadPipeline } from '@sd/pipeline';
import { openSafetensors, openWeights, toFloat32 } from '@sd/weights';
import { concat, mutate, uint64, utf8 } from '../bytes.js';
import { bytesOf } from '../formats/safetensors.js';
import { hostileJson, jsonText, mutateJson } from '../json.js';
import { graphsOnly, memorySource } from '../sources.js';

const types = ['F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'I16', 'I8', 'U8', 'BOOL', 'F8_E4M3', 'F8_E5M2'];
const oddTypes = ['U64', 'U32', 'U16', 'F4', 'F8_E8M0', 'C64', '__proto__', 'constructor', 'toString', '', 'f32'];
const names = [
  ...['a', 'b', '', '.', '..', 'a.b.c', 'x'.repeat(500), '\u0000', 'é', '__metadata__', '__proto__', 'constructor'],
  ...[
    'model.diffusion_model.input_blocks.0.0.weight',
    'conv_in.weight',
    'emb_params',
    '<word>',
    'string_to_param',
    'v_pred',
  ],
  'model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight',
  'down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight',
  'down_blocks.99999999.resnets.0.conv1.weight',
  'first_stage_model.decoder.conv_in.weight',
  'cond_stage_model.transformer.text_model.embeddings.token_embedding.weight',
  ...['lora_unet_x.lora_down.weight', 'lora_unet_x.lora_up.weight', 'lora_unet_x.alpha', 'motion_modules.0.x'],
  ...[
    'decoder.layers.0.weight',
    '1.weight',
    '3.conv.0.weight',
    'image_proj.proj.weight',
    'adapter.body.0.in_conv.weight',
  ],
  ...['ip_adapter.1.to_k_ip.weight', 'control_model.input_blocks.0.0.weight', 'difference', 'edm_vpred.sigma_max'],
];
const oddSizes = [2 ** 16, 2 ** 31, 2 ** 32, 2 ** 52, 2 ** 53, 1e308, -1, 0.5, '4', null, true, [4], {}];
const metadata = { format: 'pt', ss_network_module: 'networks.lora', 'modelspec.architecture': 'x', __proto__x: '1' };

function entryOf(random, offset) {
  const dtype = random.pick(random.chance(0.9) ? types : oddTypes);
  const size = () => (random.chance(0.9) ? random.pick([0, 1, 2, 3, 4, 8]) : random.pick(oddSizes));
  const shape = random.times(random.range(0, 4), size);
  const length = shape.reduce((product, n) => product * Number(n), 1) * (bytesOf[dtype] ?? 1);
  const odd = [
    [0, 16],
    [16, 0],
    [-8, 8],
    [0.5, 16.5],
    ['0', '16'],
    [0],
    [],
    null,
    [0, 2 ** 53],
    [offset - 1, offset + length - 1],
  ];
  const entry = { dtype, shape, data_offsets: random.chance(0.85) ? [offset, offset + length] : random.pick(odd) };
  if (random.chance(0.02)) return [hostileJson(random), length];
  return [random.chance(0.05) ? mutateJson(random, entry, 1) : entry, length];
}

function fileOf(random) {
  let offset = 0;
  const rows = random.times(random.range(0, 6), () => {
    const [entry, length] = entryOf(random, offset);
    offset += Number.isFinite(length) ? Math.abs(length) : 0;
    // Written by hand, so that a name may come twice.
    return `${JSON.stringify(random.pick(names))}:${jsonText(entry)}`;
  });
  if (random.chance(0.3)) rows.push(`"__metadata__":${jsonText(random.chance(0.6) ? metadata : hostileJson(random))}`);
  const json = utf8(`{${rows.join(',')}}`);
  const oddLengths = [0, 1, json.length + 1, 2 ** 31, 2 ** 32 + 5, 2 ** 53, -1, 99_999_999, 100_000_001];
  const length = random.chance(0.97) ? json.length : random.pick(oddLengths);
  const rest = Math.min(offset, 4096) + random.pick([0, 0, 0, 1, 16, 4096]);
  return concat([uint64(length), json, new Uint8Array(rest)]);
}

async function readAll(source, path) {
  const { tensors } = await openWeights(source, path);
  for (const { dtype, file, offset, length } of tensors.values()) {
    const bytes = await file.read();
    if (offset + length > bytes.length) throw new Error('a tensor ends after its file');
    if (/^(F32|F16|BF16)$/.test(dtype)) toFloat32(dtype, bytes.slice(offset, offset + length));
  }
}

const uses = {
  read: readAll,
  inspect: (source, path) => inspect(source, { path }),
  open: openSafetensors,
  async load(source, path) {
    const pipeline = await loadPipeline(source, { path, backend: graphsOnly(), releaseStages: true });
    await pipeline.dispose();
  },
};

export default () => ({
  generate(random) {
    const bytes = fileOf(random);
    const use = random.pick(['read', 'read', 'inspect', 'open', 'load']);
    return { bytes: random.chance(0.3) ? mutate(random, bytes, 3) : bytes, sizes: random.chance(0.5), use };
  },
  async run({ bytes, sizes, use }) {
    await uses[use](memorySource({ 'x.safetensors': bytes }, { sizes }), 'x.safetensors');
  },
});
