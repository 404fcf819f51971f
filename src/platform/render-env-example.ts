import { type Setting, settings } from './config-schema.ts';

/** The text of `.env.example`: every setting with its meaning, unit, limits and default. */
export function renderEnvExample(): string {
  const head = [
    '# Settings of fhirsight. Generated from src/platform/config-schema.ts by scripts/write-env-example.ts: do not edit.',
    '# All are optional; what is commented out shows the default. An unknown or bad setting stops the start.',
  ];
  return `${[head, ...settings.map(linesOf)].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function linesOf(setting: Setting): string[] {
  const { name, description, unit, allowed } = setting;
  const value = Array.isArray(setting.default) ? setting.default.join(',') || 'none' : (setting.default ?? '');
  return [
    `# ${description}`,
    `# ${unit === undefined ? '' : `Unit: ${unit}. `}Allowed: ${allowed}.${setting.default === undefined ? ' Not set by default.' : ''}`,
    `# ${name}=${value}`,
  ];
}
