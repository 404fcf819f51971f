import { type Chance, chanceOf } from './chance.ts';
import type { FuzzCall } from './fuzz-call.ts';

/** The call as bytes that no HTTP client would send: broken lines, lengths that contradict, headers in headers. */
export function rawBytes({ method, target, headers, body = Buffer.alloc(0) }: FuzzCall, seed: number): Buffer {
  const chance = chanceOf(seed ^ 0x5eed);
  const lines = [`${method} ${target} HTTP/1.1`, 'host: 127.0.0.1', 'connection: close'];
  for (const [name, value] of Object.entries(headers)) if (name !== 'host') lines.push(`${name}: ${value}`);
  lines.push(`content-length: ${body.length}`);
  breakLines(lines, chance, body);
  const end = chance.is(0.9) ? '\r\n' : '\n';
  return Buffer.concat([Buffer.from(lines.join(end) + end + end, 'latin1'), body]);
}

function breakLines(lines: string[], chance: Chance, body: Buffer): void {
  const at = 1 + chance.whole(lines.length - 1);
  chance.of<() => void>([
    () => lines.push('transfer-encoding: chunked'),
    () => lines.push(`content-length: ${body.length + 1}`),
    () => lines.push('transfer-encoding: chunked, identity'),
    () => lines.splice(at, 0, ' folded: line'),
    () => lines.splice(at, 0, 'no colon'),
    () => lines.splice(at, 0, 'x-null: a\u0000b'),
    () => lines.splice(at, 0, 'host: evil.example'),
    () => lines.splice(at, 0, `x-long: ${'x'.repeat(20_000)}`),
    () => lines.splice(at, 0, ...Array.from({ length: 3_000 }, (_, index) => `x-${index}: 1`)),
    () => lines.splice(0, 1, 'GET / HTTP/9.9'),
    () => lines.splice(0, 1, 'CONNECT evil.example:443 HTTP/1.1'),
    () => lines.splice(0, 1, 'GET * HTTP/1.1'),
    () => lines.splice(0, 1, '\u0016\u0003\u0001\u0002\u0000'),
    () => lines.splice(0, 1, 'PRI * HTTP/2.0'),
    () => lines.splice(1, 0, 'upgrade: websocket', 'connection: upgrade'),
    () => lines.splice(1, 0, 'expect: 100-continue'),
    () => lines.splice(1, 1),
  ])();
}
