/** Samples of a plane, of which a row is `stride` long and `width` count. */
export interface Plane {
  readonly data: Uint8ClampedArray;
  readonly stride: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A plane made larger by whole factors. By 2 in one or both directions it goes by a triangle filter, as libjpeg-turbo's
 * "fancy upsampling" (`jdsample.c`) does, rounding included; otherwise, and in planes of up to two columns, each sample
 * is repeated.
 */
export function upsample(plane: Plane, across: number, down: number): Plane {
  if (across === 1 && down === 1) return plane;
  if (across === 1 && down === 2) return doubledDown(plane);
  if (across === 2 && down <= 2 && plane.width > 2) return down === 1 ? doubledAcross(plane) : doubledBoth(plane);
  return repeated(plane, across, down);
}

function repeated({ data, stride, width, height }: Plane, across: number, down: number): Plane {
  const out = blank(width * across, height * down);
  for (let y = 0; y < out.height; y++) {
    const from = Math.floor(y / down) * stride;
    for (let x = 0; x < out.width; x++) out.data[y * out.stride + x] = data[from + Math.floor(x / across)]!;
  }
  return out;
}

function doubledDown({ data, stride, width, height }: Plane): Plane {
  const out = blank(width, height * 2);
  for (let y = 0; y < out.height; y++) {
    const [near, far] = nearestRows(y, height);
    for (let x = 0; x < width; x++) {
      out.data[y * out.stride + x] = (data[near * stride + x]! * 3 + data[far * stride + x]! + 1 + (y % 2)) >> 2;
    }
  }
  return out;
}

function doubledAcross({ data, stride, width, height }: Plane): Plane {
  const out = blank(width * 2, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const here = data[y * stride + x]!;
      const before = x === 0 ? here : data[y * stride + x - 1]!;
      const after = x === width - 1 ? here : data[y * stride + x + 1]!;
      const to = y * out.stride + 2 * x;
      out.data[to] = (here * 3 + before + 1) >> 2;
      out.data[to + 1] = (here * 3 + after + 2) >> 2;
    }
  }
  return out;
}

function doubledBoth({ data, stride, width, height }: Plane): Plane {
  const out = blank(width * 2, height * 2);
  for (let y = 0; y < out.height; y++) {
    const [near, far] = nearestRows(y, height);
    const sum = (x: number) => data[near * stride + x]! * 3 + data[far * stride + x]!;
    let [before, here] = [sum(0), sum(0)];
    for (let x = 0; x < width; x++) {
      const after = x === width - 1 ? here : sum(x + 1);
      const to = y * out.stride + 2 * x;
      out.data[to] = (here * 3 + before + 8) >> 4;
      out.data[to + 1] = (here * 3 + after + 7) >> 4;
      [before, here] = [here, after];
    }
  }
  return out;
}

/** The row that an output row lies in, and the next one to it. */
function nearestRows(y: number, height: number): readonly [number, number] {
  const near = y >> 1;
  return [near, Math.min(Math.max(y % 2 === 0 ? near - 1 : near + 1, 0), height - 1)];
}

function blank(width: number, height: number): Plane {
  return { data: new Uint8ClampedArray(width * height), stride: width, width, height };
}
