import { describe, expect, test } from 'vitest';
import { countNodes } from '../../../src/inference/devices/count-nodes.ts';

const node = (name: string, provider: string, index: number, op = 'MatMul') => ({
  cat: 'Node',
  name: `${name}_kernel_time`,
  args: { provider, op_name: op, node_index: String(index) },
});

describe('the nodes of a profile', () => {
  test('are counted once each, by where they ran, without copies and without what is no node', () => {
    const events = [
      { cat: 'Session', name: 'session_initialization', args: {} },
      node('a', 'CUDAExecutionProvider', 1),
      node('a', 'CUDAExecutionProvider', 1),
      node('b', 'CUDAExecutionProvider', 2),
      node('b', 'CPUExecutionProvider', 3),
      { ...node('b', 'CPUExecutionProvider', 9), name: 'b_fence_before' },
      node('m', 'CUDAExecutionProvider', 4, 'MemcpyToHost'),
      node('n', 'CUDAExecutionProvider', 5, 'MemcpyFromHost'),
    ];
    expect(countNodes(JSON.stringify(events), 'cuda')).toEqual({ onDevice: 2, onCpu: 1 });
  });

  test('that ran on another device than the one that was asked for are none of it', () => {
    const profile = JSON.stringify([node('a', 'CUDAExecutionProvider', 1), node('b', 'TensorrtExecutionProvider', 2)]);
    expect(countNodes(profile, 'tensorrt')).toEqual({ onDevice: 1, onCpu: 1 });
    expect(countNodes(profile, 'cpu')).toEqual({ onDevice: 0, onCpu: 2 });
  });
});
