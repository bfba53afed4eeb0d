import type { PickleBytes } from './bytes.js';

/** What a pickle may name. It is plain data, or makes plain data of its arguments; nothing else is ever run. */
export interface Global {
  readonly name: string;
  call?(args: readonly unknown[]): unknown;
}

export interface PickleWorld {
  /** What stands for a name; throws for one that is not known. */
  global(module: string, name: string): Global;
  /** What a reference out of the pickle stands for. */
  persistent(id: unknown): unknown;
}

/** A model with its optimizer takes some hundred thousand: this many are an attack. */
const mostSteps = 2_000_000;

/**
 * Reads one pickle, protocols 0 to 5 as far as Python writes them for data: a dict becomes a Map, a list or tuple an
 * array, a set a Set, bytes a Uint8Array, None null. Ends behind it. Throws a CheckpointError where it is broken, or
 * asks for what is not data.
 * @see Python's Lib/pickletools.py
 */
export function readPickle(bytes: PickleBytes, world: PickleWorld): unknown {
  return new Machine(bytes, world).run();
}

type Step = (machine: Machine) => void;

class Machine {
  stack: unknown[] = [];
  readonly marks: number[] = [];
  readonly memo = new Map<number, unknown>();
  readonly bytes: PickleBytes;
  readonly world: PickleWorld;

  constructor(bytes: PickleBytes, world: PickleWorld) {
    this.bytes = bytes;
    this.world = world;
  }

  run(): unknown {
    for (let count = 0; count < mostSteps; count++) {
      const code = this.bytes.uint8();
      if (code === stop) return this.pop();
      const step = steps.get(code);
      if (step === undefined) throw this.bytes.bad(`it has the unknown instruction ${code}`);
      step(this);
    }
    throw this.bytes.bad(`it has more than ${mostSteps} instructions`);
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) throw this.bytes.bad('it takes what is not there');
    return this.stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  /** All since the last mark. */
  popMarked(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.bytes.bad('it takes what is not there');
    return this.stack.splice(mark);
  }

  tuple(count: number): void {
    const items = Array.from({ length: count }, () => this.pop());
    this.push(items.reverse());
  }

  get(index: number): void {
    if (!this.memo.has(index)) throw this.bytes.bad(`it recalls ${index}, which it never kept`);
    this.push(this.memo.get(index));
  }

  put(index: number): void {
    this.memo.set(index, this.top());
  }

  append(items: readonly unknown[]): void {
    const target = this.top();
    if (target instanceof Set) for (const item of items) target.add(item);
    else if (Array.isArray(target)) for (const item of items) target.push(item);
    else throw this.bytes.bad('it adds to what is no list');
  }

  set(items: readonly unknown[]): void {
    const target = this.top();
    if (!(target instanceof Map)) throw this.bytes.bad('it sets an item of what is no dict');
    if (items.length % 2 !== 0) throw this.bytes.bad('a key in it has no value');
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  }

  reduce(): void {
    const args = this.pop();
    const callee = this.pop() as Partial<Global> | null;
    if (!Array.isArray(args)) throw this.bytes.bad('it calls without arguments');
    if (typeof callee?.call !== 'function') throw this.bytes.bad('it calls what cannot be called');
    this.push(callee.call(args));
  }

  /** Python sets an object's attributes here. Of those that matter there is one: a ParameterDict's `_parameters`. */
  build(): void {
    const state = this.pop();
    const target = this.top();
    const inner = state instanceof Map ? state.get('_parameters') : undefined;
    if (target instanceof Map && inner instanceof Map) for (const [key, value] of inner) target.set(key, value);
  }

  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.bytes.bad('it names a global by no text');
    this.push(this.world.global(module, name));
  }
}

function mapOf(machine: Machine, items: readonly unknown[]): void {
  machine.push(new Map());
  machine.set(items);
}

function decimal(machine: Machine): void {
  const line = machine.bytes.line().replace(/L$/, '');
  if (!/^-?\d{1,600}$/.test(line)) throw machine.bytes.bad(`${JSON.stringify(line.slice(0, 40))} is no number`);
  const value = BigInt(line);
  const number = Number.isSafeInteger(Number(value)) ? Number(value) : value;
  machine.push(line === '00' || line === '01' ? line === '01' : number);
}

const stop = 0x2e;

/** The instructions by their characters, as `pickletools` names them. */
const steps = new Map<number, Step>(
  (
    [
      ['\x80', (m) => m.bytes.uint8()], // PROTO
      ['\x95', (m) => m.bytes.uint64()], // FRAME
      ['N', (m) => m.push(null)],
      ['\x88', (m) => m.push(true)],
      ['\x89', (m) => m.push(false)],
      ['J', (m) => m.push(m.bytes.int32())],
      ['K', (m) => m.push(m.bytes.uint8())],
      ['M', (m) => m.push(m.bytes.uint16())],
      ['\x8a', (m) => m.push(m.bytes.integer(m.bytes.uint8()))],
      ['\x8b', (m) => m.push(m.bytes.integer(m.bytes.uint32()))],
      ['I', decimal],
      ['L', decimal],
      ['G', (m) => m.push(m.bytes.float64())],
      ['F', (m) => m.push(Number(m.bytes.line()))],
      ['U', (m) => m.push(m.bytes.latin(m.bytes.uint8()))],
      ['T', (m) => m.push(m.bytes.latin(m.bytes.uint32()))],
      ['X', (m) => m.push(m.bytes.text(m.bytes.uint32()))],
      ['\x8c', (m) => m.push(m.bytes.text(m.bytes.uint8()))],
      ['\x8d', (m) => m.push(m.bytes.text(m.bytes.uint64()))],
      ['V', (m) => m.push(m.bytes.line())],
      ['C', (m) => m.push(m.bytes.take(m.bytes.uint8()))],
      ['B', (m) => m.push(m.bytes.take(m.bytes.uint32()))],
      ['\x8e', (m) => m.push(m.bytes.take(m.bytes.uint64()))],
      ['\x96', (m) => m.push(m.bytes.take(m.bytes.uint64()))],
      ['(', (m) => m.marks.push(m.stack.length)],
      ['0', (m) => m.pop()],
      ['1', (m) => m.popMarked()],
      ['2', (m) => m.push(m.top())],
      [')', (m) => m.push([])],
      ['\x85', (m) => m.tuple(1)],
      ['\x86', (m) => m.tuple(2)],
      ['\x87', (m) => m.tuple(3)],
      ['t', (m) => m.push(m.popMarked())],
      [']', (m) => m.push([])],
      ['l', (m) => m.push(m.popMarked())],
      ['a', (m) => m.append([m.pop()])],
      ['e', (m) => m.append(m.popMarked())],
      ['}', (m) => m.push(new Map())],
      ['d', (m) => mapOf(m, m.popMarked())],
      ['s', (m) => m.set([m.pop(), m.pop()].reverse())],
      ['u', (m) => m.set(m.popMarked())],
      ['\x8f', (m) => m.push(new Set())],
      ['\x90', (m) => m.append(m.popMarked())],
      ['\x91', (m) => m.push(new Set(m.popMarked()))],
      ['h', (m) => m.get(m.bytes.uint8())],
      ['j', (m) => m.get(m.bytes.uint32())],
      ['g', (m) => m.get(Number(m.bytes.line()))],
      ['q', (m) => m.put(m.bytes.uint8())],
      ['r', (m) => m.put(m.bytes.uint32())],
      ['p', (m) => m.put(Number(m.bytes.line()))],
      ['\x94', (m) => m.put(m.memo.size)],
      ['c', (m) => m.global(m.bytes.line(), m.bytes.line())],
      ['\x93', (m) => m.global(...([m.pop(), m.pop()].reverse() as [unknown, unknown]))],
      ['R', (m) => m.reduce()],
      ['\x81', (m) => m.reduce()], // NEWOBJ
      ['b', (m) => m.build()],
      ['Q', (m) => m.push(m.world.persistent(m.pop()))],
    ] satisfies [string, Step][]
  ).map(([character, step]) => [character.charCodeAt(0), step]),
);
