import { existsSync, globSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { readDocument, root } from '../support/markdown-blocks.ts';

const documents = globSync(['*.md', 'docs/*.md', 'decisions/*.md'], { cwd: root }).sort();

/** Anchors of a document's headings, as GitHub makes them. */
function anchorsOf(file: string): string[] {
  return [...readDocument(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(documents)('%s', (document) => {
  const text = readDocument(document);

  test('its links lead to files and headings that exist', () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const linked = file === '' ? document : path.join(path.dirname(document), file);
      expect(existsSync(path.join(root, linked)), `${document} -> ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(linked), `${document} -> ${target}`).toContain(anchor);
    }
  });

  test('the files it names exist', () => {
    for (const [, file = ''] of text.matchAll(/`((?:src|test|models|fhir-profiles|scripts)\/[\w\-./]+)`/g)) {
      expect(existsSync(path.join(root, file)), `${document} names ${file}`).toBe(true);
    }
  });

  test('the npm scripts it names exist', () => {
    for (const [, script = ''] of text.matchAll(/npm run ([\w:]+)/g)) {
      expect(Object.keys(packageJson.scripts), `${document} names npm run ${script}`).toContain(script);
    }
  });
});

describe('README.md', () => {
  const text = readDocument('README.md');

  test('its first screen has the two commands, word for word, and package.json has their scripts', () => {
    const commands = [
      '    npm ci && npm start     # serves on http://127.0.0.1:8080, embedded everything',
      '    npm ci && npm test      # every test that needs only npm',
    ];
    expect(text.split('\n').slice(0, 20).join('\n')).toContain(commands.join('\n'));
    expect(packageJson.scripts).toMatchObject({ start: expect.stringContaining('serve'), test: expect.any(String) });
  });

  test('lists every decision in decisions/README.md', () => {
    const pages = documents.filter((file) => /^decisions\/\d/.test(file)).map((file) => path.basename(file));
    const listed = [...readDocument('decisions/README.md').matchAll(/\]\((\d[^)]+)\)/g)].map(([, file]) => file);
    expect(listed).toEqual(pages);
  });
});
