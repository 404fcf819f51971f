import type { Bundle, BundleEntry, OperationOutcome, Resource } from '@medplum/fhirtypes';
import type { PredictionError } from '../../platform/errors.ts';
import type { GetResource } from './get-resource.ts';
import { type Interaction, unreachable } from './unreachable.ts';

export interface SearchPagesOptions {
  readonly get: GetResource;
  readonly interaction: Interaction;
  /** Resource type of the matches; entries of another type are left out. */
  readonly type: string;
  /** The parameter that binds the subject, where one does. */
  readonly subjectParameter?: string | undefined;
  /** A search that gives more entries than this, or as many pages, is given up. */
  readonly maxResources: number;
  readonly signal?: AbortSignal;
  /** What was on earlier pages: the ids of their matches, and how many they said there are. */
  readonly before?: { readonly ids: ReadonlySet<string>; readonly total: number | undefined };
}

/**
 * The matches of one search, page by page; a resource that changes while the pages are read comes in each version that
 * was seen. `next` links are opaque and followed only below the base URL. Ends only when the server has no further page
 * and gave as many matches as it said there are; everything else throws RECORD_UNREACHABLE, for a search that silently
 * lost rows would make an absence of nothing.
 */
export async function* searchPages(first: URL, options: SearchPagesOptions): AsyncGenerator<Resource[]> {
  const { get, interaction, maxResources, signal, before } = options;
  const visited = new Set<string>();
  const ids = new Set(before?.ids);
  let weight = ids.size;
  let total = before?.total;
  let url: URL | undefined = first;
  while (url !== undefined) {
    if (visited.has(url.href)) {
      throw incomplete(interaction, 'leads its next links in a circle');
    }
    const isFirst = visited.size === 0;
    visited.add(url.href);
    const bundle: Bundle = bundleOf(await get(url, interaction, { absence: false, signal }), interaction);
    if (isFirst && options.subjectParameter !== undefined)
      refuseUnbound(bundle, url, options.subjectParameter, options);
    const entries = bundle.entry ?? [];
    weight += Math.max(1, entries.length);
    if (weight > maxResources) {
      throw incomplete(interaction, `gave more than ${maxResources} entries or pages for one search`);
    }
    const page: Resource[] = [];
    for (const entry of entries) {
      const match = matchOf(entry, interaction);
      if (match === undefined) continue;
      // What came along without a search mode must not make up for a match that is lost.
      if (match.resourceType !== options.type) continue;
      ids.add(match.id);
      page.push(match);
    }
    if (typeof bundle.total === 'number') total = bundle.total;
    if (page.length > 0) yield page;
    url = nextOf(bundle, url, interaction);
  }
  if (total !== undefined && ids.size < total) {
    throw incomplete(interaction, `said that there are ${total} matches, but gave ${ids.size}, and no further page`);
  }
}

function incomplete(interaction: Interaction, happened: string): PredictionError {
  return unreachable(
    interaction,
    happened,
    'The record is incomplete and is not used; see the log of that server, then try again.',
  );
}

function bundleOf(resource: Resource | undefined, interaction: Interaction): Bundle {
  if (resource?.resourceType === 'OperationOutcome') {
    throw incomplete(interaction, 'answered an OperationOutcome instead of a Bundle');
  }
  if (resource?.resourceType !== 'Bundle') {
    throw unreachable(
      interaction,
      'answered something other than a Bundle',
      'Check that the FHIR base URL leads to a FHIR R4 server that can search.',
    );
  }
  if (resource.type !== 'searchset') {
    throw incomplete(interaction, 'answered a Bundle that is no searchset');
  }
  for (const list of [resource.entry, resource.link]) {
    if (list !== undefined && !Array.isArray(list)) throw incomplete(interaction, 'answered a malformed Bundle');
  }
  refusePart(resource, interaction);
  return resource;
}

/**
 * The self link says what was searched for (R4 section 3.1.1.4.0.4): where it keeps other parameters of the question, but none that binds
 * the subject, the answer is about anybody. A link that keeps none of them is the server's own way of naming the search.
 */
function refuseUnbound(
  { link = [] }: Bundle,
  asked: URL,
  subjectParameter: string,
  { interaction, type }: SearchPagesOptions,
): void {
  const text: unknown = link.find((each) => each?.relation === 'self')?.url;
  const self = typeof text === 'string' ? URL.parse(text, asked.href) : null;
  if (self === null || !self.pathname.endsWith(`/${type}`)) return;
  const kept = new Set([...self.searchParams.keys()].map((name) => name.split(/[:.]/)[0]));
  const binds = [subjectParameter, 'patient', 'subject', 'member'];
  if (binds.some((name) => kept.has(name)) || ![...asked.searchParams.keys()].some((name) => kept.has(name))) return;
  throw unreachable(
    interaction,
    `ignored the parameter ${subjectParameter}, by its own account`,
    'Nothing of the answer is used, for it is about other patients too; declare in FHIR_SERVER_PROFILE which parameters the server knows.',
  );
}

/** Undefined for what is no match: included resources, and outcomes that only warn or inform. */
function matchOf(entry: BundleEntry | null, interaction: Interaction): (Resource & { id: string }) | undefined {
  const mode = entry?.search?.mode;
  if (mode === 'include') return undefined;
  const resource = entry?.resource;
  if (resource?.resourceType === 'OperationOutcome') {
    if (isFailure(resource)) throw incomplete(interaction, 'reported an error inside the Bundle');
    return undefined;
  }
  if (mode === 'outcome') return undefined;
  if (typeof resource?.resourceType !== 'string' || typeof resource.id !== 'string') {
    throw incomplete(interaction, 'gave a match without a resource or without an id');
  }
  refusePart(resource, interaction);
  return resource as Resource & { id: string };
}

/** A server that left elements out says so by a tag; what is not there would be taken for absent. */
export function refusePart(resource: Resource, interaction: Interaction): void {
  const tags: unknown = resource.meta?.tag;
  if (Array.isArray(tags) && tags.some((tag) => tag?.code === 'SUBSETTED')) {
    throw incomplete(interaction, 'gave only a part of what it holds (SUBSETTED)');
  }
}

function isFailure({ issue }: OperationOutcome): boolean {
  return !Array.isArray(issue) || issue.some(({ severity }) => severity === 'error' || severity === 'fatal');
}

/** The next page, if there is one. */
function nextOf(bundle: Bundle, current: URL, interaction: Interaction): URL | undefined {
  const link = bundle.link?.find(({ relation }) => relation === 'next');
  return link === undefined ? undefined : nextPage(link.url, current, interaction);
}

/**
 * Where a link to a next page leads; one that leaves the server's base would carry credentials to somebody else.
 * Throws RECORD_UNREACHABLE.
 * @param current what a relative link is relative to
 */
export function nextPage(text: unknown, current: URL, interaction: Interaction): URL {
  const next = typeof text === 'string' ? URL.parse(text, current.href) : null;
  if (next === null) throw incomplete(interaction, 'gave a next link that is no address');
  next.hash = '';
  const base = new URL(interaction.base);
  const basePath = base.pathname.replace(/\/+$/, '');
  const below = next.pathname === basePath || next.pathname.startsWith(`${basePath}/`);
  // `..%2f` is no path segment to a URL parser, but may be one to the server behind it.
  const climbs = /(^|%2f|%5c|\/)(\.|%2e){2}($|%2f|%5c|\/)/i.test(next.pathname);
  if (next.origin !== base.origin || next.username !== '' || next.password !== '' || !below || climbs) {
    throw unreachable(
      interaction,
      `gave a next link that leads away from it, to ${next.origin === base.origin ? 'another path of ' : ''}${next.protocol}//${next.host}`,
      'It is not followed, for credentials would travel with it: set the FHIR base URL to the address the server itself uses in its links.',
    );
  }
  return next;
}
