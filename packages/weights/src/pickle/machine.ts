import { show } from '@sd/core';
import { PickleBudget } from './budget.js';
import type { PickleBytes } from './bytes.js';

/** Something that a pickle may name: plain data, or a function from its arguments to plain data. Nothing else ever runs. */
export interface Global {
  readonly name: string;
  call?(args: readonly unknown[]): unknown;
}

/** How a pickle's references to the outside are resolved. */
export interface PickleEnvironment {
  /** Resolves a global. Throws if the name is not known. */
  global(module: string, name: string): Global;
  /** Resolves a persistent id: a reference to data outside the pickle. */
  persistent(id: unknown): unknown;
}

/**
 * Reads one pickle, protocols 0 to 5 as far as Python uses them for data: a dict becomes a Map, a list or tuple an array,
 * a set a Set, bytes a Uint8Array, None null. Leaves `bytes` just after it. Throws a CheckpointError if the pickle is
 * broken, asks for anything but data, or for more work than any model needs.
 * @see Python's Lib/pickletools.py
 */
export function readPickle(bytes: PickleBytes, environment: PickleEnvironment): unknown {
  return new Machine(bytes, environment).run();
}

type Instruction = (machine: Machine) => void;

class Machine {
  stack: unknown[] = [];
  readonly marks: number[] = [];
  readonly memo = new Map<number, unknown>();
  readonly bytes: PickleBytes;
  readonly environment: PickleEnvironment;
  readonly budget: PickleBudget;

  constructor(bytes: PickleBytes, environment: PickleEnvironment) {
    this.bytes = bytes;
    this.environment = environment;
    this.budget = new PickleBudget(bytes);
  }

  run(): unknown {
    for (let start = this.bytes.position; ; start = this.bytes.position) {
      const code = this.bytes.uint8();
      if (code === stop) return this.pop();
      const instruction = instructions.get(code);
      if (instruction === undefined) throw this.bytes.bad(`it has the unknown instruction ${code}`);
      this.budget.instruction();
      instruction(this);
      this.budget.spend(this.bytes.position - start);
    }
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) throw this.bytes.bad('it pops from an empty stack');
    return this.stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  /** Pops everything above the last mark. */
  popMarked(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.bytes.bad('it pops from an empty stack');
    return this.stack.splice(mark);
  }

  tuple(count: number): void {
    const items = Array.from({ length: count }, () => this.pop());
    this.push(items.reverse());
  }

  latin(length: number): void {
    this.budget.characters(length);
    this.push(this.bytes.latin(length));
  }

  get(index: number): void {
    if (!this.memo.has(index)) throw this.bytes.bad(`it reads memo ${index}, which it never wrote`);
    this.push(this.memo.get(index));
  }

  put(index: number): void {
    this.memo.set(index, this.top());
  }

  append(items: readonly unknown[]): void {
    const target = this.top();
    this.budget.items(items.length);
    if (target instanceof Set) for (const item of items) target.add(item);
    else if (Array.isArray(target)) for (const item of items) target.push(item);
    else throw this.bytes.bad('it appends to something that is not a list');
  }

  set(items: readonly unknown[]): void {
    const target = this.top();
    this.budget.items(items.length);
    if (!(target instanceof Map)) throw this.bytes.bad('it sets an item of something that is not a dict');
    if (items.length % 2 !== 0) throw this.bytes.bad('a key in it has no value');
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  }

  reduce(): void {
    const args = this.pop();
    const callee = this.pop() as Partial<Global> | null;
    if (!Array.isArray(args)) throw this.bytes.bad('it calls without arguments');
    if (typeof callee?.call !== 'function') throw this.bytes.bad('it calls something that is not a function');
    this.budget.copies(args);
    this.push(callee.call(args));
  }

  /** Python sets an object's attributes here. The only one that matters is a ParameterDict's `_parameters`. */
  build(): void {
    const state = this.pop();
    const target = this.top();
    const inner = state instanceof Map ? state.get('_parameters') : undefined;
    if (!(target instanceof Map && inner instanceof Map)) return;
    this.budget.items(inner.size);
    for (const [key, value] of inner) target.set(key, value);
  }

  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string')
      throw this.bytes.bad('it names a global by something that is not a string');
    this.push(this.environment.global(module, name));
  }
}

function mapOf(machine: Machine, items: readonly unknown[]): void {
  machine.push(new Map());
  machine.set(items);
}

function decimal(machine: Machine): void {
  const line = machine.bytes.line().replace(/L$/, '');
  if (!/^-?\d{1,600}$/.test(line)) throw machine.bytes.bad(`${show(line.slice(0, 40))} is not a number`);
  const value = BigInt(line);
  const number = Number.isSafeInteger(Number(value)) ? Number(value) : value;
  machine.push(line === '00' || line === '01' ? line === '01' : number);
}

const stop = 0x2e;

/** Instructions by the character that encodes them. */
const instructions = new Map<number, Instruction>(
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
      ['U', (m) => m.latin(m.bytes.uint8())],
      ['T', (m) => m.latin(m.bytes.uint32())],
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
      ['Q', (m) => m.push(m.environment.persistent(m.pop()))],
    ] satisfies [string, Instruction][]
  ).map(([character, instruction]) => [character.charCodeAt(0), instruction]),
);
