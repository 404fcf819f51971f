import { describe, expect, it } from 'vitest';
import {
  isPermitted,
  permissions,
  permissionsOfRole,
  requirePermission,
} from '../../../src/http/access/permissions.ts';
import { anyone, type Principal, type Role } from '../../../src/http/principal.ts';

const holding = (roles: readonly Role[], own: readonly string[] = []): Principal => ({
  ...anyone,
  provedBy: 'access-token',
  roles: new Set(roles),
  ownScopes: new Set(own),
});

describe('permissions', () => {
  it('are held by a role or by a scope of the token, and by nobody else', () => {
    expect(isPermitted(holding(['model-owner']), 'models.manage')).toBe(true);
    expect(isPermitted(holding([], ['models.manage']), 'models.manage')).toBe(true);
    expect(isPermitted(holding([], ['models.manag', 'models', '*']), 'models.manage')).toBe(false);
    for (const permission of permissions) expect(isPermitted(holding([]), permission)).toBe(false);
  });

  it('each belong to some role, and a caller may only ask', () => {
    for (const permission of permissions) expect(Object.values(permissionsOfRole).flat()).toContain(permission);
    expect(permissionsOfRole.caller).toEqual(['predictions.make', 'models.read']);
    const reviewing = Object.entries(permissionsOfRole).filter(([, held]) => held.includes('reports.review'));
    expect(reviewing.map(([role]) => role)).toEqual(['reviewer']);
  });

  it('SM-22: what is missing is said', () => {
    expect(() => requirePermission(holding(['caller']), 'audit.read')).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN', message: expect.stringContaining('role auditor') }),
    );
  });
});
