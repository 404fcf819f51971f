import { describe, expect, test } from 'vitest';
import { softwareDriver } from '../../../src/inference/devices/software-driver.ts';

const maps = (...files: string[]): string =>
  files.map((file) => `7f00-7f10 r-xp 00000000 08:01 42                  ${file}`).join('\n');

describe('a Vulkan driver that lets the CPU do the work', () => {
  test.each([
    ['/usr/lib/chromium/libvk_swiftshader.so', 'SwiftShader'],
    ['/usr/lib/x86_64-linux-gnu/libvulkan_lvp.so', 'llvmpipe'],
  ])('is known by its file: %s', (file, name) => {
    expect(softwareDriver(maps('/usr/lib/x86_64-linux-gnu/libvulkan.so.1.3.239', file))).toBe(name);
  });

  test.each([
    '/usr/lib/x86_64-linux-gnu/libvulkan_intel.so',
    '/usr/lib/x86_64-linux-gnu/libvulkan_radeon.so',
    '/usr/lib/x86_64-linux-gnu/libGLX_nvidia.so.550.54',
  ])('says nothing beside the driver of a device: %s', (file) => {
    expect(softwareDriver(maps(file, '/usr/lib/x86_64-linux-gnu/libvulkan_lvp.so'))).toBeUndefined();
    expect(softwareDriver(maps('/usr/lib/x86_64-linux-gnu/libvulkan_lvp.so', file))).toBeUndefined();
  });

  test('is none where there is no driver at all', () => {
    expect(softwareDriver('')).toBeUndefined();
    expect(softwareDriver(maps('/usr/lib/x86_64-linux-gnu/libvulkan.so.1'))).toBeUndefined();
  });
});
