import {
  formatSearchQuery,
  notFound,
  type Operation,
  OperationOutcomeError,
  type SearchRequest,
  type WithId,
} from '@medplum/core';
import { FhirRepository, type RepositoryMode } from '@medplum/fhir-router';
import type { Bundle, Parameters, Reference, Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import { searchsetBundle, urlWithQuery } from '../bundle.ts';
import { canonicalReference, parseRelativeReference } from '../reference.ts';
import { type ConditionalWritten, conditionalCreate, conditionalUpdate } from './conditional.ts';
import { findResources, type ResourceQuery } from './find-resources.ts';
import { pageToken } from './page-token.ts';
import { parseSearch } from './parse-search.ts';
import { readHistory } from './read-history.ts';
import { type FoundResource, type ManyResources, readMany } from './read-many.ts';
import { readResource, readVersion } from './read-resource.ts';
import { searchResources } from './search-resources.ts';
import { type SqlRepositoryOptions, type StoreContext, storeContext } from './store-context.ts';
import { writeAll } from './write-all.ts';
import { createResource, deleteResource, updateResource, type Written } from './write-resource.ts';

/** Opens the FHIR store of one tenant. Everything it throws is a PredictionError. */
export function createSqlRepository(options: SqlRepositoryOptions): SqlRepository {
  return new SqlRepository(storeContext(options));
}

/**
 * The FHIR store behind Medplum's FhirRouter, which asks for a class. The methods up to `writeAll` are this
 * project's own; those below them answer to the router's interface with the same functions.
 */
export class SqlRepository extends FhirRepository {
  readonly context: StoreContext;

  constructor(context: StoreContext) {
    super();
    this.context = context;
  }

  /** The current version, or undefined where there is none or it was deleted. */
  async readCurrent(type: string, id: string): Promise<Resource | undefined> {
    try {
      return await readResource(this.context, type, id);
    } catch (error) {
      if (error instanceof PredictionError && (error.code === 'RESOURCE_UNKNOWN' || error.code === 'RESOURCE_DELETED'))
        return undefined;
      throw error;
    }
  }

  /** Records of many patients in one statement: see `readMany`. */
  readMany(wanted: ManyResources): Promise<FoundResource[]> {
    return readMany(this.context, wanted);
  }

  /** Every match, page by page, in one order: see `findResources`. */
  findResources(query: ResourceQuery, pageSize: number): AsyncIterable<Resource[]> {
    return findResources(this.context, query, pageSize);
  }

  /** A search as it stands in a URL, answered as a searchset. Throws PARAMETER_INVALID. */
  async searchByQuery(
    type: string,
    parameters: Iterable<readonly [string, string]>,
  ): Promise<Bundle<WithId<Resource>>> {
    const search = parseSearch(type, parameters);
    const { resources, next, total } = await searchResources(this.context, search);
    const base = `${this.context.baseUrl}/${type}`;
    return searchsetBundle({
      baseUrl: this.context.baseUrl,
      self: urlWithQuery(base, search.query),
      next: next && urlWithQuery(base, [...search.query, ['_page', pageToken(search.sort, next)]]),
      total,
      resources,
    }) as Bundle<WithId<Resource>>;
  }

  /** The history of one resource: see `readHistory`. */
  historyByQuery(type: string, id: string, parameters: Iterable<readonly [string, string]>): Promise<Bundle> {
    return readHistory(this.context, type, id, parameters);
  }

  /** Creates under a new id. */
  create(resource: Resource): Promise<Written> {
    return createResource(this.context, resource);
  }

  /** Creates unless one resource matches the criteria (a query without `?`). */
  createIfNoneExist(resource: Resource, criteria: string): Promise<ConditionalWritten> {
    return conditionalCreate(this.context, resource, criteria);
  }

  /** Writes the next version, or the first; `ifMatch` is the version that must be current. */
  update(resource: Resource, ifMatch?: string): Promise<Written> {
    return updateResource(this.context, resource, ifMatch);
  }

  /** Updates the one resource that matches the criteria, or creates it. */
  updateWhere(resource: Resource, criteria: string, ifMatch?: string): Promise<Written> {
    return conditionalUpdate(this.context, resource, criteria, ifMatch);
  }

  /** Loads in bulk, unchecked, what is not there yet; gives back how many were stored. */
  writeAll(resources: readonly Resource[]): Promise<number> {
    return writeAll(this.context, resources);
  }

  override setMode(_mode: RepositoryMode): void {
    // There is one database: reads and writes go to the same place.
  }

  override generateId(): string {
    return this.context.newId();
  }

  override async createResource<T extends Resource>(
    resource: T,
    options?: { assignedId?: boolean },
  ): Promise<WithId<T>> {
    const { resource: stored } = await createResource(
      this.context,
      resource,
      options?.assignedId ? resource.id : undefined,
    );
    return stored as WithId<T>;
  }

  override async updateResource<T extends Resource>(resource: T, options?: { ifMatch?: string }): Promise<WithId<T>> {
    return (await updateResource(this.context, resource, options?.ifMatch)).resource as WithId<T>;
  }

  override deleteResource(type: string, id: string, options?: { ifMatch?: string }): Promise<void> {
    return deleteResource(this.context, type, id, options?.ifMatch);
  }

  override async readResource<T extends Resource>(type: string, id: string): Promise<WithId<T>> {
    return (await readResource(this.context, type, id)) as WithId<T>;
  }

  override async readVersion<T extends Resource>(type: string, id: string, versionId: string): Promise<WithId<T>> {
    return (await readVersion(this.context, type, id, versionId)) as WithId<T>;
  }

  override async readHistory<T extends Resource>(
    type: string,
    id: string,
    options?: { limit?: number },
  ): Promise<Bundle<WithId<T>>> {
    const parameters: [string, string][] = options?.limit === undefined ? [] : [['_count', String(options.limit)]];
    return (await readHistory(this.context, type, id, parameters)) as Bundle<WithId<T>>;
  }

  override async readReference<T extends Resource>(reference: Reference<T>): Promise<WithId<T>> {
    const canonical = canonicalReference(reference.reference ?? '#', this.context.baseUrl);
    const local = canonical === undefined ? undefined : parseRelativeReference(canonical);
    if (!local) throw new OperationOutcomeError(notFound);
    return this.readResource<T>(local.type, local.id);
  }

  override readReferences<T extends Resource>(references: readonly Reference<T>[]): Promise<(T | Error)[]> {
    return Promise.all(references.map((reference) => this.readReference<T>(reference).catch((error: Error) => error)));
  }

  override patchResource<T extends Resource>(
    _type: T['resourceType'],
    _id: string,
    _patch: Operation[] | Parameters,
  ): Promise<WithId<T>> {
    return Promise.reject(
      new PredictionError(
        'METHOD_NOT_ALLOWED',
        'This server does not patch: read the resource, change it, and PUT it with If-Match.',
      ),
    );
  }

  override async search<T extends Resource>(request: SearchRequest<T>): Promise<Bundle<WithId<T>>> {
    const query = new URLSearchParams(formatSearchQuery(request as SearchRequest));
    return (await this.searchByQuery(request.resourceType, query)) as Bundle<WithId<T>>;
  }

  override async searchByReference<T extends Resource>(
    request: SearchRequest<T>,
    field: string,
    references: string[],
  ): Promise<Record<string, WithId<T>[]>> {
    const found: Record<string, WithId<T>[]> = {};
    for (const reference of references) {
      const query = new URLSearchParams(formatSearchQuery(request as SearchRequest));
      query.append(field, reference);
      const bundle = await this.searchByQuery(request.resourceType, query);
      found[reference] = (bundle.entry ?? []).map((entry) => entry.resource as WithId<T>);
    }
    return found;
  }

  /** Runs `work` on a repository whose every statement is part of one transaction; it rolls back when `work` throws. */
  override withTransaction<R>(work: (repository: this) => Promise<R>): Promise<R> {
    return this.context.inTransaction((context) => work(new SqlRepository(context) as this));
  }
}
