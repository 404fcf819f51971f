import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { sendJson } from '../../http/send-json.ts';
import { type MemberPageKey, memberPageKey } from '../../runs/member-pages.ts';
import type { Runs } from '../../runs/open-runs.ts';
import type { RunMember } from '../../runs/run.ts';
import { type MemberListQuery, memberPageToken } from './list-query.ts';
import { memberCsvHead, memberCsvLine } from './member-csv.ts';
import { memberBody } from './run-body.ts';

const membersAtOnce = 250;

/** One page as JSON, or all members as a stream of lines. */
export async function sendMembers(
  response: Response,
  runs: Pick<Runs, 'members'>,
  run: string,
  { path, query }: { readonly path: string; readonly query: MemberListQuery },
): Promise<void> {
  if (query.format !== 'json') return await sendLines(response, runs, run, query);
  const { count, sort } = query;
  const found = await runs.members(run, query, count + 1, query.after);
  const members = found.slice(0, count);
  const last = members.at(-1);
  const more = found.length > count && last !== undefined;
  sendJson(response, 200, {
    run,
    members: members.map(memberBody),
    next: more ? nextLink(path, query, memberPageToken(memberPageKey(last, sort), sort)) : undefined,
  });
}

/** Page by page, as fast as the caller reads, without holding anything of the database in between. */
async function sendLines(
  response: Response,
  runs: Pick<Runs, 'members'>,
  run: string,
  query: MemberListQuery,
): Promise<void> {
  const csv = query.format === 'csv';
  const first = await runs.members(run, query, membersAtOnce);
  response.setHeader('Content-Type', csv ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson');
  response.setHeader('Content-Disposition', `attachment; filename="run-${run}.${query.format}"`);
  const line = csv ? memberCsvLine : (member: RunMember) => `${JSON.stringify(memberBody(member))}\n`;
  const lines = async function* (): AsyncGenerator<string> {
    if (csv) yield memberCsvHead;
    let page = first;
    while (page.length > 0) {
      yield page.map(line).join('');
      const last = page.at(-1);
      if (last === undefined || page.length < membersAtOnce) return;
      const after: MemberPageKey = memberPageKey(last, query.sort);
      page = await runs.members(run, query, membersAtOnce, after);
    }
  };
  await pipeline(Readable.from(lines()), response);
}

function nextLink(path: string, { states, sort, count }: MemberListQuery, page: string): string {
  const query = new URLSearchParams({ sort, _count: String(count), _page: page });
  if (states !== undefined) query.set('state', states.join(','));
  return `${path}?${query}`;
}
