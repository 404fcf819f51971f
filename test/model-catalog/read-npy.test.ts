import { describe, expect, it } from 'vitest';
import { readNpy } from '../../src/model-catalog/read-npy.ts';
import { npyBytes } from '../support/image-model.ts';

/** What numpy 2.4.6 writes of [[0.1, -2.5, 3e-40], [1e30, 0, 7]] as float32, in versions 1 and 2 of the format. */
const byNumpy = {
  '1.0':
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIArNzMw9AAAgwEdEAwDK8klxAAAAAAAA4EA=',
  '2.0':
    'k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIArNzMw9AAAgwEdEAwDK8klxAAAAAAAA4EA=',
};
const oneSize =
  'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAIA/AAAAQA==';
const data = Float32Array.of(1, 2, 3, 4);
const whole = npyBytes([2, 2], data);

describe('a .npy file', () => {
  it.each(Object.entries(byNumpy))('of numpy is read to the last bit, in version %s', (_, text) => {
    const expected = Float32Array.of(0.1, -2.5, 3e-40, 1e30, 0, 7);
    expect(readNpy(Buffer.from(text, 'base64'))).toEqual({ shape: [2, 3], data: expected });
  });

  it('of one size is read', () => {
    expect(readNpy(Buffer.from(oneSize, 'base64'))).toEqual({ shape: [2], data: Float32Array.of(1, 2) });
  });

  it('is read wherever its bytes begin in memory', () => {
    const moved = Buffer.concat([Buffer.from('x'), whole]).subarray(1);
    expect(readNpy(moved).data).toEqual(data);
  });

  it.each([
    ['nothing', new Uint8Array(0), 'is no .npy file'],
    ['another file', Buffer.from('{"npy": "a file of JSON"}'), 'is no .npy file'],
    ['doubles', npyBytes([2, 2], data, { descr: "'<f8'" }), "holds <f8; only float32 is read: '<f4'"],
    ['numbers in the other byte order', npyBytes([2, 2], data, { descr: "'>f4'" }), 'holds >f4'],
    ['objects, which are pickled', npyBytes([2, 2], data, { descr: "'|O'" }), 'holds |O'],
    ['columns first', npyBytes([2, 2], data, { fortran_order: 'True' }), 'is not in row-major order'],
    ['no shape', npyBytes([2, 2], data, { shape: '[2, 2]' }), 'has no shape'],
    ['too few numbers', whole.subarray(0, -1), 'has 15 bytes of numbers; its shape [2, 2] takes 16'],
    ['too many numbers', Buffer.concat([whole, Buffer.alloc(4)]), 'has 20 bytes of numbers'],
    ['a header that is cut off', whole.subarray(0, 60), 'has a header that is cut off'],
    ['a shape beyond all numbers', npyBytes([2, 2], data, { shape: '(99999999999, 99999999999)' }), 'bytes of numbers'],
  ])('of %s is refused', (_, bytes, reason) => {
    expect(() => readNpy(bytes)).toThrow(SyntaxError);
    expect(() => readNpy(bytes)).toThrow(reason);
  });
});
