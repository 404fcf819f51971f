import type { MountedRoute } from '../../src/http/server-app.ts';

/** What a router answers. */
export interface MountedPath {
  /** As it is written there, below the path where it is mounted: a text, or a pattern of what stands behind `base`. */
  readonly path: string | RegExp;
  /** Where its router is mounted. */
  readonly base: string;
  /** In capitals; absent: whatever the method. */
  readonly methods?: readonly string[];
}

/** What Express keeps of a router. */
interface Layer {
  /** It was used for all of its router. */
  readonly slash: boolean;
  readonly handle: Stacked;
  readonly route?: { readonly path: unknown; readonly methods: Readonly<Record<string, boolean>> };
}
interface Stacked {
  readonly stack?: readonly Layer[];
}

/** Every path of the routers that are mounted, as Express tries them, and where a handler is mounted that is no router. */
export function mountedPaths(mounted: readonly MountedRoute[]): {
  readonly paths: readonly MountedPath[];
  readonly handlers: readonly string[];
} {
  return {
    paths: mounted.flatMap(({ path, handler }) => pathsOf(path, handler as Stacked)),
    handlers: mounted.flatMap(({ path, handler }) => ((handler as Stacked).stack === undefined ? [path] : [])),
  };
}

function pathsOf(base: string, { stack = [] }: Stacked): MountedPath[] {
  return stack.flatMap(({ route, slash, handle }) => {
    if (route === undefined) {
      // The path of `use` is kept nowhere: only what is used for all of a router can be followed.
      if (!slash) throw new Error(`a router below ${base} uses another one below a path of its own`);
      return pathsOf(base, handle);
    }
    const methods = Object.keys(route.methods).map((method) => method.toUpperCase());
    const of = methods.includes('_ALL') ? { base } : { base, methods };
    return [route.path].flat().map((path) => {
      if (path instanceof RegExp) return { ...of, path };
      if (typeof path !== 'string') throw new Error(`a route below ${base} is neither a text nor a pattern`);
      return { ...of, path: path === '/' ? base : `${base}${path}` };
    });
  });
}
